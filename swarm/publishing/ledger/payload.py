"""Payload v1: the flat, all-string JSON object both publishers post to the same hook.

Fields may be added, never renamed. What is stored lacks ``fence``, ``epoch`` and ``attempt``: they
exist from the claim on, and ``wire`` adds them. Pure; no database, no HTTP.
Source: publishing protocol, section 5.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from swarm.errors import MalformedInputError, RefusedError
from swarm.models import Address, Draft, MessageRef, Noun, WorkOrder, canonical_sha256
from swarm.patterns import linear
from swarm.publishing.ledger.marker import draft_marker

MAX_BYTES = 256 * 1024  # Zapier takes 2 MB raw and 6 MB per step; a mail of ours is far below

_UNSTORABLE = linear("[\x00\ud800-\udfff]")  # neither jsonb nor UTF-8 can carry these


class StoredPayload(Noun):
    """What will be posted, as approved: every byte of it is covered by ``digest()``."""

    schema_version: Literal["1"] = "1"
    idempotency_key: str = Field(description="The work-order key, whatever the draft's version")
    work_order_id: str
    mailbox: str
    message_id: str = Field(description="Immutable Graph id of the inbound message")
    message_id_rest: str = Field(description="The same as a REST id, when it is known")
    internet_message_id: str
    conversation_id: str
    reply_all: Literal["true", "false"]
    to: str = Field(description="Comma-separated addresses")
    cc: str = Field(description="Comma-separated addresses")
    subject: str
    body_html: str
    body_text: str
    body_sha256: str
    draft_marker: str
    auto_send: Literal["false"] = "false"
    created_at: str
    review_note: str = Field(
        default="", description="For the reviewer: who released it, why, which rules were taken on"
    )

    @model_serializer(mode="wrap")
    def _without_an_empty_note(self, dump: SerializerFunctionWrapHandler) -> dict[str, str]:
        """Leave an empty note out: nothing changes for what nobody released."""
        fields: dict[str, str] = dump(self)
        return {name: text for name, text in fields.items() if text or name != "review_note"}


def build_payload(
    work_order: WorkOrder,
    draft: Draft,
    *,
    at: datetime,
    message_id_rest: str = "",
    review_note: str = "",
) -> StoredPayload:
    """Build what will be posted for an offered draft of ours; raises as ``assemble`` does."""
    return assemble(
        work_order.key,
        work_order.original_id,
        work_order.ref,
        draft,
        at=at,
        message_id_rest=message_id_rest,
        review_note=review_note,
    )


def assemble(
    key: str,
    work_order_id: str,
    ref: MessageRef,
    draft: Draft,
    *,
    at: datetime,
    message_id_rest: str = "",
    review_note: str = "",
) -> StoredPayload:
    """Build payload v1, the one schema of both publishers.

    Raises ``RefusedError`` for a withheld or oversized draft, and ``MalformedInputError`` when the
    draft cannot be carried byte for byte or lacks the marker by which it is found again.
    """
    if not draft.offered:
        raise RefusedError("a withheld draft has nothing to publish", work_order=key)
    payload = StoredPayload(
        idempotency_key=key,
        work_order_id=work_order_id,
        mailbox=ref.mailbox,
        message_id=ref.message_id or "",
        message_id_rest=message_id_rest,
        internet_message_id=ref.internet_message_id or "",
        conversation_id=ref.conversation_id or "",
        reply_all="true" if len(draft.to) + len(draft.cc) > 1 else "false",
        to=_joined(draft.to, key),
        cc=_joined(draft.cc, key),
        subject=draft.subject,
        body_html=draft.body_html,
        body_text=draft.body_text,
        body_sha256=body_sha256(draft.body_text, draft.body_html),
        draft_marker=draft_marker(key),
        created_at=at.isoformat(),
        review_note=review_note,
    )
    _require_carriable(payload)
    return payload


def body_sha256(body_text: str, body_html: str) -> str:
    """Hash of the two bodies together."""
    return canonical_sha256({"body_text": body_text, "body_html": body_html})


def draft_sha256(payload: StoredPayload) -> str:
    """Recompute ``Draft.content_sha256`` from what will be posted (ES-17)."""
    return Draft(
        subject=payload.subject,
        body_text=payload.body_text,
        body_html=payload.body_html,
        to=_split(payload.to),
        cc=_split(payload.cc),
        author="payload",
    ).content_sha256


def wire(payload: StoredPayload, *, fence: int, epoch: int, attempt: int) -> dict[str, str]:
    """Return the JSON object to post for one claim: flat, all strings."""
    claim = {"fence": str(fence), "epoch": str(epoch), "attempt": str(attempt)}
    return {**payload.model_dump(), **claim}


def _joined(addresses: tuple[Address, ...], key: str) -> str:
    for address in addresses:
        if not address.plain:
            raise MalformedInputError("a recipient is not a plain address", work_order=key)
    return ",".join(address.address for address in addresses)


def _split(joined: str) -> tuple[Address, ...]:
    return tuple(Address(address=part) for part in joined.split(",") if part)


def _require_carriable(payload: StoredPayload) -> None:
    key = payload.idempotency_key
    if any(_UNSTORABLE.search(text) for text in payload.model_dump().values()):
        raise MalformedInputError("the draft holds characters no mail can carry", work_order=key)
    if not all(payload.draft_marker in body for body in _bodies(payload)):
        raise MalformedInputError("the draft does not carry its marker", work_order=key)
    if len(payload.model_dump_json().encode()) > MAX_BYTES:
        raise RefusedError("the draft is too large to publish", work_order=key)


def _bodies(payload: StoredPayload) -> list[str]:
    """The bodies a reader may get; a draft without any cannot be found again either."""
    return [body for body in (payload.body_text, payload.body_html) if body] or [""]
