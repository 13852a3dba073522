"""The monday double's endpoint: headers, limits, the three error shapes, idempotent mutations.

Fault kinds of ``monday`` beside the common ones: ``complexity`` (shape 2; retry_in), ``legacy``
(shape 3; retry_in), ``minute_limit`` (429 with Retry-After and RateLimit; retry_after),
``field_limit`` (inside a 200), ``daily_limit``, ``blocked``, ``internal`` (500), ``locked``
(423), ``unauthorized``, ``cursor_expired``, ``broken_column`` (column; partial data),
``broken_root`` (null root beside errors), ``version`` (value).
"""

import json
import re
import time
import uuid
from datetime import UTC, datetime

from graphql import ExecutionResult

from swarm.sandbox.addresses import MONDAY_TOKEN, MONDAY_VERSION
from swarm.sandbox.faults import Fault, Faults
from swarm.sandbox.monday.boards import Boards
from swarm.sandbox.monday.resolvers import Conversation, run
from swarm.sandbox.state import Json, State, dumps
from swarm.sandbox.wire import Reply, Request, json_reply

_MINUTE_LIMIT = 1000
_REPLAY_SECONDS = 1800.0
_SIMPLE = {
    "field_limit": (200, "FIELD_MINUTE_RATE_LIMIT_EXCEEDED", "Field minute rate limit exceeded"),
    "daily_limit": (429, "DAILY_LIMIT_EXCEEDED", "Daily limit exceeded"),
    "blocked": (200, "API_TEMPORARILY_BLOCKED", "API is temporarily blocked"),
    "internal": (500, "INTERNAL_SERVER_ERROR", "Internal server error"),
    "locked": (423, "RESOURCE_LOCKED", "Resource is currently locked"),
    "unauthorized": (401, "Unauthorized", "Not authenticated"),
}


class MondayDouble:
    """Everything below ``/monday/v2``."""

    def __init__(self, state: State, faults: Faults) -> None:
        self.boards = Boards(state)
        self.cursor_seconds = 3600.0
        self.daily_limit: int | None = None
        self.calls_today = 0
        self._day = ""
        self._minute = (0, 0)
        self._state = state
        self._faults = faults

    def handle(self, request: Request) -> Reply:
        """Answer ``POST /v2``."""
        reply = self._refusal(request) or self._limited() or self._executed(request)
        return Reply(reply.status, reply.body, {**reply.headers, **self._limit_headers(reply)})

    def _refusal(self, request: Request) -> Reply | None:
        if request.method != "POST" or request.path != "/v2":
            return json_reply(404, {"error_message": "Not found", "status_code": 404})
        if request.headers.get("authorization") != MONDAY_TOKEN:  # with "Bearer" it is no token
            return _first_shape("Not authenticated", "Unauthorized", 401)
        if not re.fullmatch(r"\d{4}-\d{2}", request.headers.get("api-version", "")):
            return _first_shape("Invalid API-Version header", "InvalidVersionException", 400)
        return None

    def _limited(self) -> Reply | None:
        today = datetime.now(UTC).strftime("%Y-%m-%d")
        self.calls_today = self.calls_today + 1 if self._day == today else 1
        self._day = today
        if self.daily_limit is not None and self.calls_today > self.daily_limit:
            return _first_shape("Daily limit exceeded", "DAILY_LIMIT_EXCEEDED", 429)
        fault = self._faults.take("monday", *_SIMPLE, "complexity", "legacy", "minute_limit")
        return _faulty(fault) if fault else None

    def _executed(self, request: Request) -> Reply:
        wanted = request.json()
        text, variables = str(wanted.get("query", "")), wanted.get("variables")
        key = request.headers.get("idempotency-key", "") if "mutation" in text else ""
        if key and (answered := self._replayed(key)):
            return answered
        result = run(self._conversation(), text, variables if isinstance(variables, dict) else {})
        reply = _answered(result)
        if key:
            self._remember(key, reply)
        return reply

    def _conversation(self) -> Conversation:
        column = self._faults.take("monday", "broken_column")
        version = self._faults.take("monday", "version")
        return Conversation(
            boards=self.boards,
            version=version.text("value", "2026-07") if version else MONDAY_VERSION,
            cursor_seconds=self.cursor_seconds,
            cursor_expired=lambda: self._faults.take("monday", "cursor_expired") is not None,
            broken_column=column.text("column", "status") if column else "",
            broken_root=self._faults.take("monday", "broken_root") is not None,
        )

    def _replayed(self, key: str) -> Reply | None:
        found = self._state.row("SELECT at, answer FROM idempotency WHERE key = ?", key)
        if found is None or time.time() - float(found["at"]) > _REPLAY_SECONDS:
            return None
        return json_reply(200, json.loads(found["answer"]), {"idempotency-replayed": "true"})

    def _remember(self, key: str, reply: Reply) -> None:
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO idempotency (key, at, answer) VALUES (?, ?, ?)",
                (key, time.time(), reply.body.decode()),
            )

    def _limit_headers(self, reply: Reply) -> dict[str, str]:
        minute, used = self._minute
        now = int(time.time() // 60)
        self._minute = (now, used + 1 if minute == now else 1)
        rest = max(0, _MINUTE_LIMIT - self._minute[1])
        reset = 60 - int(time.time() % 60)
        return {
            "ratelimit-policy": f'"minuteRate";q={_MINUTE_LIMIT};w=60, "concurrency";q=40',
            "ratelimit": f'"minuteRate";r={rest};t={reset}',
            **{name: value for name, value in reply.headers.items() if name == "ratelimit"},
        }


def _answered(result: ExecutionResult) -> Reply:
    body: Json = {"data": result.data}
    if result.errors:
        body["errors"] = [each.formatted for each in result.errors]
    body["extensions"] = {"request_id": str(uuid.uuid4())}
    return json_reply(200, body)


def _faulty(fault: Fault) -> Reply:
    wait = int(fault.number("retry_in", 1))
    if fault.kind == "complexity":
        extensions = {"code": "COMPLEXITY_BUDGET_EXHAUSTED", "retry_in_seconds": wait}
        errors = [{"message": "Complexity budget exhausted", "extensions": extensions}]
        return json_reply(200, {"errors": errors})
    if fault.kind == "legacy":
        body = {
            "error_code": "ComplexityException",
            "status_code": 429,
            "error_message": f"Complexity budget exhausted, reset in {wait} seconds",
            "error_data": {"retry_in_seconds": wait},
            "errors": ["Complexity budget exhausted"],
        }
        return json_reply(200, body)
    if fault.kind == "minute_limit":
        after = int(fault.number("retry_after", 1))
        headers = {"retry-after": str(after), "ratelimit": f'"minuteRate";r=0;t={after}'}
        reply = _first_shape("Minute limit rate exceeded", "RATE_LIMIT_EXCEEDED", 429)
        return Reply(reply.status, reply.body, {**reply.headers, **headers})
    status, code, message = _SIMPLE[fault.kind]
    return _first_shape(message, code, status)


def _first_shape(message: str, code: str, status: int) -> Reply:
    extensions = {"code": code, "error_data": {}, "status_code": status}
    body = {
        "data": None,
        "errors": [{"message": message, "extensions": extensions}],
        "extensions": {"request_id": str(uuid.uuid4())},
    }
    return Reply(status, dumps(body).encode(), {"content-type": "application/json"})
