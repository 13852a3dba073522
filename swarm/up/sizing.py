"""How many run workers a machine gets when nobody says a number.

A run computes for 0.2 to 0.3 s and waits little (a model's answers are fetched ahead of it), so
there is a worker for each core, as far as memory goes. What lives elsewhere: connections that
follow from it (``connections``), Dagster's limits (``programs.write_dagster_settings``).
"""

import os
from pathlib import Path
from typing import Final

_BESIDE_WORKERS: Final = 1250  # MB: all others while a model thinks (bench/model_throughput.py)
_OF_A_WORKER: Final = 130  # MB, beside what it shares with its parent
_MOST: Final = 8  # so many fit a server of 100 connections; more only when asked for
_CGROUP: Final = Path("/sys/fs/cgroup/memory.max")


def usual_workers(cores: int, megabytes: int) -> int:
    """Return how many workers this machine gets, at least one."""
    return max(1, min(cores, (megabytes - _BESIDE_WORKERS) // _OF_A_WORKER, _MOST))


def workers_here() -> int:
    """Return how many workers this very machine gets: by its cores and memory, or its cgroup's."""
    return usual_workers(len(os.sched_getaffinity(0)), _megabytes())


def _megabytes() -> int:
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    try:
        allowed = _CGROUP.read_text("ascii").strip()
    except OSError:
        return whole
    return min(whole, int(allowed) >> 20) if allowed.isdigit() else whole
