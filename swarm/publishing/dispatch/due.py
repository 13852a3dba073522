"""Whether a round over the ledger would find something to do: for whoever decides to run one.

One read, no lock; being wrong costs an idle round or one second. What lives elsewhere: the round.
"""

from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.ledger import endings

# In this order: due for the swarm or used up; claims nobody recorded; to be looked for in the
# mailbox; ended while the work order was not told; waiting so long that somebody must know.
_DUE = """
SELECT count(*) AS due FROM publication_ledger l
 WHERE (l.state = 'READY' AND l.publisher = 'swarm'
        AND (l.not_before IS NULL OR l.not_before <= clock_timestamp()))
    OR (l.state = 'READY' AND (l.attempts >= %(max_attempts)s OR l.uncertain_posts >= 2))
    OR (l.state = 'SENDING'
        AND l.intent_at < clock_timestamp() - make_interval(secs => %(overdue)s))
    OR l.look_at <= clock_timestamp()
    OR EXISTS (SELECT 1 FROM work_orders w
                WHERE w.key = l.work_order_key
                  AND ((l.state IN ('CONFIRMED', 'HELD', 'DEAD') AND w.state = 'publishing')
                       OR (l.state = 'CONFIRMED' AND w.state = 'held')
                       OR (l.state = 'PENDING_PAYLOAD' AND l.publisher = 'swarm'
                           AND w.state IN ('escalated', 'held', 'dead'))))
    OR (l.state IN ('PENDING_PAYLOAD', 'READY') AND l.publisher <> 'none'
        AND l.changed_at < clock_timestamp() - make_interval(secs => %(alert)s)
        AND (l.not_before IS NULL
             OR l.not_before < clock_timestamp() - make_interval(secs => %(alert)s))
        AND NOT EXISTS (SELECT 1 FROM alerts a
                         WHERE a.subject = l.work_order_key AND a.resolved_at IS NULL
                           AND a.kind IN (%(pending)s, %(stuck)s)))
"""


def publications_due(deps: PublishingDeps) -> int:
    """Return how many publications a round would look at; raises ``DatabaseUnavailableError``."""
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
