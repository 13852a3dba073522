"""What the pipeline asks of the three services.

The real clients are on httpx in this folder; tests and the sandbox exercise those same clients over
real HTTP, never a mock of these protocols' results.

Every method raises ``RemoteUnavailableError`` / ``RateLimitedError`` (transient) or
``RemoteRefusedError`` (permanent); idempotent reads are retried inside the client first. What a
service lists comes as a ``lenient.Listing`` when a part of it could not be read. Whatever a service
sends, nothing but these errors and those below leaves a client.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from swarm.errors import (
    RemoteRefusedError,
    RemoteUnavailableError,
    SwarmError,
    TransientError,
)
from swarm.models import Attachment, CrmItem, CrmUpdate, Noun, ThreadMessage


class FoundDraft(Noun):
    """A message in the mailbox that carries our marker, wherever a person may have moved it.

    ``web_link`` opens it in Outlook on the web; empty when Graph gave none that is one.
    """

    message_id: str
    folder: str
    is_draft: bool
    created_at: datetime
    web_link: str = ""


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


class ConversationMessage(Noun):
    """A message of a conversation with what it is now: a draft, sent, thrown away.

    ``folder`` is a well-known name or an id; ``text`` the message's own part; ``recipients`` are
    lower-cased. Graph's times end at the second.
    """

    message_id: str
    folder: str
    is_draft: bool
    from_us: bool
    recipients: tuple[str, ...]
    text: str
    at: datetime
    modified_at: datetime


class InboundMessage(Noun):
    """A message of a delta page as Graph gave it; ``removed`` items carry only their id.

    ``unread`` names fields that were there and could not be read; ``raw`` goes without them, so
    whoever judges the message must know that it is not all of it.
    """

    message_id: str
    removed: bool = False
    raw: Mapping[str, object] = {}
    unread: tuple[str, ...] = ()


class DeltaPage(Noun):
    """One page of ``messages/delta``. Follow its one link verbatim; without a readable one the
    place is lost, and reading starts again from the watermark.
    """

    messages: tuple[InboundMessage, ...]
    next_link: str | None = None
    delta_link: str | None = None


class DeltaExpiredError(RemoteRefusedError):
    """A link leads nowhere any more: start anew from the watermark minus an overlap.

    Permanent, since following this link again changes nothing.
    """

    def __init__(self, message: str = "the delta link leads nowhere any more") -> None:
        super().__init__(message)


class AttachmentsUnknownError(RemoteUnavailableError):
    """The attachments of this one message could not be listed: the message goes on without them.

    Somebody must look at the message, since nobody knows what it brought.
    """

    def __init__(self, message: str, *, message_id: str) -> None:
        super().__init__(message)
        self.message_id = message_id


class Enclosure(Noun):
    """An attachment as it lies in the mailbox: its label, and the id to fetch it by."""

    attachment_id: str
    label: Attachment


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
        """Return the next page of new inbox messages; raises ``DeltaExpiredError``."""
        ...

    def enclosures(self, message_id: str) -> Sequence[Enclosure]:
        """Return a message's attachments; raises ``AttachmentsUnknownError``."""
        ...

    def attachment_bytes(self, message_id: str, attachment_id: str, *, most_bytes: int) -> bytes:
        """Return an attachment's content; raises for one that is larger than ``most_bytes``."""
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


class NotSentError(TransientError):
    """Proven not sent: DNS, connect refused, TLS failure, or 429. ``retry_after`` in seconds."""

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutcomeUnknownError(SwarmError):
    """The request may have been accepted: time-out, reset, 5xx, unreadable answer. Never resend.

    Neither transient nor permanent, so that no layer that tries again ever takes it for its own.
    """


class DraftHook(Protocol):
    """The Catch Hook: one POST, one connection, no retries (publishing protocol)."""

    def post(self, payload: Mapping[str, str]) -> HookReceipt:
        """POST once. Raises ``NotSentError`` or ``OutcomeUnknownError``; never leaks the URL."""
        ...
