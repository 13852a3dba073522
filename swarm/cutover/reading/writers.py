"""Who wrote into the records, as the database knows it.

Asked of ``swarm.store.writers.foreign_writers(connection)``, which names each table with rows by a
role that is none of the service's. Where a build has no such knowledge the answer is None, and what
is unknown has not passed.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Final

from swarm.store.database import Connection

_KNOWLEDGE: Final = "swarm.store.writers"


def foreign(connection: Connection) -> tuple[str, ...] | None:
    """Return who else wrote, one sentence each; None: the database does not record it."""
    if find_spec(_KNOWLEDGE) is None:
        return None
    found = import_module(_KNOWLEDGE).foreign_writers(connection)
    return None if found is None else tuple(str(each) for each in found)
