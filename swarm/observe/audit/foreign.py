"""Rows that another login than our services' wrote: nothing here is inserted by hand.

The last audit that a person accepted with a reason settles what was noted until then. What lives
elsewhere: how it is noted (``swarm.store.writers``), who may write at all (``schema``).
"""

from collections.abc import Iterator, Sequence

from swarm.observe.audit.findings import Violation
from swarm.observe.audit.marks import Mark
from swarm.store import writers
from swarm.store.database import Connection


def check(connection: Connection, kept: Sequence[Mark]) -> Iterator[tuple[str, Violation]]:
    """Yield, by subject, what a stranger wrote since somebody last took things as they are."""
    since = max((mark.at for mark in kept if mark.reason), default=None)
    for found in writers.foreign_writers(connection, since):
        yield found.subject, Violation(6, "foreign_writer", f"{found}: no service of ours")
