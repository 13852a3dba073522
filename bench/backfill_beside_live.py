"""Does a backfill slow live mail down? One installation, live mails one at a time, in three blocks:
without a backfill, beside one, without again. Measured: from the intake line to the end of the work
order. A ratio within one run, so that a slow machine cancels out.

    .venv/bin/python bench/backfill_beside_live.py [--mails 20] [--orders 3000]

Target: p95 beside the backfill at most 1.5 times that without.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from dagster_ui import DagsterUI
from invented_history import write
from throughput import Installation, idle_latency, running, wait, warm_up

TARGET = 1.5
ASSETS = ("shadow/legacy_outcome", "shadow/replay", "shadow/comparison")
REPLAYED = "SELECT count(*) FROM swarm.replays"


def main() -> int:
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="swarm-bench-"))
    try:
        home = folder / "home"
        with running(home, 2) as installation:
            ui = DagsterUI(port_of(home))
            keys = planned(home, folder, options.orders)
            warm_up(installation)
            half = options.mails // 2
            before = [idle_latency(installation) for _ in range(half)]
            ui.begin_backfill(keys, *ASSETS)
            wait(lambda: replayed(installation) > 0, 300)
            first, began = replayed(installation), time.monotonic()
            beside = [idle_latency(installation) for _ in range(options.mails)]
            done, seconds = replayed(installation) - first, time.monotonic() - began
            still = replayed(installation) < len(keys)
            wait(lambda: replayed(installation) == len(keys), 3600)
            after = [idle_latency(installation) for _ in range(half)]
            ui.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    without = [*before, *after]
    ratio = p95(beside) / p95(without)
    print(f"load average                {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"without: p50, p95           {statistics.median(without):.2f} {p95(without):.2f} s")
    print(f"beside:  p50, p95           {statistics.median(beside):.2f} {p95(beside):.2f} s")
    print(f"ratio of p95                {ratio:.2f} (target {TARGET})")
    print(f"replayed meanwhile          {done / seconds:.1f} a second")
    if not still:
        print("the backfill ended before the live mails did: give more --orders")
    return 0 if ratio <= TARGET and still else 1


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def replayed(installation: Installation) -> int:
    return int(str(installation.rows(REPLAYED)[0][0]))


def port_of(home: Path) -> int:
    described = json.loads((home / "run" / "environment.json").read_text("utf-8"))
    return int(httpx.URL(described["UI_URL"]).port or 80)


def planned(home: Path, folder: Path, orders: int) -> list[str]:
    files = [str(file) for file in write(folder, orders)]
    swarm(home, "history", "import", *files, "--json")
    told = json.loads(
        swarm(home, "shadow", "plan", "--since", "2000-01-01", "--wait", "120", "--json")
    )
    return list(told["keys"])


def swarm(home: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "swarm.cli", *arguments]
    environment = {**os.environ, "SWARM_HOME": str(home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mails", type=int, default=20)
    parser.add_argument("--orders", type=int, default=3000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
