"""Today's outcomes: every line of its outbox is accounted for, and every work order it handled.

Which are missing is found in ``swarm.shadow.outcomes.accounted``; here it becomes a breach.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from swarm.intake.stream import rows
from swarm.intake.stream.line import Quarantined
from swarm.intake.stream.tick import stream_name
from swarm.legacy.home import LegacyFiles
from swarm.observe.audit import streams
from swarm.observe.audit.findings import Violation
from swarm.shadow.outcomes.accounted import unaccounted
from swarm.shadow.outcomes.legacy_line import read_outcome, said
from swarm.store.database import Database


@dataclass(frozen=True, slots=True)
class LegacyOutbox:
    """Today's path of one home, and the home's key secret."""

    files: LegacyFiles
    secret: str

    def check(self, database: Database) -> Iterator[tuple[str, Violation]]:
        """Yield what is missing; nothing where today's path never wrote and was never read."""
        if not self._was_ever_there(database):
            return
        yield from streams.check(database, self.files.outbox, meaning=_decided)
        try:
            for gap in unaccounted(database, self.files, self.secret):
                yield gap.subject, Violation(1, gap.check, gap.detail)
        except OSError as error:
            why = f"today's outbox could not be read: {type(error).__name__}"
            yield self.files.outbox.name, Violation(1, "stream_unread", why)

    def _was_ever_there(self, database: Database) -> bool:
        if self.files.outbox.exists() or self.files.pipeline_state.exists():
            return True
        with database.transaction() as connection:
            return bool(rows.bookmarks(connection, stream_name(self.files.outbox)))


def _decided(data: bytes) -> str | None:
    read = read_outcome(data, "", "")
    return None if isinstance(read, Quarantined) else said(read.outcome)
