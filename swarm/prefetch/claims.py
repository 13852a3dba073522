"""Claims on work orders that are thought ahead of: durable rows with a lease, one per work order.

A claim is for one attempt of the queue. It is taken again once when its lease runs out (its
prefetcher was killed), beside few others of the kind, for one of them may be what it died over; and
not a second time: that is left to its run, which a parent can kill. Every move is a compare-and-set
on owner, attempt and try.
"""

from collections.abc import Collection, Sequence
from typing import Final

from swarm.models import Noun
from swarm.store.database import Database
from swarm.store.postgres_queue import storable
from swarm.store.prefetched import MODEL_IS_BROKEN, TRIES

LEASE_SECONDS: Final = 20.0

# Oldest first, like the runs. Nothing is taken while the model answers nobody: whoever waits for it
# is let through by the queue, few at a time.
_TAKE = f"""
WITH broken AS ({MODEL_IS_BROKEN}), fresh AS (
    SELECT j.work_order_key, j.attempt + 1 AS attempt
      FROM swarm_jobs j LEFT JOIN prefetches p USING (work_order_key)
     WHERE j.state = 'queued' AND j.not_before <= now() AND NOT EXISTS (SELECT 1 FROM broken)
       AND (p.work_order_key IS NULL OR p.attempt <= j.attempt)
     ORDER BY j.queued_at, j.work_order_key LIMIT %(limit)s
       FOR UPDATE OF j SKIP LOCKED
), suspects AS (
    SELECT j.work_order_key, j.attempt + 1 AS attempt
      FROM prefetches p JOIN swarm_jobs j USING (work_order_key)
     WHERE p.state = 'taken' AND p.lease_until < now() AND p.tries < {TRIES}
       AND p.attempt = j.attempt + 1 AND j.state = 'queued' AND j.not_before <= now()
       AND NOT EXISTS (SELECT 1 FROM broken)
     ORDER BY j.queued_at, j.work_order_key LIMIT %(suspects)s
       FOR UPDATE OF j SKIP LOCKED
)
INSERT INTO prefetches AS p (work_order_key, attempt, owner, lease_until)
SELECT work_order_key, attempt, %(owner)s, now() + make_interval(secs => %(lease)s)
  FROM (SELECT * FROM fresh UNION ALL SELECT * FROM suspects) AS due
ON CONFLICT (work_order_key) DO UPDATE
   SET attempt = excluded.attempt, owner = excluded.owner, state = 'taken', why = '',
       tries = CASE WHEN p.attempt = excluded.attempt THEN p.tries + 1 ELSE 1 END,
       lease_until = excluded.lease_until, began_at = now(), ended_at = NULL
 WHERE p.attempt < excluded.attempt OR (p.state = 'taken' AND p.lease_until < now())
RETURNING work_order_key, attempt, tries
"""

_END = """
UPDATE prefetches SET state = %(state)s, why = %(why)s, ended_at = now()
 WHERE work_order_key = %(work_order_key)s AND owner = %(owner)s AND attempt = %(attempt)s
   AND tries = %(tries)s AND state = 'taken'
"""

_RENEW = """
UPDATE prefetches SET lease_until = now() + make_interval(secs => %(lease)s)
 WHERE work_order_key = ANY(%(keys)s) AND owner = %(owner)s AND state = 'taken'
"""

_SEEN = """
INSERT INTO prefetchers (host, owner, seen_at) VALUES (%(host)s, %(owner)s, now())
ON CONFLICT (host) DO UPDATE SET owner = excluded.owner, seen_at = excluded.seen_at
"""

_GIVE_UP = """
UPDATE prefetches SET state = 'left', why = 'the prefetcher was stopped', ended_at = now()
 WHERE owner = %(owner)s AND state = 'taken'
"""

_GONE = "DELETE FROM prefetchers WHERE host = %(host)s AND owner = %(owner)s"


class PrefetchClaim(Noun):
    """The right to think ahead of one attempt."""

    work_order_key: str
    attempt: int
    tries: int

    @property
    def suspect(self) -> bool:
        """Whether a prefetcher died while it thought about this one."""
        return self.tries > 1


class PrefetchClaims:
    """The claims of one prefetcher. ``owner`` names its process and no other, ever."""

    def __init__(self, database: Database, *, host: str, owner: str) -> None:
        self._database = database
        self._named = {"host": host, "owner": owner, "lease": LEASE_SECONDS}

    def take(self, limit: int, suspects: int = 1) -> Sequence[PrefetchClaim]:
        """Claim up to ``limit`` work orders that are due and nobody thought about, and up to
        ``suspects`` that a prefetcher died with.
        """
        wanted = {**self._named, "limit": limit, "suspects": suspects}
        with self._database.transaction() as connection:
            rows = connection.execute(_TAKE, wanted).fetchall()
        return [PrefetchClaim.model_validate(row) for row in rows]

    def end(self, claim: PrefetchClaim, left: str = "") -> bool:
        """End a claim: done, or left with the reason. False: it is not this process's any more."""
        ended = {"state": "left" if left else "done", "why": storable(left)}
        with self._database.transaction() as connection:
            done = connection.execute(_END, {**self._named, **claim.model_dump(), **ended})
            return done.rowcount == 1

    def pulse(self, in_hand: Collection[str]) -> None:
        """Say that this prefetcher lives, and keep what it holds."""
        with self._database.transaction() as connection:
            connection.execute(_SEEN, self._named)
            if in_hand:
                connection.execute(_RENEW, {**self._named, "keys": list(in_hand)})

    def leave(self) -> None:
        """Give up what is still held, so that no run waits for it."""
        with self._database.transaction() as connection:
            connection.execute(_GIVE_UP, self._named)
            connection.execute(_GONE, self._named)
