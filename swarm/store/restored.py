"""Whether this database came out of a backup and was not compared with the mailbox yet.

A restored ledger is older than the mailbox: what was drafted after the backup it would draft again.
So until somebody has compared the two, nobody is appointed publisher (``publishing.switch``). The
mark stands in the installation's history, which nobody can change or delete; the last line about
it counts. What lives elsewhere: restoring and comparing (``swarm.lifecycle.backup``).
"""

from datetime import datetime
from typing import Final

from pydantic import AwareDatetime

from swarm.models import Noun
from swarm.store.database import Connection
from swarm.store.world_rows import note

_RESTORED: Final = "restored from the backup of "
_RECONCILED: Final = "reconciled with the mailbox"

_LAST = """
SELECT what, at FROM installation_history
 WHERE starts_with(what, %(restored)s) OR starts_with(what, %(reconciled)s)
 ORDER BY id DESC LIMIT 1
"""


class Restored(Noun):
    """When the backup was begun, and when it was restored, by the database's clock."""

    backup_at: AwareDatetime
    restored_at: AwareDatetime


def unreconciled(connection: Connection) -> Restored | None:
    """Return the restore that nobody has compared with the mailbox yet; None: there is none."""
    names = {"restored": _RESTORED, "reconciled": _RECONCILED}
    row = connection.execute(_LAST, names).fetchone()
    if row is None or not row["what"].startswith(_RESTORED):
        return None
    backup_at = datetime.fromisoformat(row["what"].removeprefix(_RESTORED))
    return Restored(backup_at=backup_at, restored_at=row["at"])


def note_restored(connection: Connection, backup_at: datetime, *, actor: str) -> None:
    """Mark the database: from now on nobody is appointed until it is reconciled."""
    note(connection, f"{_RESTORED}{backup_at.isoformat()}", actor=actor)


def note_reconciled(connection: Connection, figures: str, *, actor: str) -> None:
    """Take the mark away: ledger and mailbox were compared."""
    note(connection, f"{_RECONCILED}: {figures}", actor=actor)
