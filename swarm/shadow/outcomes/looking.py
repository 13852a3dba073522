"""The round that looks into the mailbox for what people did. Reads only, and only what is due.

Each work order costs one or two requests; so many a minute in all, whoever looks. A look that fails
changes nothing: the row was put off when it was taken. What lives elsewhere: what a look means
(``judged``), the rows (``swarm.store.reply_outcomes``).
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from swarm.clients.protocol import ConversationMessage
from swarm.errors import (
    DatabaseUnavailableError,
    RateLimitedError,
    RemoteRefusedError,
    TransientError,
)
from swarm.models import Noun
from swarm.shadow.models import Act
from swarm.shadow.outcomes.judged import SETTLING, given_up, judged
from swarm.store import reply_outcomes as rows
from swarm.store.database import Connection, Database
from swarm.store.reply_outcomes import Pace, ReplyFound, Waiting

log = logging.getLogger(__name__)

_BUDGET_SECONDS = 15.0  # a round has one of the work orders' workers
_TOO_MANY_FAILED = 3  # in a row: the mailbox is away, and asking on would only wait


class WatchedMailbox(Protocol):
    """What a look asks; ``clients.outlook.GraphOutlook`` answers it."""

    def whereabouts(
        self, conversation_id: str | None, draft_id: str | None
    ) -> Sequence[ConversationMessage]:
        """Return the conversation over all folders, and the draft wherever it is."""
        ...


class Seen(Noun):
    """One work order of which a round learnt what a person did; numbers and names only."""

    work_order_key: str
    act: Act
    similarity: float | None = None
    minutes: float | None = None


class LookReport(Noun):
    """What one round did; counts by name, no mail text."""

    opened: int = 0
    looked: int = 0
    unavailable: int = 0
    acts: Mapping[str, int] = {}
    clocks_ended: int = 0
    learnt: tuple[Seen, ...] = ()

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        away = f", {self.unavailable} could not be" if self.unavailable else ""
        return (
            f"{self.opened} rows opened, {self.looked} looked at{away}, {len(self.learnt)} learnt,"
            f" {self.clocks_ended} clocks ended"
        )


@dataclass(frozen=True, slots=True)
class Lookout:
    """Whoever looks: at which mailbox, under which signature replies leave, and how fast.

    ``at_home`` is asked first: the mailbox of another installation says nothing about our drafts.
    """

    database: Database
    mailbox: WatchedMailbox
    signature: str
    at_home: Callable[[Connection], bool]
    pace: Pace = field(default_factory=Pace)
    settling: timedelta = SETTLING

    def due(self) -> int:
        """Open what ended meanwhile, end clocks of what was answered; return how many are due.

        No look at the mailbox. Raises ``DatabaseUnavailableError``.
        """
        with self.database.transaction() as connection:
            if not self.at_home(connection):
                return 0
            rows.open_rows(connection)
            rows.end_answered_clocks(connection)
            return min(rows.due(connection), rows.looks_left(connection, self.pace))

    def look(self, *, budget_seconds: float = _BUDGET_SECONDS) -> LookReport:
        """Look at what is due until nothing is, the minute's looks or the time are used up, or the
        mailbox is away.

        Raises ``DatabaseUnavailableError``; what was learnt before is stored.
        """
        until, count, learnt = time.monotonic() + budget_seconds, Counter[str](), list[Seen]()
        with self.database.transaction() as connection:
            if not self.at_home(connection):
                return LookReport()
            opened = rows.open_rows(connection)
        while time.monotonic() < until and count["failed in a row"] < _TOO_MANY_FAILED:
            row = self._take()
            if row is None:
                break
            learnt.extend(self._look_at(row, count))
        with self.database.transaction() as connection:
            ended = rows.end_answered_clocks(connection)
        return LookReport(
            opened=opened,
            looked=count["looked"],
            unavailable=count["unavailable"],
            acts=dict(Counter(str(seen.act) for seen in learnt)),
            clocks_ended=ended,
            learnt=tuple(learnt),
        )

    def _take(self) -> Waiting | None:
        """One at a time: what a round that is cut short had not looked at loses no turn."""
        with self.database.transaction() as connection:
            if not rows.looks_left(connection, self.pace):
                return None
            return next(iter(rows.take_due(connection, self.pace, limit=1)), None)

    def _look_at(self, row: Waiting, count: Counter[str]) -> Sequence[Seen]:
        count["looked"] += 1
        try:
            seen = self.mailbox.whereabouts(row.conversation_id, row.draft_id)
        except DatabaseUnavailableError:
            raise
        except (TransientError, RemoteRefusedError) as error:
            count["unavailable"] += 1
            asked_to_wait = isinstance(error, RateLimitedError)
            count["failed in a row"] += _TOO_MANY_FAILED if asked_to_wait else 1
            log.info("no look at %s: %s", row.work_order_key, type(error).__name__)
            found = given_up(row)
        else:
            count["failed in a row"] = 0
            found = judged(row, seen, self.signature, settling=self.settling)
        if found is None:
            return ()
        with self.database.transaction() as connection:
            rows.record(connection, row.work_order_key, found)
        return _learnt(row, found)


def _learnt(row: Waiting, found: ReplyFound) -> tuple[Seen, ...]:
    if found.act in {row.act, Act.OPEN}:
        return ()
    took = found.acted_at - row.offered_at if found.acted_at and row.offered_at else None
    return (
        Seen(
            work_order_key=row.work_order_key,
            act=Act(found.act),
            similarity=found.similarity,
            minutes=None if took is None else round(took.total_seconds() / 60, 1),
        ),
    )
