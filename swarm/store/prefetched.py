"""Whether a work order's run may be requested, as far as thinking ahead goes (``swarm.prefetch``).

Statements that the queue and the prefetcher share. A prefetcher is no promise: where none lives,
or the model answers nobody, or it takes too long, a run is requested as if there were none.
"""

from typing import Final

TRIES: Final = 2
"""So many prefetchers may begin with a work order; what two died over is left to its run."""

MODEL_IS_BROKEN: Final = (
    "SELECT 1 FROM model_endpoints WHERE broken AND trouble_at > now() - interval '10 minutes'"
)

# A prefetcher says every two seconds that it lives. Whoever waits to be taken waits longer than
# whoever is thought about: two runs that ask for themselves would hold the workers of all others.
THOUGHT_AHEAD: Final = f"""
    (NOT EXISTS (SELECT 1 FROM prefetchers WHERE seen_at > now() - interval '10 seconds')
     OR EXISTS (SELECT 1 FROM broken)
     OR greatest(j.not_before, j.queued_at) < now() - make_interval(secs => 10 * %(thinking)s)
     OR EXISTS (SELECT 1 FROM prefetches p
                 WHERE p.work_order_key = j.work_order_key AND p.attempt = j.attempt + 1
                   AND (p.state <> 'taken'
                        OR p.began_at < now() - make_interval(secs => %(thinking)s)
                        OR (p.lease_until < now() AND p.tries >= {TRIES}))))
"""
"""True for a job ``j`` whose run need not wait any more; ``broken`` is a CTE of MODEL_IS_BROKEN."""
