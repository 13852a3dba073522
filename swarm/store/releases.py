"""Releases: a person's recorded decision that a final work order may be drafted after all.

What lives here: reading the one in force (the last), and which rules nobody may take on. What lives
elsewhere: releasing (``swarm.publishing.release``), what a rule taken on means for a stage
(``swarm.stages.floor``) and for the right to publish (``swarm.publishing.ledger.passes``).
"""

from typing import Final

from pydantic import AwareDatetime

from swarm.models import Noun, WorkOrderState
from swarm.store.database import Connection

NEVER_WAIVED: Final = frozenset({"ES-06", "ES-09", "ES-10", "ES-11", "ES-14", "ES-16", "ES-17"})
"""Sending, foreign material, recipients, links, secrets, unjudged or other bytes (a CHECK too)."""

_COLUMNS = """
work_order_key, number, actor, reason, waived, from_state, revision, no_draft_in_mailbox, at
"""

_ALL = f"SELECT {_COLUMNS} FROM releases WHERE work_order_key = %s ORDER BY number"

_RECORD = f"""
INSERT INTO releases (work_order_key, number, actor, reason, waived, from_state, revision,
                      revision_sha256, no_draft_in_mailbox)
SELECT %(key)s, coalesce(max(number), 0) + 1, %(actor)s, %(reason)s, %(waived)s::text[],
       %(from_state)s, %(revision)s, %(revision_sha256)s, %(no_draft_in_mailbox)s
  FROM releases WHERE work_order_key = %(key)s
RETURNING {_COLUMNS}
"""


class Release(Noun):
    """One release as it was recorded. ``revision`` 0 is the mail as it was accepted."""

    work_order_key: str
    number: int
    actor: str
    reason: str
    waived: tuple[str, ...] = ()
    from_state: WorkOrderState
    revision: int
    no_draft_in_mailbox: bool
    at: AwareDatetime

    @property
    def note(self) -> str:
        """What the person who reviews the draft is told."""
        taken_on = f" Rules taken on: {', '.join(self.waived)}." if self.waived else ""
        return f"Released by {self.actor} on {self.at:%Y-%m-%d}: {self.reason}.{taken_on}"


def waived_of(key: str) -> str:
    """Return the SELECT of the rules taken on for a work order; ``key`` is SQL of our own."""
    return f"""
        coalesce((SELECT in_force.waived FROM releases in_force
                   WHERE in_force.work_order_key = {key}
                   ORDER BY in_force.number DESC LIMIT 1), '{{}}'::text[])"""


def releases_of(connection: Connection, key: str) -> tuple[Release, ...]:
    """Return a work order's releases, oldest first; the last one is in force."""
    return tuple(Release.model_validate(row) for row in connection.execute(_ALL, (key,)))


def release_in_force(connection: Connection, key: str) -> Release | None:
    """Return the last release of a work order; None when there is none."""
    return next(reversed(releases_of(connection, key)), None)


def record_release(connection: Connection, columns: dict[str, object]) -> Release:
    """Write a release; the caller holds the work order locked."""
    return Release.model_validate(connection.execute(_RECORD, columns).fetchone())
