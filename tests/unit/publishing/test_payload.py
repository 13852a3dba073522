"""Payload v1: flat, all strings, byte for byte what was judged, and never without its marker."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publishing_world import NOON, draft, key_of, payload, work_order
from pydantic import ValidationError

from swarm.errors import MalformedInputError, RefusedError
from swarm.models import Address, Draft
from swarm.publishing.ledger.marker import draft_marker, reference
from swarm.publishing.ledger.payload import StoredPayload, build_payload, draft_sha256, wire

KEY = key_of(1)

# The contract with the Zap and with legacy: fields may be added here, never renamed or removed.
FIELDS = {
    "schema_version", "idempotency_key", "fence", "epoch", "work_order_id", "attempt", "mailbox",
    "message_id", "message_id_rest", "internet_message_id", "conversation_id", "reply_all",
    "subject", "body_html", "body_text", "body_sha256", "draft_marker", "auto_send", "created_at",
}  # fmt: skip


def spoiled(**changes: object) -> Draft:
    return draft(KEY).model_copy(update=changes)


def test_what_is_posted_is_flat_and_all_strings_and_has_every_field() -> None:
    posted = wire(payload(KEY), fence=3, epoch=7, attempt=2)
    assert set(posted) >= FIELDS
    assert all(isinstance(value, str) for value in posted.values())
    assert (posted["fence"], posted["epoch"], posted["attempt"]) == ("3", "7", "2")
    assert json.loads(json.dumps(posted)) == posted


def test_the_key_of_a_publication_is_the_work_order_whatever_the_draft_says() -> None:
    assert payload(KEY).idempotency_key == payload(KEY, "Another version.").idempotency_key == KEY


def test_auto_send_can_be_nothing_but_false() -> None:
    with pytest.raises(ValidationError):
        StoredPayload.model_validate({**payload(KEY).model_dump(), "auto_send": "true"})


printable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(subject=printable, text=printable, to=st.lists(st.emails(), max_size=3))
def test_the_judged_hash_can_be_recomputed_from_what_is_posted(
    subject: str, text: str, to: list[str]
) -> None:
    """ES-17: published bytes are approved bytes, recipients included."""
    plain = [a for a in to if not set(a) & set(',;<>" ')]
    judged = spoiled(
        subject=subject,
        body_text=f"{text}\n{draft_marker(KEY)}",
        to=tuple(Address(address=address) for address in plain),
    )
    built = build_payload(work_order(KEY), judged, at=NOON)
    stored = StoredPayload.model_validate(json.loads(built.model_dump_json()))
    assert draft_sha256(stored) == judged.content_sha256


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"withheld": "the tier is ESCALATE"}, RefusedError),
        ({"body_text": "no marker"}, MalformedInputError),
        ({"body_html": "<p>no marker</p>"}, MalformedInputError),
        ({"body_text": "", "body_html": ""}, MalformedInputError),
        ({"subject": "a\x00b"}, MalformedInputError),
        ({"subject": "a\ud800b"}, MalformedInputError),
        ({"to": (Address(address="a@example.com,b@example.com"),)}, MalformedInputError),
        ({"cc": (Address(address="Eve <eve@example.com>"),)}, MalformedInputError),
        ({"body_text": "x" * 300_000 + draft_marker(KEY)}, RefusedError),
    ],
)
def test_a_draft_that_cannot_be_carried_is_refused(
    changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        build_payload(work_order(KEY), spoiled(**changes), at=NOON)


@pytest.mark.parametrize(
    ("to", "cc", "reply_all"), [(1, 0, "false"), (1, 1, "true"), (2, 0, "true"), (0, 0, "false")]
)
def test_reply_all_says_whether_more_than_one_person_is_answered(
    to: int, cc: int, reply_all: str
) -> None:
    people = [Address(address=f"{n}@example.com") for n in range(4)]
    judged = spoiled(to=tuple(people[:to]), cc=tuple(people[3 : 3 + cc]))
    assert build_payload(work_order(KEY), judged, at=NOON).reply_all == reply_all


def test_the_marker_is_a_reference_a_customer_can_quote() -> None:
    assert reference("wo_abcdefgh" + "i" * 16) == "SW-ABCDEFGH"
    assert draft_marker("wo_abcdefgh" + "i" * 16) == "Ref: SW-ABCDEFGH"
