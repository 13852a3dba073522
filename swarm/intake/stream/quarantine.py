"""Lines nobody could act on: listed, looked at, and set aside by a person.

One alert tells of all open lines of a generation: its number follows theirs, and it is settled when
none is left. What lives elsewhere: why a line is bad (``line``), reading lines again (``replay``).
"""

from collections.abc import Sequence
from datetime import datetime

from swarm.errors import MalformedInputError
from swarm.models import Noun
from swarm.patterns import linear
from swarm.store.alerts import raise_growing, resolve
from swarm.store.database import Connection

KIND = "intake.quarantined"

_LINES = """
SELECT stream, generation, byte_offset, length, sha256, reason, at,
       discarded_at, discarded_by, discard_reason
  FROM quarantine
 WHERE stream = ANY(%(streams)s) AND (%(everything)s OR discarded_at IS NULL)
 ORDER BY stream DESC, generation, byte_offset
"""

_ONE = """
SELECT stream, generation, byte_offset, length, sha256, reason, at,
       discarded_at, discarded_by, discard_reason, head
  FROM quarantine
 WHERE stream = %(stream)s AND generation = %(generation)s AND byte_offset = %(offset)s
"""

_DISCARD = """
UPDATE quarantine
   SET discarded_at = now(), discarded_by = %(who)s, discard_reason = %(why)s
 WHERE stream = %(stream)s AND generation = %(generation)s AND byte_offset = %(offset)s
   AND discarded_at IS NULL
"""

_OPEN_BY_REASON = """
SELECT reason, count(*) AS lines FROM quarantine
 WHERE stream = %s AND generation = %s AND discarded_at IS NULL
 GROUP BY reason ORDER BY lines DESC, reason
"""

_PLACE = linear(r"([^:\s]{1,200}):(\d{1,9}):(\d{1,18})")
_TOLD = 5  # reasons named in an alert


class BadLine(Noun):
    """One line in quarantine. ``place`` names it: stream, generation and byte offset."""

    stream: str
    generation: int
    byte_offset: int
    length: int
    sha256: str
    reason: str
    at: datetime
    discarded_at: datetime | None = None
    discarded_by: str | None = None
    discard_reason: str | None = None

    @property
    def place(self) -> str:
        """The name a person gives to the commands."""
        return f"{self.stream}:{self.generation}:{self.byte_offset}"


class ShownLine(BadLine):
    """A line with its first bytes: for the person who asks, never for a log."""

    head: bytes


def bad_lines(connection: Connection, *streams: str, everything: bool = False) -> Sequence[BadLine]:
    """Return the open lines of streams, with ``everything`` the discarded ones too."""
    found = connection.execute(_LINES, {"streams": [*streams], "everything": everything})
    return tuple(BadLine.model_validate(row) for row in found)


def bad_line(connection: Connection, place: str) -> ShownLine:
    """Return the line at a place; raises ``MalformedInputError`` when none is in quarantine."""
    row = connection.execute(_ONE, _named(place)).fetchone()
    if row is None:
        raise MalformedInputError("no line is in quarantine there", hint="swarm quarantine list")
    return ShownLine.model_validate(row)


def discard(connection: Connection, place: str, *, who: str, why: str) -> bool:
    """Leave a line out for good, by a person's word; False: it was discarded or read before."""
    named = _named(place)
    done = connection.execute(_DISCARD, {**named, "who": who, "why": why}).rowcount == 1
    if done:
        tell(connection, str(named["stream"]), int(str(named["generation"])))
    return done


def tell(connection: Connection, stream: str, generation: int) -> None:
    """Bring the alert of a generation up to date: raised, grown, or settled."""
    found = connection.execute(_OPEN_BY_REASON, (stream, generation)).fetchall()
    subject, total = f"{stream}:{generation}", sum(row["lines"] for row in found)
    if not total:
        resolve(connection, KIND, subject)
        return
    reasons = ", ".join(f"{row['reason']} x{row['lines']}" for row in found[:_TOLD])
    detail = f"{total} bad lines: {reasons}; `swarm quarantine list`"
    raise_growing(connection, KIND, subject, detail, total=total)


def _named(place: str) -> dict[str, object]:
    parts = _PLACE.fullmatch(place)
    if parts is None:
        raise MalformedInputError(
            f"{place!r} names no line", hint="a place is STREAM:GENERATION:BYTE, as the list says"
        )
    return {"stream": parts[1], "generation": int(parts[2]), "offset": int(parts[3])}
