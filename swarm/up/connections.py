"""How many connections an installation keeps to Postgres at most, and whether the server has them.

A server that runs out refuses whoever comes next, a publishing round or the reaper as well as a
worker; so the sum is made before anything starts. What a process may hold is set where it makes its
pools: ``swarm_assets.resources.process`` and ``swarm_assets.runtime.storage``.
"""

from typing import Final

import psycopg

from swarm.errors import ConfigurationError
from swarm.prefetch.prefetcher import CONNECTIONS as OF_PREFETCHER

OF_A_WORKER: Final = 2  # one to our tables, one to Dagster's
# The worker that compares, its own hold on what is missing, and the processes that replay
# (SHADOW_PROCESSES, 2 by default).
OF_SHADOW: Final = 2 * OF_A_WORKER + 1 + 2
# Code server (four sensors at once, both kinds of tables), daemon and webserver, today's path, the
# watch of `swarm up`, and a few commands: 23 were seen, four of them of two workers.
OF_ALL_ELSE: Final = 40
_OF_POSTGRES: Final = 100  # its own default
_MOST_EMBEDDED: Final = 1000  # what one machine may be asked to keep ready
_SPARE: Final = 20  # reserved for the superuser, and what people open beside us

_GIVEN = """
SELECT current_setting('max_connections')::int
     - current_setting('superuser_reserved_connections')::int
     - coalesce(current_setting('reserved_connections', true), '0')::int
"""


def needed(workers: int) -> int:
    """Return how many connections this many workers, the publisher, the comparison and the
    prefetcher need, with all else.
    """
    return OF_A_WORKER * (workers + 1) + OF_SHADOW + OF_PREFETCHER + OF_ALL_ELSE


def embedded_limit(workers: int) -> int:
    """Return what the embedded server is given; never fewer than any server has."""
    return min(max(needed(workers) + _SPARE, _OF_POSTGRES), _MOST_EMBEDDED)


def require_connections(url: str, workers: int) -> str:
    """Return the sum in words; refuse a number of workers that the server cannot carry.

    Raises ``ConfigurationError`` with the sum, and psycopg's ``OperationalError`` when the server
    does not answer.
    """
    with psycopg.connect(url) as connection:
        row = connection.execute(_GIVEN).fetchone()
    given = int(row[0]) if row else 0
    if needed(workers) > given:
        raise ConfigurationError(
            f"--workers {workers} needs {needed(workers)} connections to Postgres"
            f" ({OF_A_WORKER} x ({workers} workers + 1 publisher) + {OF_SHADOW} for the comparison"
            f" + {OF_PREFETCHER} to think ahead + {OF_ALL_ELSE} for all else),"
            f" the server gives {given}",
            hint="start fewer workers, or raise max_connections of the server",
        )
    return f"{workers} workers, {needed(workers)} of {given} connections to Postgres at most"
