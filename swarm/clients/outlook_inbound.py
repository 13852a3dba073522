"""New mail of a delta page: each item for itself, so that an odd one costs neither page nor mail.

A field of the wrong type is taken out and named; the message goes on, marked as not all of it. An
item without an id is named by its content, so that it comes in once however often it is shown.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import cast

from pydantic import JsonValue

from swarm.clients.lenient import moment
from swarm.clients.protocol import InboundMessage
from swarm.models import canonical_sha256

WITHOUT_ID = "id"  # named among what was unread: nobody can ask Graph about this message

_BOOLEANS = ("isRead", "isDraft", "hasAttachments")
_TEXTS = (
    "conversationId", "internetMessageId", "subject", "parentFolderId", "sentDateTime",
)  # fmt: skip


def inbound_message(item: object, *, now: datetime | None = None) -> InboundMessage:
    """Return a delta item, whatever it is; what could not be read is named in ``unread``.

    Without a readable date of receipt it counts as received when it was sent, else just now.
    """
    fields = item if isinstance(item, dict) else {}
    given = fields.get("id")
    named = isinstance(given, str) and given != ""
    message_id = (
        str(given) if named else f"without-id-{canonical_sha256(cast('JsonValue', item))[:32]}"
    )
    if "@removed" in fields:
        return InboundMessage(message_id=message_id, removed=True)
    raw: dict[str, object] = {**fields, **_booleans(fields)}
    unread = [name for name in raw if not _readable(name, raw[name])]
    for name in unread:
        del raw[name]
    if not named:
        unread.append(WITHOUT_ID)
    if moment(raw.get("receivedDateTime")) is None:
        sent = moment(raw.get("sentDateTime"))
        raw["receivedDateTime"] = (sent or now or datetime.now(UTC)).isoformat()
        unread.append("receivedDateTime")
    return InboundMessage(message_id=message_id, raw=raw, unread=tuple(unread))


def _booleans(item: Mapping[str, object]) -> dict[str, object]:
    """Graph's own sample shows ``"isRead": "true"`` as a string."""
    told = {name: item[name] for name in _BOOLEANS if isinstance(item.get(name), str)}
    return {name: str(value).lower() == "true" for name, value in told.items()}


def _readable(name: str, value: object) -> bool:
    """Whether a field is null, unknown to us, or of the type it is read as."""
    return value is None or name not in _CHECKS or _CHECKS[name](value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_person(value: object) -> bool:
    email = value.get("emailAddress") if isinstance(value, dict) else None
    return isinstance(email, dict) and _texts(email, "address", "name")


def _is_body(value: object) -> bool:
    return isinstance(value, dict) and _texts(value, "content", "contentType")


def _are_people(value: object) -> bool:
    return isinstance(value, list) and all(_is_person(each) for each in value)


def _are_headers(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _texts(value: Mapping[str, object], *names: str) -> bool:
    return all(isinstance(value.get(name), str | None) for name in names)


_CHECKS: Mapping[str, Callable[[object], bool]] = {
    **dict.fromkeys(_BOOLEANS, _is_boolean),
    **dict.fromkeys(_TEXTS, _is_text),
    **dict.fromkeys(("from", "sender"), _is_person),
    **dict.fromkeys(("replyTo", "toRecipients", "ccRecipients"), _are_people),
    "internetMessageHeaders": _are_headers,
    "body": _is_body,
}
