"""The event chain (ES-23): hashing an event onto its predecessor, and verifying a chain.

Pure functions. Writing events is the business of the stores; what an event says, of its writer.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from swarm.models import Event, StoredEvent, canonical_sha256

GENESIS = "0" * 64
"""What the first event of every work order names as its predecessor."""

_HASHED = tuple(sorted(set(StoredEvent.model_fields) - {"hash", "at"}))


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
    return row_hash(event.model_dump(mode="json") | {"at": event.at})


def row_hash(row: Mapping[str, Any]) -> str:
    """Return ``event_hash`` of an event as a row: an audit of millions builds no nouns of them."""
    body = {name: _as_read_back(row[name]) for name in _HASHED}
    body["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return canonical_sha256(body)


def verify_chain(events: Sequence[StoredEvent]) -> tuple[str, ...]:
    """Return what is wrong with a whole chain, oldest first; empty means gapless and untouched."""
    return verify_rows([event.model_dump(mode="json") | {"at": event.at} for event in events])


def verify_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what ``verify_chain`` does, for events as rows."""
    problems: list[str] = []
    previous, expected = GENESIS, 1
    for row in rows:
        if row["seq"] != expected:
            problems.append(f"event {expected} is missing: {row['seq']} stands in its place")
        if row["previous_hash"] != previous:
            problems.append(f"event {row['seq']} does not follow its predecessor")
        if row["hash"] != row_hash(row):
            problems.append(f"event {row['seq']} was changed after it was written")
        previous, expected = row["hash"], row["seq"] + 1
    return tuple(problems)


def _as_read_back(value: JsonValue) -> JsonValue:
    # jsonb keeps numbers as decimals: 1e16 comes back as an integer and -0.0 as 0.0, so a whole
    # number is hashed as an integer, whichever way it was written.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _as_read_back(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_as_read_back(part) for part in value]
    return value
