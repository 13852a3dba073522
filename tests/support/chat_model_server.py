"""A local server that speaks the OpenAI chat-completions protocol, well or badly, as told.

It checks what it is sent (model, messages, a strict JSON schema), remembers it, and answers from a
list of replies. What it answers when the list is empty is the good answer to each schema."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Json = dict[str, object]

GOOD: dict[str, Json] = {
    "ClassifyAnswer": {"quotes": [], "reason": "an ordinary question", "classes": []},
    "ProposeAnswer": {
        "claims": [
            {
                "text": "The status of your order is: Shipped.",
                "evidence_id": "e2",
                "quote": "Shipped",
            }
        ],
        "decline": None,
        "body": "Thank you for your question.\n\nThe status of your order is: Shipped.",
        "answered": [1],
    },
    "ReviewAnswer": {"findings": [], "acceptable": True},
}


@dataclass(frozen=True)
class Reply:
    """One HTTP answer: a status with headers, and a body or a message for the choice."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    message: Json | None = None
    finish_reason: str = "stop"
    raw: bytes | None = None
    delay: float = 0.0


def says(answer: object) -> Reply:
    """An answer whose content is this value as JSON (or this very string)."""
    content = answer if isinstance(answer, str) else json.dumps(answer)
    return Reply(message={"role": "assistant", "content": content, "refusal": None})


class ChatModel:
    """What the server knows: the replies to give and the requests it got."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.requests: list[Json] = []
        self.url = ""
        self.seconds = 0.0  # what each answer takes that no reply was laid down for
        self._lock = threading.Lock()

    def answer(self, request: Json) -> Reply:
        """Note the request and choose the reply."""
        with self._lock:
            self.requests.append(request)
            if self.replies:
                return self.replies.pop(0)
        return replace(says(GOOD[schema_name(request)]), delay=self.seconds)


def schema_name(request: Json) -> str:
    """Name of the JSON schema a request wants; asserts that it is strict."""
    wanted = request["response_format"]
    assert wanted["type"] == "json_schema"
    assert wanted["json_schema"]["strict"] is True
    return str(wanted["json_schema"]["name"])


def completion(request: Json, reply: Reply) -> bytes:
    """The body of a chat completion."""
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": request["model"],
            "choices": [
                {"index": 0, "message": reply.message, "finish_reason": reply.finish_reason}
            ],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }
    ).encode()


def _handler(model: ChatModel) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert self.path == "/v1/chat/completions"
            reply = model.answer(request)
            time.sleep(reply.delay)
            body = reply.raw
            if body is None:
                body = completion(request, reply) if reply.message else b'{"error": {}}'
            self.send_response(reply.status)
            for name, value in {"content-type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):  # a client that timed out is gone
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def serving(model: ChatModel | None = None) -> Iterator[ChatModel]:
    """Serve on a free port of this machine until the block ends."""
    model = model or ChatModel()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(model))
    server.daemon_threads = True
    model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
