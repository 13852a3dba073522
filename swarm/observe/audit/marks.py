"""The high-water mark: the last clean audit, kept in a table of its own, and itself checked.

A mark says how many rows there were, how the schema was laid down, and from which transaction on
everything counts as new. What was there may be more later, never less; so a log, the alerts or
whole work orders that were taken out show although nothing that is left is wrong. Marks are chained
by hash and numbered without a gap; and the installation that wrote the last one remembers it in a
file (``anchor``), which whoever can write to the database alone cannot change.

Against somebody who may write everything, hashes included, this proves nothing; it is made for
mistakes, for repairs by hand, and for those who may write a part.
"""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from psycopg.types.json import Jsonb
from pydantic import ValidationError

from swarm.models import Noun, canonical_sha256
from swarm.observe.audit.findings import Violation
from swarm.observe.audit.report import Scope
from swarm.store.database import Connection, Database
from swarm.store.event_chain import GENESIS

_LOCK = 7002  # one writer of marks at a time; 7000 is the migrator, 7001 the publisher switch

_MARKS = """
SELECT id, at, scope, cluster, horizon, counts, laid_down, actor, reason, previous_hash, hash
  FROM audit_mark ORDER BY id
"""

_INSERT = """
INSERT INTO audit_mark (id, at, scope, cluster, horizon, counts, laid_down, actor, reason,
                        previous_hash, hash)
VALUES (%(id)s, %(at)s, %(scope)s, %(cluster)s, %(horizon)s, %(counts)s, %(laid_down)s, %(actor)s,
        %(reason)s, %(previous_hash)s, %(hash)s)
"""

# `horizon`: every transaction with a smaller number had ended when this statement began.
_HERE = """
SELECT CASE WHEN has_function_privilege('pg_control_system()', 'execute')
            THEN (SELECT system_identifier::text FROM pg_control_system()) ELSE '' END AS cluster,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon, clock_timestamp() AS at
"""


class Here(Noun):
    """Which database this is, and where its transactions stand."""

    cluster: str
    horizon: int
    at: datetime


class Mark(Noun):
    """One clean audit. Made by ``new_mark``; its hash covers everything it says."""

    id: int
    at: datetime
    scope: Scope
    cluster: str
    horizon: int
    counts: Mapping[str, int]
    laid_down: Mapping[str, str]
    actor: str
    reason: str
    previous_hash: str
    hash: str

    def sealed(self) -> "Mark":
        """Return the mark with its hash."""
        body = self.model_dump(mode="json", exclude={"hash", "at"})
        body["at"] = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return self.model_copy(update={"hash": canonical_sha256(body)})


class Anchor(Noun):
    """What the installation remembers of the last mark it wrote."""

    cluster: str
    id: int
    hash: str


def here(connection: Connection) -> Here:
    """Return which database this is and where its transactions stand, as this snapshot sees it."""
    return Here.model_validate(connection.execute(_HERE).fetchone())


def read_marks(connection: Connection) -> tuple[Mark, ...]:
    """Return every mark, oldest first."""
    return tuple(Mark.model_validate(row) for row in connection.execute(_MARKS))


def check_marks(marks: tuple[Mark, ...], anchor: Anchor | None, here: Here) -> Iterator[Violation]:
    """Yield what is wrong with the marks themselves, from the last on that a person accepted."""
    accepted = max((place for place, mark in enumerate(marks) if mark.reason), default=0)
    previous, number = GENESIS, 1
    for place, mark in enumerate(marks[accepted:]):
        begins = place == 0 and mark.reason
        if not begins and (mark.id != number or mark.previous_hash != previous):
            yield Violation(6, "mark_broken", f"mark {mark.id} does not follow the one before")
        if mark.sealed().hash != mark.hash:
            yield Violation(6, "mark_broken", f"mark {mark.id} was changed after it was written")
        previous, number = mark.hash, mark.id + 1
    if anchor is None or anchor.cluster != here.cluster:
        return  # never a mark, or another server
    if not any(mark.id == anchor.id and mark.hash == anchor.hash for mark in marks):
        said = f"mark {anchor.id}, which this installation wrote, is not in the database"
        yield Violation(6, "mark_broken", said)


def write_mark(database: Database, mark: Mark) -> Mark | None:
    """Keep a mark as the next one; None when another audit was quicker."""
    with database.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        marks = read_marks(connection)
        if marks and marks[-1].at >= mark.at:
            return None
        place = {
            "id": marks[-1].id + 1 if marks else 1,
            "previous_hash": marks[-1].hash if marks else GENESIS,
        }
        kept = mark.model_copy(update=place).sealed()
        row = kept.model_dump() | {
            "counts": Jsonb(dict(kept.counts)),
            "laid_down": Jsonb(dict(kept.laid_down)),
        }
        connection.execute(_INSERT, row)
        return kept


# --- the file beside it ---------------------------------------------------------------------------


def read_anchor(path: Path) -> Anchor | None:
    """Return what the installation remembers; None when it never wrote a mark."""
    try:
        return Anchor.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        return Anchor(cluster="", id=0, hash="unreadable")


def write_anchor(path: Path, mark: Mark) -> None:
    """Remember the mark; written aside and renamed, so that it is there whole or as before."""
    anchor = Anchor(cluster=mark.cluster, id=mark.id, hash=mark.hash)
    aside = path.with_suffix(".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with aside.open("w", encoding="utf-8") as file:
        json.dump(anchor.model_dump(), file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
