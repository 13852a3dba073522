"""What the event chain of a work order says, against its row: pure.

The chain is the story; the row is its summary. A state, a tier or a head that the story does not
tell was written past it. Follows the moves as they stand in the chain, so a new kind of move needs
no new list here: an event ``work_order.X`` is a move to X, or to its ``to``.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from swarm.models import Tier, WorkOrderState
from swarm.observe.audit.findings import Violation
from swarm.observe.audit.stored import Stored
from swarm.store.database import Row
from swarm.store.event_chain import GENESIS, verify_rows

_STATES: Final = frozenset(WorkOrderState)
_LIVE: Final = frozenset({WorkOrderState.ACCEPTED, WorkOrderState.RUNNING})


def check(stored: Stored) -> Iterator[Violation]:
    """Yield where chain and row of a work order disagree."""
    for problem in verify_rows(stored.events):
        yield Violation(6, "chain", problem)
    if stored.order is None:
        return
    yield from _head(stored.order, stored.events)
    yield from _state(stored.order, stored.events)
    yield from _tier(stored.order, stored.events)
    yield from _releases(stored.releases, stored.events)


def _head(order: Row, events: Sequence[Row]) -> Iterator[Violation]:
    head = (events[-1]["seq"], events[-1]["hash"]) if events else (0, GENESIS)
    if head != (order["chain_seq"], order["chain_hash"]):
        said = f"the chain ends at event {head[0]}, its head says {order['chain_seq']}"
        yield Violation(6, "chain", said)
    if not events and order["state"] not in {"accepted", "held"}:
        yield Violation(6, "chain", f"{order['state']} without a single event")


def _state(order: Row, events: Sequence[Row]) -> Iterator[Violation]:
    stood = str(WorkOrderState.ACCEPTED)
    for event in events:
        to = _moved_to(event)
        if to is None:
            continue
        came_from = event["detail"].get("from")
        if came_from is not None and not _same(came_from, stood):
            said = f"event {event['seq']} moves from {came_from}, but the chain stood at {stood}"
            yield Violation(6, "impossible_move", said)
        stood = to
    if not _same(order["state"], stood):
        yield Violation(6, "state_not_in_chain", f"{order['state']}, but the chain says {stood}")


def _moved_to(event: Row) -> str | None:
    kind = str(event["kind"])
    if not kind.startswith("work_order."):
        return None
    named = kind.removeprefix("work_order.")
    to = named if named in _STATES else event["detail"].get("to")
    return to if to in _STATES else None


def _same(state: str, other: str) -> bool:
    """Between accepted and running the run events tell the story; neither has one of its own."""
    return state == other or (state in _LIVE and other in _LIVE)


def _tier(order: Row, events: Sequence[Row]) -> Iterator[Violation]:
    told = [event["detail"].get("to") for event in events if event["kind"] == "tier.raised"]
    name = told[-1] if told else Tier.ROUTINE.name
    if Tier(order["tier"]).name != name:
        said = f"tier {Tier(order['tier']).name}, but the chain says {name} (ES-02)"
        yield Violation(4, "tier_not_in_chain", said)


def _releases(releases: Sequence[Row], events: Sequence[Row]) -> Iterator[Violation]:
    told = sum(event["kind"] == "work_order.released" for event in events)
    if told != len(releases):
        said = f"the chain tells of {told} releases, {len(releases)} are on record"
        yield Violation(6, "release_not_on_record", said)
