"""Who wrote into the records, as the database knows it.

Rows by another login than the services' are named by ``swarm.store.writers``. They prove something
only where the rights are as laid down: one login for everything could be anybody's, and what is
unknown has not passed.
"""

from swarm.store.database import Connection
from swarm.store.role_setup import problems
from swarm.store.writers import foreign_writers


def foreign(connection: Connection) -> tuple[str, ...] | None:
    """Return who else wrote, one sentence each; None: Postgres does not keep people from it."""
    found = tuple(str(each) for each in foreign_writers(connection))
    return None if not found and problems(connection) else found
