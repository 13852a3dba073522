"""Tombstones as the database holds them: the truth, of which the file is a copy.

What lives elsewhere: what a tombstone is, and the file (``tombstones``).
"""

from collections.abc import Collection
from datetime import datetime

from swarm.store.database import Connection


class Buried:
    """One erasure, as those who meet its tombstone are told of it."""

    def __init__(self, number: int, actor: str, at: datetime) -> None:
        self.number = number
        self.sentence = f"erased on {at:%Y-%m-%d} by {actor} (erasure {number})"


_BURY = """
INSERT INTO tombstone (hash, erasure) SELECT unnest(%s::text[]), %s ON CONFLICT DO NOTHING
"""

_KNOWN = "SELECT hash FROM tombstone WHERE hash = ANY(%s)"

_ERASURE = """
SELECT e.id, e.actor, e.began_at FROM tombstone t JOIN erasure e ON e.id = t.erasure
 WHERE t.hash = ANY(%s) ORDER BY e.id LIMIT 1
"""


def bury(connection: Connection, hashes: Collection[str], erasure: int) -> None:
    """Refuse these from now on."""
    connection.execute(_BURY, (sorted(hashes), erasure))


def known(connection: Connection, hashes: Collection[str]) -> frozenset[str]:
    """Return which of these hashes are tombstones."""
    if not hashes:
        return frozenset()
    return frozenset(row["hash"] for row in connection.execute(_KNOWN, (sorted(hashes),)))


def all_tombstones(connection: Connection) -> tuple[str, ...]:
    """Return every tombstone."""
    return tuple(r["hash"] for r in connection.execute("SELECT hash FROM tombstone ORDER BY hash"))


def buried_as(connection: Connection, hashes: Collection[str]) -> Buried | None:
    """Return the erasure behind one of these hashes; None: none is a tombstone."""
    row = connection.execute(_ERASURE, (sorted(hashes),)).fetchone()
    return None if row is None else Buried(row["id"], row["actor"], row["began_at"])
