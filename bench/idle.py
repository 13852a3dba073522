"""What an idle installation costs: memory, processes, connections, CPU, and its start.

    .venv/bin/python bench/idle.py [--workers 2] [--seconds 60] [--json FILE]

Memory is PSS: pages that processes share count once. The doubles (sandbox) are no part of it.
Targets on two cores: 900 MB, ready after 6 s, two connections a worker.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from model_throughput import descendants, memory_of
from process_tree import cpu_seconds
from throughput import Installation, running

CONNECTIONS = """
SELECT coalesce(nullif(application_name, ''), '-') AS who, count(*)
  FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
 GROUP BY 1 ORDER BY 2 DESC
"""
STARTS = 3  # after the first, which makes the database
_OURS_NOT = ("sandbox",)


def main() -> int:
    options = arguments()
    ready: list[float] = []
    with tempfile.TemporaryDirectory(prefix="swarm-bench-") as folder:
        for start in range(1 + STARTS):
            began = time.monotonic()
            with running(Path(folder) / "home", options.workers) as installation:
                ready.append(round(time.monotonic() - began, 1))
                if not start:
                    time.sleep(20)  # whatever the start still does is no idling
                    figures = measured(installation, options.seconds)
    later = statistics.median(ready[1:])
    figures = {"first start to ready, s": ready[0], "later starts, s": later, **figures}
    print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return 0


def measured(installation: Installation, seconds: float) -> dict[str, object]:
    before = cpu_of(installation.home)
    time.sleep(seconds)
    after = cpu_of(installation.home)
    memory = memory_of(installation.home)
    ours = {name: size for name, size in memory.items() if name not in _OURS_NOT}
    rows = installation.rows(CONNECTIONS)
    share = {
        name: round(100 * (after[name] - before.get(name, 0.0)) / seconds, 1) for name in after
    }
    return {
        "memory, MB": round(sum(ours.values())),
        "memory by program, MB": dict(sorted(ours.items(), key=lambda each: -each[1])),
        "processes": sum(len(each) for each in descendants(installation.home).values()),
        "connections": sum(int(str(row[1])) for row in rows),
        "CPU, % of a core": round(sum(n for name, n in share.items() if name not in _OURS_NOT), 1),
        "CPU by program, %": dict(sorted(share.items(), key=lambda each: -each[1])),
    }


def cpu_of(home: Path) -> dict[str, float]:
    """CPU seconds by program so far."""
    return {name: sum(map(cpu_seconds, pids)) for name, pids in descendants(home).items()}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
