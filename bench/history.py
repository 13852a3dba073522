"""What does a long history cost? One installation, measured empty and again with N work orders.

    .venv/bin/python bench/history.py [--orders 100000] [--partitions 5000] [--burst 60] [--json F]

Measured are a burst of mails (seconds a work order), `swarm status`, `swarm show`, the audit of what
is new and of everything, and the questions the pages of the Dagster UI ask: the asset graph, one
asset with its partitions, the list of runs. Each figure is the middle of five, and told as the ratio
of full to empty within this run: seconds of another machine mean nothing here.

Between the two the installation is stopped. One work order that went the whole way is copied by
COPY under keys of its own, every hash and chain made anew (``audit.py``), with its lines in the
intake files; as many as are live partitions with their run, events and materializations, too.
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
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "support")]

import audit  # noqa: E402
import httpx  # noqa: E402
import psycopg  # noqa: E402
import throughput  # noqa: E402
from installation import SWARM, environment, running_up  # noqa: E402
from psycopg.rows import dict_row  # noqa: E402

from swarm.installation.logins import passwords  # noqa: E402
from swarm.intake.stream.bookmarks import fresh, moved, open_stream  # noqa: E402
from swarm.intake.stream.keys import work_order_key  # noqa: E402
from swarm.intake.stream.rows import save_bookmark  # noqa: E402
from swarm.legacy.home import IntakeFiles  # noqa: E402
from swarm.legacy.jsonl import marker, write_state  # noqa: E402
from swarm.observe.audit.report import Scope  # noqa: E402
from swarm.sandbox.remote import SandboxControl  # noqa: E402
from swarm.store import embedded  # noqa: E402
from swarm.store.database import Database  # noqa: E402
from swarm.store.embedded import SUPERUSER  # noqa: E402
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
_PUBLISHED = "SELECT key FROM work_orders WHERE state = 'published' ORDER BY final_at DESC LIMIT 1"
_RUN = "SELECT run_id FROM workflow_runs WHERE work_order_key = %s ORDER BY token DESC LIMIT 1"
_DAGSTERS = {  # table -> its column of a run; ids are made anew, and what refers to them too
    "runs": "run_id",
    "run_tags": "run_id",
    "event_logs": "run_id",
    "asset_check_executions": "run_id",
}
_EVENT_IDS = {
    "asset_event_tags": "event_id",
    "asset_check_executions": "evaluation_event_storage_id",
}


class Lines(audit.Lines):
    """The intake files of the installation, which have lines already."""

    def __init__(self, home: Path) -> None:
        self.files = IntakeFiles(home)
        self.offset = self.files.work_orders.stat().st_size
        self.count = self.files.work_orders.read_bytes().count(b"\n")

    def bookmark(self, connection: Any) -> None:
        """Say, as the readers do, that everything was read."""
        with open_stream(self.files.work_orders) as (file,):
            save_bookmark(connection, "work_orders", moved(fresh(1), file, self.offset, self.count))
        end = self.files.events.stat().st_size
        with self.files.events.open("rb") as events:
            proof = {"offset": end, "marker": marker(events.fileno(), end)}
        write_state(self.files.processor_state, proof)


def main() -> int:
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="swarm-history-"))
    try:
        empty = measured(folder, "empty", options)
        began = time.perf_counter()
        fill(folder / "home", options)
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
            (key,) = connection.execute(_PUBLISHED).fetchone() or ("",)
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


# --- filling --------------------------------------------------------------------------------------


def fill(home: Path, options: argparse.Namespace) -> None:
    """Copy one published work order, while nothing but the database runs."""
    known = logins(home)
    url = url_as(embedded.start(home / "postgres", logins=known), SUPERUSER, known[SUPERUSER])
    try:
        with psycopg.connect(url, options="-c search_path=swarm,public") as connection:
            connection.execute("SET session_replication_role = replica")
            (key,) = connection.execute(_PUBLISHED).fetchone() or ("",)
            (run,) = connection.execute(_RUN, (key,)).fetchone() or ("",)
            lines = Lines(home)
            template = audit.rows_of(connection, key)
            audit.multiply(connection, key, template, range(options.orders), lines)
            newest = range(options.orders - options.partitions, options.orders)
            live(connection, key, run, [work_order_key("bench", f"bench-{n}") for n in newest])
        database = Database(url)
        with database.transaction() as connection:
            lines.bookmark(connection)
        database.close()
        audit.vacuumed(url)
    finally:
        embedded.stop(home / "postgres")


def live(connection: psycopg.Connection, key: str, run: str, keys: Sequence[str]) -> None:
    """Give each key its partition, and in Dagster's tables the run that made it."""
    connection.execute(
        "INSERT INTO dynamic_partitions (partitions_def_name, partition)"
        " SELECT partitions_def_name, k FROM dynamic_partitions, unnest(%s::text[]) AS k"
        " WHERE partition = %s",
        (list(keys), key),
    )
    rows = {table: of_run(connection, table, column, run) for table, column in _DAGSTERS.items()}
    ids = [row["id"] for row in rows["event_logs"]]
    rows["asset_event_tags"] = of_run(connection, "asset_event_tags", "event_id", ids)
    top = connection.execute("SELECT max(id) FROM event_logs").fetchone()
    next_id = int(top[0]) + 1 if top else 1
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        copies = []
        for new in some:
            copies.append(Run(key, run, new, {old: next_id + n for n, old in enumerate(ids)}))
            next_id += len(ids)
        for table, found in rows.items():
            copied(connection, table, [copy.row(table, row) for copy in copies for row in found])
    connection.execute("SELECT setval('event_logs_id_seq', %s)", (next_id,))
    connection.commit()


def of_run(
    connection: psycopg.Connection, table: str, column: str, run: object
) -> list[dict[str, Any]]:
    cursor = connection.cursor(row_factory=dict_row)
    one = "= ANY(%s)" if isinstance(run, list) else "= %s"
    query = f"SELECT * FROM {table} WHERE {column} {one} ORDER BY 1"
    return cursor.execute(query.encode(), (run,)).fetchall()


class Run:
    """Dagster's rows of one run, as another work order's run."""

    def __init__(self, key: str, run: str, new: str, events: Mapping[int, int]) -> None:
        self._swaps = ((run, str(uuid.uuid4())), (key, new))
        self._events = events

    def row(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with another run, another partition, and ids of its own."""
        new = {column: self._said(value) for column, value in row.items()}
        if table == "event_logs":
            new["id"] = self._events[row["id"]]
        elif "id" in new:
            del new["id"]
        if refers := _EVENT_IDS.get(table):
            new[refers] = self._events.get(row[refers], row[refers])
        return new

    def _said(self, value: object) -> object:
        if not isinstance(value, str):
            return audit.as_written(value)
        for old, new in self._swaps:
            value = value.replace(old, new)
        return value


def copied(
    connection: psycopg.Connection, table: str, rows: Sequence[Mapping[str, object]]
) -> None:
    if not rows:
        return
    columns = [*rows[0]]
    with connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row[column] for column in columns])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--partitions", type=int, default=5_000)
    parser.add_argument("--burst", type=int, default=60)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
