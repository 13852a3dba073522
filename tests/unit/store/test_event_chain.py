"""The chain tells of every change, gap and reordering (ES-23)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.models import Event, StoredEvent
from swarm.store.event_chain import GENESIS, link, verify_chain

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def chain(*details: dict[str, object]) -> list[StoredEvent]:
    events: list[StoredEvent] = []
    for number, detail in enumerate(details or ({}, {"a": 1}, {"b": [1.5]})):
        events.append(
            link(
                Event.model_validate({"kind": "k", "actor": "a", "detail": detail}),
                key="wo_" + "a" * 24,
                previous_seq=number,
                previous_hash=events[-1].hash if events else GENESIS,
                run_id="run-1",
                attempt=1,
                at=NOON + timedelta(seconds=number),
            )
        )
    return events


def test_an_untouched_chain_is_valid() -> None:
    assert verify_chain(chain()) == ()
    assert verify_chain([]) == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"detail": {"a": 2}},
        {"kind": "other"},
        {"actor": "somebody"},
        {"cost": 0.5},
        {"duration_ms": 7},
        {"attempt": 2},
        {"run_id": "run-2"},
        {"at": NOON},
        {"work_order_key": "wo_" + "b" * 24},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_changed_event_is_noticed(changed: dict[str, object]) -> None:
    first, second, third = chain()
    spoiled = [first, second.model_copy(update=changed), third]
    assert verify_chain(spoiled) == ("event 2 was changed after it was written",)


def test_a_missing_event_is_named() -> None:
    first, _, third = chain()
    assert verify_chain([first, third])[0] == "event 2 is missing: 3 stands in its place"


def test_a_rewritten_event_breaks_the_link_to_the_next() -> None:
    first, _, third = chain()
    forged = link(
        Event(kind="k", actor="a", detail={"a": 2}),
        key=first.work_order_key,
        previous_seq=1,
        previous_hash=first.hash,
        run_id="run-1",
        attempt=1,
        at=NOON,
    )
    assert verify_chain([first, forged, third]) == ("event 3 does not follow its predecessor",)


def test_the_same_moment_in_another_zone_hashes_alike() -> None:
    first = chain()[0]
    elsewhere = first.model_copy(update={"at": NOON.astimezone(timezone(timedelta(hours=2)))})
    assert verify_chain([elsewhere]) == ()


@given(st.lists(st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False))))
def test_numbers_hash_alike_however_a_database_writes_them(details: list[dict[str, float]]) -> None:
    events = chain(*details) if details else []
    as_read = [
        event.model_copy(
            update={
                "detail": {
                    k: int(v) if isinstance(v, float) and v.is_integer() else v
                    for k, v in event.detail.items()
                }
            }
        )
        for event in events
    ]
    assert verify_chain(as_read) == ()
