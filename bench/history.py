"""What does a long history cost? One installation, measured empty and again with N work orders.

    .venv/bin/python bench/history.py [--orders 100000] [--partitions 5000] [--burst 60] [--json F]

Measured are a burst of mails (seconds a work order), `swarm status`, `swarm show`, the audit of
what is new and of everything, and the questions the pages of the Dagster UI ask: the asset graph,
one asset with its partitions, the list of runs. Commands and pages are the middle of five. Each
figure is told as the ratio of full to empty within this run: seconds of another machine mean
nothing here. Between the two the installation is stopped and filled (``history_filling.py``).
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
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "support")]

import audit  # noqa: E402
import httpx  # noqa: E402
import psycopg  # noqa: E402
import throughput  # noqa: E402
from history_filling import PUBLISHED, Lines, fill  # noqa: E402
from installation import SWARM, environment, running_up  # noqa: E402

from swarm.installation.logins import passwords  # noqa: E402
from swarm.observe.audit.report import Scope  # noqa: E402
from swarm.sandbox.remote import SandboxControl  # noqa: E402
from swarm.store.roles import Role, url_as  # noqa: E402
from swarm.up.programs import any_free_port  # noqa: E402

TIMES = 5
PAGES = {
    "UI: asset graph": """
query { assetNodes { assetKey { path } isPartitioned
  partitionStats { numMaterialized numFailed numPartitions numMaterializing }
  assetMaterializations(limit: 1) { timestamp runId } } }""",
    "UI: partitions of an asset": """
query { assetNodeOrError(assetKey: {path: ["work_order", "publish"]}) { ... on AssetNode {
  partitionKeyConnection(limit: 101, ascending: false) { results cursor }
  assetPartitionStatuses { ... on AssetPartitionStatuses {__typename}
    ... on DefaultPartitionStatuses { materializedPartitions failedPartitions
                                      unmaterializedPartitions materializingPartitions } } } } }""",
    "UI: runs": """
query { runsOrError(limit: 26) { ... on Runs { count
  results { id status jobName startTime endTime tags { key value } } } } }""",
}


def main() -> int:
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="swarm-history-"))
    try:
        empty = measured(folder, "empty", options)
        began = time.perf_counter()
        fill(folder / "home", options.orders, options.partitions)
        built = time.perf_counter() - began
        full = measured(folder, "full", options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report = {
        "orders": options.orders,
        "partitions": options.partitions,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "built_seconds": round(built, 1),
        "figures": {
            name: {"empty": round(empty[name], 4), "full": round(full[name], 4),
                   "ratio": round(full[name] / empty[name], 2)}
            for name in empty
        },
    }  # fmt: skip
    tell(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1), "utf-8")
    return 0


def tell(report: Mapping[str, Any]) -> None:
    print(
        f"{report['orders']} work orders, {report['partitions']} live partitions, built in"
        f" {report['built_seconds']} s; {report['cores']} cores, load {report['load']:.1f}"
    )
    print(f"{'what':<30}{'empty s':>10}{'full s':>10}{'ratio':>8}")
    for name, each in report["figures"].items():
        print(f"{name:<30}{each['empty']:>10.3f}{each['full']:>10.3f}{each['ratio']:>7.2f}x")


def measured(folder: Path, name: str, options: argparse.Namespace) -> dict[str, float]:
    """Start the installation and measure everything."""
    home, port = folder / "home", any_free_port()
    with running_up(home, folder / f"{name}.log", "--no-samples", "--port", str(port)):
        described = json.loads((home / "run" / "environment.json").read_text("utf-8"))
        with (
            psycopg.connect(described["DATABASE_URL"], autocommit=True) as connection,
            closing(SandboxControl(described["SWARM_SANDBOX_URL"])) as control,
        ):
            connection.execute("SET search_path = swarm")
            installation = throughput.Installation(home, connection, control)
            found = {"burst, a work order": burst(installation, name, options.burst)}
            (key,) = connection.execute(PUBLISHED).fetchone() or ("",)
        for command in (["status"], ["show", str(key)]):
            found[f"swarm {command[0]}"] = middle(lambda c=command: swarm(home, *c))
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300) as ui:
            for page, query in PAGES.items():
                found[page] = middle(lambda q=query: asked(ui, q))
        keeper = url_as(described["DATABASE_URL"], Role.KEEPER, logins(home)[Role.KEEPER])
        lines, memory = Lines(home), folder / "audit"
        memory.mkdir(exist_ok=True)
        found["audit --full"] = audit.timed(keeper, memory, Scope.FULL, lines)
        found["audit, nothing new"] = audit.timed(keeper, memory, Scope.NEW, lines)
    return found


def burst(installation: throughput.Installation, name: str, count: int) -> float:
    """Seconds a work order, over ``count`` that come at once."""
    warm = [f"{name}-warm-{n}" for n in range(throughput.WARM)]
    installation.write(warm)
    throughput.wait(lambda: installation.final(f"{name}-warm-%") == len(warm), 600)
    began = installation.write([f"{name}-many-{n}" for n in range(count)])
    throughput.wait(lambda: installation.final(f"{name}-many-%") == count, 600 + 10 * count)
    return (time.time() - began) / count


def middle(act: Callable[[], object]) -> float:
    """The middle of some times; the first, in which things are loaded, does not count."""
    act()
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def swarm(home: Path, *arguments: str) -> None:
    subprocess.run([*SWARM, *arguments], env=environment(home), capture_output=True, check=True)


def asked(ui: httpx.Client, query: str) -> None:
    body = ui.post("/graphql", json={"query": query}).json()
    if "errors" in body:
        raise SystemExit(f"the UI refuses: {body['errors'][0]['message']}")


def logins(home: Path) -> Mapping[str, str]:
    return passwords(home / "database_logins.json")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--partitions", type=int, default=5_000)
    parser.add_argument("--burst", type=int, default=60)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
