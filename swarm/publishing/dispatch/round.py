"""One round of everything that moves publications on: record, reap, reconcile, sweep, dispatch.

Called by the runs that the publications sensor requests. Any number of them may run side by side;
the ledger keeps them apart.
"""

import time
from collections import Counter
from collections.abc import Callable

from swarm.models import Noun
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.dispatcher import Dispatched, dispatch_once, record_unrecorded
from swarm.publishing.dispatch.reaper import reap
from swarm.publishing.dispatch.reconciler import reconcile
from swarm.publishing.dispatch.settling import settle_left_behind
from swarm.publishing.dispatch.sweeper import sweep
from swarm.publishing.ledger import endings
from swarm.store.alerts import ROUNDS_LOST, raise_growing, resolve

_NOTHING_DONE = frozenset({Dispatched.IDLE, Dispatched.NOT_MINE})


# Asked every few seconds, so each part is found by an index: one condition over the whole ledger
# read 100,000 rows each time, with nothing due.
_DUE = """
SELECT count(*) AS due FROM (
    -- due for the swarm, or used up
    SELECT work_order_key FROM publication_ledger
     WHERE state = 'READY'
       AND ((publisher = 'swarm' AND (not_before IS NULL OR not_before <= clock_timestamp()))
            OR attempts >= %(max_attempts)s OR ever_uncertain)
    UNION
    -- claims nobody recorded
    SELECT work_order_key FROM publication_ledger
     WHERE state = 'SENDING'
       AND intent_at < clock_timestamp() - make_interval(secs => %(overdue)s)
    UNION
    -- to be looked for in the mailbox
    SELECT work_order_key FROM publication_ledger WHERE look_at <= clock_timestamp()
    UNION
    -- ended while the work order was not told
    SELECT w.key FROM work_orders w JOIN publication_ledger l ON l.work_order_key = w.key
     WHERE w.state = 'publishing' AND l.state IN ('CONFIRMED', 'HELD', 'DEAD')
    UNION
    SELECT w.key FROM work_orders w JOIN publication_ledger l ON l.work_order_key = w.key
     WHERE w.state = 'held' AND l.state = 'CONFIRMED'
    UNION
    -- decided against while it waits to be published
    SELECT l.work_order_key FROM publication_ledger l JOIN work_orders w ON w.key = l.work_order_key
     WHERE l.state IN ('PENDING_PAYLOAD', 'READY') AND l.publisher = 'swarm'
       AND w.state IN ('escalated', 'declined', 'held', 'dead')
    UNION
    -- waiting so long that somebody must know
    SELECT l.work_order_key FROM publication_ledger l
     WHERE l.state IN ('PENDING_PAYLOAD', 'READY') AND l.publisher <> 'none'
       AND l.changed_at < clock_timestamp() - make_interval(secs => %(alert)s)
       AND NOT EXISTS (SELECT 1 FROM alerts a
                        WHERE a.subject = l.work_order_key AND a.resolved_at IS NULL
                          AND a.kind IN (%(pending)s, %(stuck)s))
) each
"""


class RoundReport(Noun):
    """What one round did; counts by name, no keys, no mail text."""

    recorded: int
    reaped_unknown: int
    reaped_held: int
    reaped_left: int
    reconciled: dict[str, int]
    ended: int
    alerted: int
    settled: int
    dispatched: dict[str, int]

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not any((self.recorded, self.reaped_unknown, self.reaped_held, self.ended)) and not (
            self.reconciled or self.dispatched or self.settled
        )


def run_round(
    deps: PublishingDeps,
    *,
    budget_seconds: float = 20.0,
    stopping: Callable[[], bool] = lambda: False,
) -> RoundReport:
    """Do one round, dispatching until nothing is due, the budget is spent or ``stopping()``.

    Raises a ``DatabaseError`` when Postgres is away or refuses; the next round makes it good.
    """
    recorded = record_unrecorded(deps)
    _settle_lost_rounds(deps)
    if not _at_home(deps):  # it would look for drafts in another mailbox, and hold what it misses
        return _nothing(recorded)
    reaped = reap(deps)
    reconciled = Counter(str(result.outcome) for result in reconcile(deps))
    swept = sweep(deps)
    settled = settle_left_behind(deps.database)
    dispatched = _dispatch_all_due(deps, budget_seconds, stopping)
    return RoundReport(
        recorded=recorded,
        reaped_unknown=reaped.unknown,
        reaped_held=reaped.held,
        reaped_left=reaped.left,
        reconciled=dict(reconciled),
        ended=swept.ended,
        alerted=swept.alerted,
        settled=settled,
        dispatched=dict(dispatched),
    )


def publications_due(deps: PublishingDeps) -> int:
    """Return how many publications a round would look at; raises a ``DatabaseError``.

    One read, no lock: being wrong costs an idle round or one second.
    """
    limits = {
        "max_attempts": deps.timings.max_attempts,
        "overdue": deps.overdue_seconds,
        "alert": deps.timings.unconfirmed_alert_seconds,
        "pending": endings.PENDING_PAYLOAD,
        "stuck": endings.STUCK,
    }
    with deps.database.transaction() as connection:
        row = connection.execute(_DUE, limits).fetchone()
    return int(row["due"]) if row else 0


def a_round_was_lost(deps: PublishingDeps) -> None:
    """Alert that nobody did a round that was asked for; the next one that begins settles it."""
    detail = "publishing rounds were asked for and no worker began them: is it stopped or stuck?"
    with deps.database.transaction() as connection:
        raise_growing(connection, ROUNDS_LOST, "publisher", detail)


def _settle_lost_rounds(deps: PublishingDeps) -> None:
    """A round that began shows that rounds reach somebody again."""
    with deps.database.transaction() as connection:
        resolve(connection, ROUNDS_LOST, "publisher")


def _at_home(deps: PublishingDeps) -> bool:
    with deps.database.transaction() as connection:
        return deps.at_home(connection)


def _nothing(recorded: int) -> RoundReport:
    return RoundReport(
        recorded=recorded,
        reaped_unknown=0,
        reaped_held=0,
        reaped_left=0,
        reconciled={},
        ended=0,
        alerted=0,
        settled=0,
        dispatched={},
    )


def _dispatch_all_due(
    deps: PublishingDeps, budget_seconds: float, stopping: Callable[[], bool]
) -> Counter[str]:
    until = time.monotonic() + budget_seconds
    done: Counter[str] = Counter()
    while time.monotonic() < until and not stopping():
        outcome = dispatch_once(deps).outcome
        if outcome in _NOTHING_DONE:
            break
        done[str(outcome)] += 1
    return done
