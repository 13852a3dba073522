"""The wish to switch: somebody waits to take publishing from legacy, so legacy renews no lease.

It has an owner and an expiry, because whoever waits may be killed, interrupted, or lose the
database: then nobody is left to take it back, and legacy without a lease has no rescue. Whoever
meets a wish past its expiry ends it; a wish that ended gives nobody the right to switch. How each
ended stays in its row: fulfilled, withdrawn (by its owner, or by a rollback or a stop that came
meanwhile), superseded by a later one, or expired.

One time decides, the database's. What lives elsewhere: the lease (``lease``), waiting for it
(``commands``).
"""

from pydantic import AwareDatetime

from swarm.errors import RefusedError
from swarm.models import Noun
from swarm.store.database import Connection

_ASK = """
INSERT INTO switch_wish (actor, reason, expires_at)
VALUES (%(actor)s, %(reason)s, clock_timestamp() + make_interval(secs => %(seconds)s))
RETURNING id
"""

_END = """
UPDATE switch_wish SET ended_at = clock_timestamp(), ended_as = %(as)s, ended_by = %(by)s
 WHERE ended_at IS NULL AND (%(id)s::bigint IS NULL OR id = %(id)s)
   AND (%(as)s <> 'fulfilled' OR expires_at > clock_timestamp())
"""

_END_EXPIRED = """
UPDATE switch_wish SET ended_at = clock_timestamp(), ended_as = 'expired', ended_by = %(by)s
 WHERE ended_at IS NULL AND expires_at <= clock_timestamp()
"""

_READ = """
SELECT id, actor, reason, asked_at, expires_at, ended_at, ended_as, ended_by,
       ended_at IS NULL AND expires_at > clock_timestamp() AS standing
  FROM switch_wish
"""


class Wish(Noun):
    """A wish to switch away from legacy. ``standing``: legacy renews no lease because of it."""

    id: int
    actor: str
    reason: str
    asked_at: AwareDatetime
    expires_at: AwareDatetime
    ended_at: AwareDatetime | None
    ended_as: str | None
    ended_by: str | None
    standing: bool


def ask(connection: Connection, actor: str, reason: str, *, seconds: float) -> int:
    """Ask legacy to let go, for ``seconds``; returns the wish. A later one supersedes an earlier.

    The caller holds the switch lock alone, so that two who ask come one after the other.
    """
    end_expired(connection, actor)
    connection.execute(_END, {"as": "superseded", "by": actor, "id": None})
    asked = {"actor": actor, "reason": reason, "seconds": seconds}
    (row,) = connection.execute(_ASK, asked)
    return int(row["id"])


def end_expired(connection: Connection, by: str) -> bool:
    """End a wish whose time is over, in the name of who met it; False when there is none."""
    return connection.execute(_END_EXPIRED, {"by": by}).rowcount == 1


def withdraw(connection: Connection, by: str, wish: int | None = None) -> bool:
    """Take back the open wish (or this one); False: it has ended already."""
    return connection.execute(_END, {"as": "withdrawn", "by": by, "id": wish}).rowcount == 1


def fulfil(connection: Connection, wish: int, by: str) -> None:
    """End the wish because its switch happens in this transaction.

    Raises ``RefusedError`` when it has ended or run out: somebody decided otherwise meanwhile, or
    legacy may hold a lease again.
    """
    if connection.execute(_END, {"as": "fulfilled", "by": by, "id": wish}).rowcount == 1:
        return
    (found,) = _read(connection, " WHERE id = %s", wish)
    how = f"{found.ended_as} by {found.ended_by}" if found.ended_as else "over: it took too long"
    raise RefusedError(f"the wish to switch is {how}", hint="look at `swarm publisher show`")


def open_wish(connection: Connection) -> Wish | None:
    """Return the wish nobody has ended, which may be past its expiry."""
    return next(iter(_read(connection, " WHERE ended_at IS NULL")), None)


def newest(connection: Connection) -> tuple[Wish, ...]:
    """Return the last wishes and how they ended, newest first."""
    return _read(connection, " ORDER BY id DESC LIMIT 20")


def _read(connection: Connection, which: str, *values: object) -> tuple[Wish, ...]:
    rows = connection.execute((_READ + which).encode(), values)
    return tuple(Wish.model_validate(row) for row in rows)
