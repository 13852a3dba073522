"""The event chain (ES-23): hashing an event onto its predecessor, and verifying a chain.

Pure functions. Writing events is the business of the stores; what an event says, of its writer.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pydantic import JsonValue

from swarm.models import Event, StoredEvent, canonical_sha256

GENESIS = "0" * 64
"""What the first event of every work order names as its predecessor."""


def link(
    event: Event,
    *,
    key: str,
    previous_seq: int,
    previous_hash: str,
    run_id: str,
    attempt: int,
    at: datetime,
) -> StoredEvent:
    """Return the event as it stands in the chain right after ``previous_seq``."""
    unsealed = StoredEvent(
        **event.model_dump(),
        work_order_key=key,
        seq=previous_seq + 1,
        attempt=attempt,
        run_id=run_id,
        at=at.astimezone(UTC),
        previous_hash=previous_hash,
        hash="",
    )
    return unsealed.model_copy(update={"hash": event_hash(unsealed)})


def event_hash(event: StoredEvent) -> str:
    """Sha256 over everything the event says and where it stands, its own hash excepted."""
    body = event.model_dump(mode="json", exclude={"hash", "at"})
    body["at"] = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    return canonical_sha256({name: _as_read_back(value) for name, value in body.items()})


def verify_chain(events: Sequence[StoredEvent]) -> tuple[str, ...]:
    """Return what is wrong with a whole chain, oldest first; empty means gapless and untouched."""
    problems: list[str] = []
    previous, expected = GENESIS, 1
    for event in events:
        if event.seq != expected:
            problems.append(f"event {expected} is missing: {event.seq} stands in its place")
        if event.previous_hash != previous:
            problems.append(f"event {event.seq} does not follow its predecessor")
        if event.hash != event_hash(event):
            problems.append(f"event {event.seq} was changed after it was written")
        previous, expected = event.hash, event.seq + 1
    return tuple(problems)


def _as_read_back(value: JsonValue) -> JsonValue:
    # jsonb keeps numbers as decimals: 1e16 comes back as an integer and -0.0 as 0.0, so a whole
    # number is hashed as an integer, whichever way it was written.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _as_read_back(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_as_read_back(part) for part in value]
    return value
