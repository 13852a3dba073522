"""The Catch Hook double: answers at once, drafts later, from a durable queue.

200 means accepted, never done: it is given whatever becomes of the Zap. The Zap is one step,
"Create Draft Reply", into the fake mailbox. Fault kinds of ``zapier`` beside the common ones.
Accepted, then: ``lose`` (no draft ever), ``paused`` (the same, as a paused Zap looks), ``delay``
(seconds), ``duplicate`` (the Zap runs twice), ``timeout_after_accept`` (seconds),
``reset_after_accept``, ``garbled`` (answer unreadable), ``silent`` (empty answer). Not accepted:
the common ``status`` (429 with or without retry_after, 500) and ``reset``.
"""

import asyncio
import contextlib
import json
import sqlite3
import time
import uuid

from swarm.sandbox.faults import Fault, Faults
from swarm.sandbox.graph.mailbox import Mailboxes, Message, graph_time, recipient
from swarm.sandbox.graph.rendering import text_to_html
from swarm.sandbox.graph.replies import reply_draft
from swarm.sandbox.state import Json, State, dumps
from swarm.sandbox.wire import Reply, Request, json_reply

_AFTER = ("timeout_after_accept", "reset_after_accept", "garbled", "silent")


class ZapierDouble:
    """Everything below ``/hooks``, and the Zap itself."""

    def __init__(
        self, state: State, faults: Faults, mailboxes: Mailboxes, *, settle_seconds: float
    ) -> None:
        self.settle_seconds = settle_seconds
        self._state = state
        self._faults = faults
        self._mailboxes = mailboxes
        self._wake = asyncio.Event()

    async def handle(self, request: Request) -> Reply:
        """Answer ``POST /catch/{user}/{hook}/``."""
        if not request.path.startswith("/catch/") or request.method not in ("POST", "PUT", "GET"):
            return Reply(404)
        request_id = str(uuid.uuid4())
        if request.body:  # an empty body is ignored, and answered all the same
            self._accept(request, request_id)
        body = {"id": request_id, "request_id": request_id, "attempt": request_id}
        fault = self._faults.take("zapier", *_AFTER)
        return await _bent(fault, json_reply(200, {**body, "status": "success"}))

    def _accept(self, request: Request, request_id: str) -> None:
        fault = self._faults.take("zapier", "lose", "paused", "delay", "duplicate")
        kind, now = fault.kind if fault else "", time.time()
        wait = fault.number("seconds", 1.0) if fault and kind == "delay" else self.settle_seconds
        state = {"lose": "lost", "paused": "paused"}.get(kind, "queued")
        row = (request_id, request.path, dumps(request.json()), now, now + wait, state)
        with self._state.transaction() as connection:
            for _ in range(2 if kind == "duplicate" else 1):
                connection.execute(
                    "INSERT INTO deliveries (request_id, hook, payload, accepted_at, due_at, state)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    row,
                )
        self._wake.set()

    async def run_zaps(self) -> None:
        """Run queued Zaps as they fall due, for ever; the queue outlives the process."""
        while True:
            self._wake.clear()
            wait = self._run_due()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait)

    def replay(self, delivery: int) -> None:
        """Run an old delivery again, as a person's Replay in Zapier does."""
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO deliveries (request_id, hook, payload, accepted_at, due_at, state)"
                " SELECT request_id, hook, payload, ?, ?, 'queued' FROM deliveries WHERE id = ?",
                (time.time(), time.time(), delivery),
            )
        self._wake.set()

    def deliveries(self) -> list[Json]:
        """Return every accepted POST and what became of it, oldest first."""
        rows = self._state.rows("SELECT * FROM deliveries ORDER BY id")
        return [{**dict(row), "payload": json.loads(row["payload"])} for row in rows]

    def _run_due(self) -> float | None:
        """Run what is due; return the seconds until the next one, None when there is none."""
        due = self._state.rows(
            "SELECT * FROM deliveries WHERE state = 'queued' AND due_at <= ? ORDER BY id LIMIT 20",
            time.time(),
        )
        with self._state.transaction() as connection:
            for row in due:
                draft, state, detail = self._zap(json.loads(row["payload"]))
                connection.execute(
                    "UPDATE deliveries SET state = ?, draft_id = ?, detail = ? WHERE id = ?",
                    (state, draft.immutable_id if draft else None, detail, row["id"]),
                )
        following: sqlite3.Row | None = self._state.row(
            "SELECT min(due_at) AS at FROM deliveries WHERE state = 'queued'"
        )
        if following is None or following["at"] is None:
            return None
        return max(0.0, float(following["at"]) - time.time())

    def _zap(self, payload: Json) -> tuple[Message | None, str, str]:
        """Create Draft Reply. An unknown original makes a draft in the payload's conversation."""
        mailbox, text = str(payload.get("mailbox") or ""), str(payload.get("body_text") or "")
        markup = str(payload.get("body_html") or "") or text_to_html(text)
        if not mailbox:
            return None, "errored", "no mailbox in the payload"
        subject = str(payload.get("subject") or "") or None
        reply_all = payload.get("reply_all") == "true"
        original = self._original(mailbox, payload)
        if original is not None:
            draft = reply_draft(
                self._mailboxes, original, markup, reply_all=reply_all, subject=subject
            )
            return draft, "drafted", ""
        conversation = str(payload.get("conversation_id") or "") or None
        content: Json = {
            "subject": subject or "",
            "from": recipient(mailbox),
            "isRead": True,
            "html": markup,
            "uniqueHtml": markup,
        }
        draft = self._mailboxes.add(
            mailbox,
            "drafts",
            content,
            is_draft=True,
            conversation_id=conversation,
            received=graph_time(),
        )
        return draft, "drafted", "the original message is unknown: a draft without a quote"

    def _original(self, mailbox: str, payload: Json) -> Message | None:
        for name in ("message_id", "message_id_rest"):
            if given := str(payload.get(name) or ""):
                found = self._mailboxes.get(mailbox, given)
                if found is not None:
                    return found
        for name, column in (
            ("internet_message_id", "internet_message_id = ?"),
            ("conversation_id", "is_draft = 0 AND conversation_id = ?"),
        ):
            if given := str(payload.get(name) or ""):
                several = self._mailboxes.find(mailbox, column, [given], 1)
                if several:
                    return several[0]
        return None


async def _bent(fault: Fault | None, good: Reply) -> Reply:
    if fault is None:
        return good
    if fault.kind == "timeout_after_accept":
        await asyncio.sleep(fault.number("seconds", 30.0))
        return good
    if fault.kind == "reset_after_accept":
        return Reply(200, cut=True)
    return Reply(200, b"" if fault.kind == "silent" else b"<html>hello</html>")
