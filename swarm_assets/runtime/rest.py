"""What a worker process gives back once no run has come for some seconds.

Its connections to Dagster's tables, each a server process of 5 MB. What lives elsewhere: our own
pool, which closes what is idle by itself (``swarm_assets.resources.process``).
"""

import threading
from typing import Final

from swarm_assets.runtime.storage import give_back_connections

_IDLE_SECONDS: Final = 5.0
_resting: list[threading.Timer] = []


def rest_soon() -> None:
    """Rest unless a run comes before (``stay_awake``)."""
    stay_awake()
    timer = threading.Timer(_IDLE_SECONDS, _rest)
    timer.daemon = True
    timer.start()
    _resting.append(timer)


def stay_awake() -> None:
    """Give nothing back for now. A new connection costs 4 ms here and 10 in the server."""
    while _resting:
        _resting.pop().cancel()


def _rest() -> None:
    give_back_connections()
