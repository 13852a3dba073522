"""Legacy's lease: its right to go on publishing for a while when Postgres cannot be reached.

A failure of the new system must never stop today's production, and a cached "I am the owner" is
the double-publish bug; only a lease is safe (publishing protocol, section 6). While Postgres
answers, legacy renews its lease; when it does not, legacy publishes until the lease ends and
journals what it did; afterwards it settles the journal with the ledger and *releases* the lease.

Expiry stops legacy. Only a release tells us what it did before, so until then nobody appoints
'swarm': late, never twice. Stopping and rolling back never wait. What lives elsewhere: the journal
and legacy's own clock (``swarm.legacy.publishing``), asking legacy to let go (``wish``).
"""

from pydantic import AwareDatetime

from swarm.errors import RefusedError
from swarm.models import Noun
from swarm.publishing.switch.wish import end_expired
from swarm.store.database import Connection

_READ = """
SELECT holder, epoch, lease_until, lease_until < now() AS expired
  FROM publisher_lease WHERE id = 1 AND released_at IS NULL
"""

# The caller holds lock 7001 shared, so neither the control row nor a wish can come under this
# statement.
_OBTAIN = """
INSERT INTO publisher_lease (id, holder, epoch, lease_until)
SELECT 1, %(holder)s, epoch, now() + make_interval(secs => %(seconds)s)
  FROM publisher_control WHERE id = 1 AND active = 'legacy'
   AND NOT EXISTS (SELECT 1 FROM switch_wish WHERE ended_at IS NULL)
ON CONFLICT (id) DO UPDATE
   SET holder = excluded.holder, epoch = excluded.epoch, lease_until = excluded.lease_until,
       released_at = NULL
 WHERE publisher_lease.released_at IS NOT NULL OR publisher_lease.holder = excluded.holder
RETURNING holder, epoch, lease_until, false AS expired
"""

_RELEASE = """
UPDATE publisher_lease SET released_at = now()
 WHERE id = 1 AND holder = %(holder)s AND released_at IS NULL
"""


class Lease(Noun):
    """A lease that was not given back."""

    holder: str
    epoch: int
    lease_until: AwareDatetime
    expired: bool


def unreleased(connection: Connection) -> Lease | None:
    """Return the lease somebody holds or has not settled yet."""
    row = connection.execute(_READ).fetchone()
    return None if row is None else Lease.model_validate(row)


def obtain(connection: Connection, holder: str, seconds: float) -> Lease | None:
    """Take or renew the lease; None when legacy is not active, or somebody waits to switch away.

    A wish to switch that is past its expiry is ended here. The caller holds the switch lock
    (``control_to_write_ready``) and has settled its journal.
    """
    end_expired(connection, holder)
    row = connection.execute(_OBTAIN, {"holder": holder, "seconds": seconds}).fetchone()
    return None if row is None else Lease.model_validate(row)


def release(connection: Connection, holder: str) -> bool:
    """Give the lease back: everything done under it is in the ledger. False: it was not ours."""
    return connection.execute(_RELEASE, {"holder": holder}).rowcount == 1


def require_released(connection: Connection) -> None:
    """Raise ``RefusedError`` while legacy may publish, or has published, without the ledger."""
    held = unreleased(connection)
    if held is None:
        return
    if held.expired:
        raise RefusedError(
            f"the lease of {held.holder} ran out but was never settled",
            hint="start publish_sender there once, so that its journal reaches the ledger",
        )
    raise RefusedError(
        f"{held.holder} may publish without the ledger until {held.lease_until.isoformat()}",
        hint="`swarm publisher cutover` waits for it",
    )
