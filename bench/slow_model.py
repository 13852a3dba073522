"""A chat model that takes its time: answers each question well, after so many seconds.

One process, no threads: a thousand questions wait in it at once and cost nothing. ``GET /asked``
tells how many questions came, and how many of them a second time.

    python bench/slow_model.py --port 9000 --seconds 3
"""

import argparse
import asyncio
import hashlib
import json
from collections import Counter

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ANSWERS: dict[str, dict[str, object]] = {
    "ClassifyAnswer": {"quotes": [], "reason": "an ordinary question", "classes": []},
    "ProposeAnswer": {
        "claims": [],
        "decline": None,
        "body": "We have received your question about your order.",
        "answered": [1],
    },
    "ReviewAnswer": {"findings": [], "acceptable": True},
}


def application(seconds: float) -> Starlette:
    """The server: OpenAI's chat completions with a JSON schema, and what it was asked."""
    asked: Counter[str] = Counter()
    in_flight = {"now": 0, "most": 0}

    async def answer(request: Request) -> JSONResponse:
        body = await request.json()
        asked[hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()] += 1
        in_flight["now"] += 1
        in_flight["most"] = max(in_flight.values())
        try:
            await asyncio.sleep(seconds)
        finally:
            in_flight["now"] -= 1
        name = body["response_format"]["json_schema"]["name"]
        message = {"role": "assistant", "content": json.dumps(ANSWERS[name]), "refusal": None}
        return JSONResponse(
            {
                "id": "c", "object": "chat.completion", "created": 0, "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
            }
        )  # fmt: skip

    async def told(_request: Request) -> JSONResponse:
        again = sum(count - 1 for count in asked.values())
        return JSONResponse(
            {"questions": asked.total(), "again": again, "most_in_flight": in_flight["most"]}
        )

    return Starlette(
        routes=[
            Route("/v1/chat/completions", answer, methods=["POST"]),
            Route("/asked", told),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    uvicorn.run(application(options.seconds), port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
