"""The control API as Python methods, for tests and ``swarm up``; works on any running sandbox."""

import json
import time
from collections.abc import Mapping
from datetime import datetime

import httpx

from swarm.sandbox.state import Json

_WAIT_SECONDS = 10.0


class SandboxControl:
    """Talks to ``/_sandbox`` of a sandbox at ``url``. Raises ``ValueError`` for a bad request."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=f"{url}/_sandbox/", timeout=10.0, trust_env=False)

    def close(self) -> None:
        """Close the connection; the sandbox runs on."""
        self._http.close()

    def seed_mail(
        self,
        sender: str,
        *,
        subject: str = "",
        body_text: str = "",
        received_at: datetime | None = None,
        from_us: bool = False,
        **more: object,
    ) -> Json:
        """Put a mail into the mailbox; returns it with ``id`` (immutable), ``conversationId``, ...

        ``from_us`` makes it a reply of ours to ``sender`` in Sent Items. ``more``: conversation_id,
        internet_message_id, body_html, quoted_html, sender_name, reply_to, to, cc, headers,
        attachments, folder, is_draft, mailbox.
        """
        at = received_at.isoformat() if received_at else None
        known = {"sender": sender, "subject": subject, "body_text": body_text, "from_us": from_us}
        return self._object("mail", {**known, "received_at": at, **more})

    def messages(self, **wanted: object) -> list[Json]:
        """Return messages, oldest first; by folder (well-known name), conversation_id, mailbox."""
        return self._list("messages", wanted)

    def drafts(self, **wanted: object) -> list[Json]:
        """Return the drafts of the mailbox, wherever they lie."""
        return self._list("messages", {**wanted, "drafts": True})

    def human(self, operation: str, message_id: object, **more: object) -> Json:
        """Play a person in Outlook: edit (body_html), send (body_html, copy_after), send_as
        (agent), send_elsewhere (body_html, keep), answer (body_html, to), move (folder), delete or
        purge a message.
        """
        return self._object("human", {"operation": operation, "message_id": message_id, **more})

    def human_auto(self, **settings: object) -> Json:
        """Set the automatic human: seed, odds by act, delay_seconds, unanswered (a share of the
        mails without draft) and unanswered_after (seconds); returns what he did so far.
        """
        return self._object("human/auto", settings)

    def add_contact(self, name: str, email: str, **more: object) -> str:
        """Add a contact; returns its item id. ``more``: phone, company, state."""
        return str(self._object("contact", {"name": name, "email": email, **more})["id"])

    def add_deal(self, name: str, contact: str | None = None, **more: object) -> str:
        """Add a deal; ``more``: status, delivery_date, amount, notes, links (contact|deal|both)."""
        return str(self._object("deal", {"name": name, "contact": contact, **more})["id"])

    def add_update(self, item: str, text: str, **more: object) -> str:
        """Add an update to an item; ``more``: author, parent (makes it a reply)."""
        return str(self._object("update", {"item": item, "text": text, **more})["id"])

    def load_samples(self) -> int:
        """Load the sample customer base once."""
        return int(str(self._object("samples", {})["loaded"]))

    def fault(
        self, service: str, kind: str, *, times: int | None = None, **options: object
    ) -> None:
        """Switch a fault on: graph, login, monday, zapier or model; kinds stand in each double."""
        wanted: Json = {"service": service, "kind": kind, "times": times, "options": options}
        self._list("faults", wanted)

    def clear_faults(self, service: str | None = None) -> None:
        """Switch all faults off, or those of one service."""
        self._list("faults/clear", {"service": service})

    def configure(self, **settings: object) -> None:
        """Set settle_seconds, token_seconds, cursor_seconds, monday_daily_limit; or do
        revoke_tokens, expire_delta, arrive (what is on its way).
        """
        self._object("configure", settings)

    def deliveries(self) -> list[Json]:
        """Return every POST the hook accepted: payload, state, draft_id."""
        return self._list("deliveries", {})

    def replay(self, delivery: object) -> None:
        """Run a delivery's Zap once more."""
        self._object("replay", {"delivery": delivery})

    def forget(self, whom: Mapping[str, object]) -> int:
        """Delete what is somebody's in every double; returns how many rows. ``whom``: address, ids
        and keys, and signed (Message-ID and sender of each mail).
        """
        return int(str(self._object("forget", {**whom})["forgotten"]))

    def answer_model(
        self, content: object, *, contains: str = "", times: int | None = None
    ) -> None:
        """Can an answer for model requests that contain a text."""
        self._object("model/answers", {"content": content, "contains": contains, "times": times})

    def model_calls(self) -> list[Json]:
        """Return the completed model calls."""
        return self._list("model/calls", {})

    def counts(self) -> Json:
        """Return calls and most concurrent calls per service, send attempts, tokens issued."""
        return self._object("calls", {})

    def healthy(self) -> bool:
        """Tell whether the sandbox answers."""
        try:
            return self._object("health", {}).get("status") == "ok"
        except httpx.HTTPError:
            return False

    def wait_for_drafts(self, count: int, **wanted: object) -> list[Json]:
        """Return the drafts as soon as there are ``count``; raises ``TimeoutError`` after 10 s."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            if len(found := self.drafts(**wanted)) >= count:
                return found
            time.sleep(0.01)
        raise TimeoutError(f"{count} drafts did not appear")

    def _object(self, name: str, wanted: Json) -> Json:
        value = self._ask(name, wanted)
        if not isinstance(value, dict):
            raise TypeError(name)
        return value

    def _list(self, name: str, wanted: Json) -> list[Json]:
        value = self._ask(name, wanted)
        if not isinstance(value, list):
            raise TypeError(name)
        return value

    def _ask(self, name: str, wanted: Json) -> object:
        response = self._http.post(name, json=wanted)
        if not response.is_success:
            raise ValueError(response.text)
        value: object = json.loads(response.content)
        return value
