"""The daily proof that today's path could take over: alive, not behind, and a dry run to the brim.

The dry run takes the newest work order through legacy's own stages and through the shim up to the
bytes that would be posted, and posts nothing: no hook is held here. Kept for ever in
the table ``legacy_proof``, in numbers; an unproven day is alerted. What lives elsewhere: what
follows from proofs (``countdown``), when one is due (``swarm_assets.sensors.standby``).
"""

import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from psycopg.types.json import Jsonb
from pydantic import AwareDatetime

from swarm.errors import PermanentError
from swarm.legacy.home import LegacyFiles
from swarm.legacy.pipeline_daemon import outbox_line
from swarm.legacy.publish_sender import read_item
from swarm.legacy.publishing.shim import OutboxItem, key_of, payload_of
from swarm.legacy.standby.countdown import utc_day
from swarm.legacy.standby.heartbeats import Heartbeat, complaints, read_heartbeats
from swarm.models import Noun
from swarm.publishing.control import read_control
from swarm.publishing.ledger.payload import wire
from swarm.store.alerts import raise_growing, resolve
from swarm.store.database import Connection, Database

UNPROVEN = "legacy.unproven"
_SUBJECT = "legacy"

# At a second's polling a daemon that lives is behind by what came in that second: a few mails.
LAG_LIMIT_BYTES = 1 << 20

_TAIL_BYTES, _TAIL_LINES = 8 << 20, 50

_STORE = """
INSERT INTO legacy_proof (day, at, epoch, holds, reasons, evidence)
VALUES (%(day)s, %(at)s, %(epoch)s, %(holds)s, %(reasons)s, %(evidence)s)
"""

# A day is due when it is over, or was tried for six hours: at a first start nothing can be proven.
_UNPROVEN_DAYS = """
SELECT count(*)::int AS days FROM (
    SELECT day, min(at) AS tried_first FROM legacy_proof
     WHERE day > coalesce((SELECT max(day) FROM legacy_proof WHERE holds), '-infinity')
     GROUP BY day) unproven
 WHERE day < %(day)s OR tried_first <= %(at)s - interval '6 hours'
"""

_PROVEN = "SELECT 1 FROM legacy_proof WHERE day = %s AND holds LIMIT 1"


class DryRun(Noun):
    """What legacy would do with the newest work orders. ``problem`` empty: it would publish.

    ``work_orders`` were looked at, ``drafts`` of them it would draft.
    """

    work_orders: int = 0
    drafts: int = 0
    payload_bytes: int = 0
    problem: str = ""


class ProofEvidence(Noun):
    """What a proof rests on; numbers only."""

    heartbeats: tuple[Heartbeat, ...]
    dry_run: DryRun


class Proof(Noun):
    """The proof of one day: it holds when there is no reason against it."""

    day: date
    at: AwareDatetime
    epoch: int
    reasons: tuple[str, ...]
    evidence: ProofEvidence

    @property
    def holds(self) -> bool:
        """Whether legacy could take over."""
        return not self.reasons


def prove(
    database: Database, files: LegacyFiles, *, secret: str, signature: str, now: datetime
) -> Proof:
    """Take the proof of ``now``'s day, store it, and alert or settle; several a day may be taken.

    ``secret`` makes the keys, ``signature`` closes legacy's drafts. Raises
    ``DatabaseUnavailableError``: then there is no proof.
    """
    evidence = ProofEvidence(
        heartbeats=read_heartbeats(files, now), dry_run=dry_run(files, secret, signature)
    )
    reasons = shortcomings(evidence)
    with database.transaction() as connection:
        epoch = read_control(connection).epoch
        proof = Proof(day=utc_day(now), at=now, epoch=epoch, reasons=reasons, evidence=evidence)
        _store(connection, proof)
    return proof


def proven(connection: Connection, day: date) -> bool:
    """Whether a proof of this day holds."""
    return connection.execute(_PROVEN, (day,)).fetchone() is not None


def shortcomings(evidence: ProofEvidence) -> tuple[str, ...]:
    """Return every reason why legacy could not take over; pure."""
    return tuple(_shortcomings(evidence))


def dry_run(files: LegacyFiles, secret: str, signature: str) -> DryRun:
    """Take the newest work orders up to the bytes that would be posted, and post nothing."""
    lines = _newest(files.work_orders)
    items = [item for line in lines if (item := _decided(line, signature)) is not None]
    if not items:
        return DryRun(problem="there is no work order to try it on")
    drafted = [item for item in items if not item.refused]
    counts = {"work_orders": len(items), "drafts": len(drafted)}
    if not drafted:
        return DryRun(**counts)
    try:
        body = _would_post(drafted[-1], secret)
    except PermanentError as error:
        return DryRun(**counts, problem=f"the newest draft cannot be published: {error.message}")
    return DryRun(**counts, payload_bytes=sum(len(value.encode()) for value in body.values()))


def _would_post(item: OutboxItem, secret: str) -> dict[str, str]:
    key = key_of(secret, item)
    return wire(payload_of(key, item), fence=1, epoch=0, attempt=1)


def _decided(line: bytes, signature: str) -> OutboxItem | None:
    """What the pipeline daemon would write and the sender would read."""
    entry = outbox_line(line, signature)
    return None if entry is None else read_item(entry.rstrip(b"\n"))


def _newest(stream: Path) -> list[bytes]:
    """Return the last complete lines of a stream, oldest first."""
    try:
        with stream.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    whole = lines[1:] if start else lines  # the first may have been cut
    return [line for line in whole if line][-_TAIL_LINES:]


def _shortcomings(evidence: ProofEvidence) -> Iterator[str]:
    for beat in evidence.heartbeats:
        yield from complaints(beat)
        if beat.lag_bytes > LAG_LIMIT_BYTES:
            yield f"{beat.program} is {beat.lag_bytes} bytes behind"
        if beat.connected is False:
            yield f"{beat.program} does not reach the ledger"
    if evidence.dry_run.problem:
        yield f"dry run: {evidence.dry_run.problem}"


def _store(connection: Connection, proof: Proof) -> None:
    columns = {
        "day": proof.day,
        "at": proof.at,
        "epoch": proof.epoch,
        "holds": proof.holds,
        "reasons": Jsonb(list(proof.reasons)),
        "evidence": Jsonb(proof.evidence.model_dump(mode="json")),
    }
    connection.execute(_STORE, columns)
    if proof.holds:
        resolve(connection, UNPROVEN, _SUBJECT)
    else:
        _alert(connection, proof)


def _alert(connection: Connection, proof: Proof) -> None:
    """Tell of each unproven day once, when it is due, however often it was tried."""
    row = connection.execute(_UNPROVEN_DAYS, {"day": proof.day, "at": proof.at}).fetchone()
    if row and row["days"]:  # none: it is not due, or was proven and this was asked for once more
        reasons = "; ".join(proof.reasons)
        raise_growing(connection, UNPROVEN, _SUBJECT, reasons, total=row["days"])
