"""A chat-completions endpoint over real sockets that takes only some ways of being asked.

What it refuses it refuses like real servers do: HTTP 400, and the parameter's name in the message.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from chat_model_server import GOOD
from scripted_server import Answer, Asked, scripted

Json = dict[str, object]


@dataclass
class FewAbilities:
    """What the endpoint refuses (names of request fields, or ways), and how it wraps an answer."""

    refuses: frozenset[str] = frozenset()
    before: str = ""
    after: str = ""
    finish: list[str] = field(default_factory=list)
    ignores_form: bool = False
    status: int = 200
    away_for: str = ""
    manner: str = "plain"
    answers: dict[str, Json] = field(default_factory=dict)
    asked: list[Json] = field(default_factory=list)
    url: str = ""

    def __call__(self, asked: Asked) -> Answer:
        request: Json = json.loads(asked.body)
        self.asked.append(request)
        if self.status != 200:
            return _error(self.status, "no")
        if self.away_for and _mentions(request, self.away_for):
            return _error(503, "no")
        for name in sorted(self.refuses & _used(request)):
            return _error(400, f"Unsupported parameter or value: '{name}'.")
        if self.manner != "plain":
            return Answer(body=b" " * 5000, manner=self.manner)
        return Answer(body=json.dumps(self._completion(request)).encode())

    def _completion(self, request: Json) -> Json:
        name = next((n for n in GOOD if _mentions(request, n)), "ProbeAnswer")
        content = json.dumps({"ProbeAnswer": {"word": "yes"}, **GOOD, **self.answers}[name])
        message: Json = {"role": "assistant", "content": f"{self.before}{content}{self.after}"}
        if self.ignores_form and _used(request) & {"json_schema", "tools", "json_object"}:
            message["content"] = "I would be glad to help you with that."
        elif "tools" in request:
            call = {"name": name, "arguments": content}
            calls = [{"id": "c1", "type": "function", "function": call}]
            message = {"role": "assistant", "content": None, "tool_calls": calls}
        finish = self.finish.pop(0) if self.finish else "stop"
        return {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": 1000,
                "completion_tokens": 100,
                "total_tokens": 1100,
                "prompt_tokens_details": {"cached_tokens": 600},
            },
        }


def _used(request: Json) -> frozenset[str]:
    form = request.get("response_format")
    kind = str(form.get("type")) if isinstance(form, dict) else ""
    limits = {"maxLength"} if "maxLength" in json.dumps(form) else set()
    return frozenset({*request, kind, *limits})


def _mentions(request: Json, name: str) -> bool:
    """Each form has a field of its own; where no form is sent, the schema stands in the words."""
    own = {"ClassifyAnswer": '"classes', "ProposeAnswer": '"decline', "ReviewAnswer": '"acceptable'}
    return own[name] in json.dumps(request).replace("\\", "")


def _error(status: int, words: str) -> Answer:
    return Answer(status, json.dumps({"error": {"message": words, "type": "x"}}).encode())


@contextmanager
def few_abilities(**wanted: object) -> Iterator[FewAbilities]:
    """Serve on a free port of this machine until the block ends."""
    model = FewAbilities(**wanted)  # type: ignore[arg-type]
    with scripted(model) as server:
        model.url = f"{server.url}/v1"
        yield model
