"""A Catch Hook and the mailbox behind it, over real HTTP, in one small server.

The hook answers as Zapier does: 200 means accepted, never done. What it does with an item is set by
``mode``; the four that matter are reply lost, duplicate, paused and delayed. Knows nothing of the
code under test.
"""

import json
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx

from swarm.clients.protocol import FoundDraft, StandingDraft
from swarm.errors import RemoteUnavailableError

_CLOCK_TOLERANCE = timedelta(minutes=2)  # what a search reaches back before ``since``
_TLS = ssl.create_default_context()  # read once: 20 ms of certificates per request otherwise


class Postbox:
    """The server's state: what was posted, what drafts there are, and how it behaves."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.posts: list[dict[str, str]] = []
        self.drafts: list[dict[str, str]] = []
        self.delayed: list[dict[str, str]] = []
        self.search_down = False
        self.before_answer: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"box": self})
        )
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )

    def __enter__(self) -> "Postbox":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def hook_url(self) -> str:
        return f"{self.url}/hooks/catch/1/secret/"

    def take(self, item: dict[str, str]) -> None:
        """What the Zap does with an accepted item, now or later."""
        with self._lock:
            self.posts.append(item)
        if self.mode == "paused":
            return
        if self.mode == "delay":
            self.delayed.append(item)
            return
        for _ in range(2 if self.mode == "duplicate" else 1):
            self.draft(item)

    def draft(self, item: dict[str, str]) -> None:
        """The Zap's one step: create the draft."""
        with self._lock:
            number = len(self.drafts) + 1
            place = {"id": f"draft-{number}", "folder": "drafts", "at": str(time.time())}
            self.drafts.append({**place, **item})

    def mark(self, draft_id: str, key: str) -> None:
        """Put the property onto a draft by which it is found wherever it lies."""
        for draft in self.drafts:
            if draft["id"] == draft_id:
                draft["property"] = key

    def search(
        self, *, key: str, marker: str, since: str, conversation: str = ""
    ) -> list[dict[str, str]]:
        """As Graph answers: by the property; by the marker in one conversation and since when."""
        return [
            draft
            for draft in self.drafts
            if draft.get("property") == key
            or (
                draft["conversation_id"] == conversation
                and float(draft["at"]) >= float(since)
                and marker in draft["body_text"]
            )
        ]

    def release_delayed(self) -> None:
        while self.delayed:
            self.draft(self.delayed.pop())

    def drafts_of(self, key: str) -> list[dict[str, str]]:
        return [draft for draft in self.drafts if draft["idempotency_key"] == key]

    def posts_of(self, key: str) -> list[dict[str, str]]:
        return [post for post in self.posts if post["idempotency_key"] == key]


class _Handler(BaseHTTPRequestHandler):
    box: Postbox

    def do_POST(self) -> None:
        item = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.startswith("/marked/"):
            self.box.mark(self.path.removeprefix("/marked/"), item["key"])
            self._answer(200, {})
        elif self.box.mode == "429":
            self._answer(429, {}, {"Retry-After": "7"})
        elif self.box.mode == "500 before":
            self._answer(500, {})
        else:
            self._take(item)

    def _take(self, item: dict[str, str]) -> None:
        self.box.take(item)
        self.box.before_answer()
        if self.box.mode == "reply lost":
            self.close_connection = True
        elif self.box.mode == "500 after":
            self._answer(500, {})
        else:
            self._answer(200, {"status": "success", "request_id": f"r{len(self.box.posts)}"})

    def do_GET(self) -> None:
        if self.box.search_down:
            self._answer(503, {})
            return
        asked = {name: each[0] for name, each in parse_qs(urlsplit(self.path).query).items()}
        found = self.box.search(**asked) if asked else list(self.box.drafts)
        self._answer(200, {"drafts": found})

    def _answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class PostboxOutlook:
    """Finds drafts in a ``Postbox`` of any process; what publishing and an audit ask of Outlook."""

    def __init__(self, url: str) -> None:
        self._url = url

    def find_dispatched(
        self, *, key: str, conversation_id: str | None, marker: str, since: datetime
    ) -> Sequence[FoundDraft]:
        assert key.startswith("wo_")
        asked = {
            "key": key,
            "marker": marker,
            "conversation": conversation_id or "",
            "since": str((since - _CLOCK_TOLERANCE).timestamp()),
        }
        drafts = self._ask(asked)
        return tuple(
            FoundDraft(
                message_id=draft["id"],
                folder=draft["folder"],
                is_draft=draft["folder"] == "drafts",
                created_at=datetime.fromtimestamp(float(draft["at"]), UTC),
            )
            for draft in drafts
        )

    def drafts(self) -> Sequence[StandingDraft]:
        return tuple(
            StandingDraft(
                message_id=draft["id"],
                conversation_id=draft["conversation_id"],
                key=draft.get("property"),
                subject=draft["subject"],
                recipients=tuple(part for part in draft["to"].lower().split(",") if part),
                text=draft["body_text"],
                created_at=datetime.fromtimestamp(float(draft["at"]), UTC),
                modified_at=datetime.fromtimestamp(float(draft["at"]), UTC),
            )
            for draft in self._ask({})
            if draft["folder"] == "drafts"
        )

    def _ask(self, asked: dict[str, str]) -> list[dict[str, str]]:
        try:
            answer = httpx.get(f"{self._url}/drafts", params=asked, verify=_TLS).raise_for_status()
        except httpx.HTTPError as error:
            raise RemoteUnavailableError("the mailbox cannot be searched") from error
        drafts: list[dict[str, str]] = answer.json()["drafts"]
        return drafts

    def mark_dispatched(self, message_id: str, key: str) -> None:
        httpx.post(
            f"{self._url}/marked/{message_id}", json={"key": key}, verify=_TLS
        ).raise_for_status()
