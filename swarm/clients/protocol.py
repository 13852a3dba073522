"""What the pipeline asks of the three services.

The real clients are on httpx in this folder; tests and the sandbox exercise those same clients over
real HTTP, never a mock of these protocols' results.

Every method raises ``RemoteUnavailableError`` / ``RateLimitedError`` (transient) or
``RemoteRefusedError`` (permanent); idempotent reads are retried inside the client first.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from swarm.models import CrmItem, CrmUpdate, Noun, ThreadMessage


class FoundDraft(Noun):
    """A message in the mailbox that carries our marker, wherever a person may have moved it."""

    message_id: str
    folder: str
    is_draft: bool
    created_at: datetime
    change_key: str = ""


class StandingDraft(Noun):
    """A draft as it stands in the Drafts folder: what a person would see, edit and send.

    ``key`` is what our extended property says, None without one; ``text`` is the draft's own part;
    ``recipients`` are lower-cased. Graph's times end at the second.
    """

    message_id: str
    conversation_id: str | None
    key: str | None
    subject: str
    recipients: tuple[str, ...]
    text: str
    created_at: datetime
    modified_at: datetime


class InboundMessage(Noun):
    """A message of a delta page as Graph gave it; ``removed`` items carry only their id."""

    message_id: str
    removed: bool = False
    raw: Mapping[str, object] = {}


class DeltaPage(Noun):
    """One page of ``messages/delta``; exactly one of the two links is set. Follow it verbatim."""

    messages: tuple[InboundMessage, ...]
    next_link: str | None = None
    delta_link: str | None = None


class DeltaExpiredError(Exception):
    """Graph answered 410: start anew from the watermark minus an overlap and de-duplicate."""


class HookReceipt(Noun):
    """Zapier's answer: accepted, never done."""

    http_status: int
    request_id: str | None = None


class Outlook(Protocol):
    """Reads a shared mailbox; writes nothing but our extended property onto our own drafts."""

    def conversation(self, conversation_id: str) -> Sequence[ThreadMessage]:
        """Return the conversation, oldest first, over all folders but drafts, deleted and junk."""
        ...

    def find_dispatched(
        self, *, key: str, conversation_id: str | None, marker: str, since: datetime
    ) -> Sequence[FoundDraft]:
        """Find drafts or sent mails of a work order: by extended property and by marker."""
        ...

    def mark_dispatched(self, message_id: str, key: str) -> None:
        """Put the extended property ``SwarmDispatchKey`` onto a draft (idempotent)."""
        ...

    def delta(self, link: str | None, *, since: datetime) -> DeltaPage:
        """Return the next page of new inbox messages; raises ``DeltaExpiredError`` on 410."""
        ...


class Monday(Protocol):
    """Reads contacts, deals and updates."""

    def contacts_by_email(self, addresses: Sequence[str]) -> Sequence[CrmItem]:
        """Return contacts whose e-mail column equals one of the addresses, case-insensitively."""
        ...

    def deals_of(self, contact_ids: Sequence[str]) -> Sequence[CrmItem]:
        """Return deals linked from these contacts, or linking to them."""
        ...

    def updates_of(self, item_ids: Sequence[str]) -> Sequence[CrmUpdate]:
        """Return the newest updates of these items, newest first."""
        ...


class NotSentError(Exception):
    """Proven not sent: DNS, connect refused, TLS failure, or 429. ``retry_after`` in seconds."""

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutcomeUnknownError(Exception):
    """The request may have been accepted: time-out, reset, 5xx, unreadable answer. Never resend."""


class DraftHook(Protocol):
    """The Catch Hook: one POST, one connection, no retries (publishing protocol)."""

    def post(self, payload: Mapping[str, str]) -> HookReceipt:
        """POST once. Raises ``NotSentError`` or ``OutcomeUnknownError``; never leaks the URL."""
        ...
