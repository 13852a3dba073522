"""History imported, planned, and backfilled through the UI's own API on a real `swarm up`; its
worker killed in the middle, launched again: only the rest is done, and nothing is published.
"""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from dagster_ui import DagsterUI
from installation import Running, running_up
from invented_history import write

from swarm.up.programs import any_free_port

pytestmark = pytest.mark.acceptance

ORDERS = 200
ASSETS = ("shadow/legacy_outcome", "shadow/replay", "shadow/comparison")
LIVE = ("work_orders", "swarm_jobs", "artifacts", "escalations", "publication_ledger", "alerts")


@dataclass(frozen=True)
class Desk:
    running: Running
    ui: DagsterUI
    connection: "psycopg.Connection[tuple[object, ...]]"

    def count(self, table: str, where: str = "true") -> int:
        row = self.connection.execute(
            f"SELECT count(*) FROM swarm.{table} WHERE {where}"
        ).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return int(str(row[0]))


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-history-"))
    home, port = folder / "home", any_free_port()
    running = Running(home, port)
    try:
        with running_up(home, folder / "log", "--no-samples", "--port", str(port)):
            url = running.settings["DATABASE_URL"]
            with (
                psycopg.connect(url, autocommit=True) as connection,
                closing(DagsterUI(port)) as ui,
            ):
                yield Desk(running, ui, connection)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(condition: Callable[[], object], what: str, seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.1)


def test_a_killed_backfill_is_launched_again_and_does_only_the_rest(
    desk: Desk, tmp_path: Path
) -> None:
    orders, outbox = write(tmp_path, ORDERS)
    taken = desk.running.json("history", "import", str(orders), str(outbox), "--actor", "test")
    assert taken["files"]["orders"]["counts"] == {"new": ORDERS}  # type: ignore[index, call-overload]
    assert taken["files"]["outbox"]["counts"] == {"new": ORDERS}  # type: ignore[index, call-overload]

    planned = desk.running.json("shadow", "plan", "--since", "2026-01-01", "--wait", "120")
    keys = planned["keys"]  # type: ignore[index, call-overload]
    assert len(keys) == ORDERS
    assert planned["waiting"] == 0  # type: ignore[index, call-overload]

    first = desk.ui.begin_backfill(keys, *ASSETS)
    wait_for(lambda: desk.count("replays") >= 40, "the first results")
    os.kill(int((desk.running.home / "run" / "shadow.pid").read_text().split()[0]), signal.SIGKILL)
    ended = [desk.ui.finished(run) for run in desk.ui.backfilled(first)]
    assert any(run.status == "FAILURE" for run in ended)
    done = desk.count("replays")
    assert 0 < done < ORDERS
    newest = desk.connection.execute("SELECT max(at) FROM swarm.replays").fetchone()

    again = [
        desk.ui.finished(run) for run in desk.ui.backfilled(desk.ui.begin_backfill(keys, *ASSETS))
    ]
    assert {run.status for run in again} == {"SUCCESS"}, [run.words for run in again]
    assert {run.tags["swarm/lane"] for run in again} == {"shadow"}
    assert desk.count("replays") == desk.count("comparisons") == ORDERS
    assert newest is not None
    assert desk.count("replays", f"at <= '{newest[0]}'") == done  # those before stayed as they were
    assert {table: desk.count(table) for table in LIVE} == dict.fromkeys(LIVE, 0)
    said = "\n".join(run.words for run in [*ended, *again])
    assert "customer.example" not in said
    assert "Kim Berg" not in said
    status = desk.running.json("shadow", "status")
    assert status["comparisons"][0]["compared"] == ORDERS  # type: ignore[index, call-overload]


def test_one_work_order_is_shown_side_by_side_and_labelled(desk: Desk) -> None:
    shown = desk.running.json("shadow", "show", "old-00001")
    assert shown["legacy"]["body_text"]  # type: ignore[index, call-overload]
    assert len(shown["replays"]) == len(shown["comparisons"]) == 1  # type: ignore[index, call-overload]
    assert "pair" in shown["comparisons"][0]  # type: ignore[index, call-overload]
    words = desk.running.swarm("shadow", "show", "old-00001").stdout
    assert "compared under" in words
    none = ("label", "old-00001", "--none", "--reason", "read it", "--actor", "anna")
    assert desk.running.swarm("shadow", *none).returncode == 0
    labels = desk.running.json("shadow", "show", "old-00001")["labels"]  # type: ignore[index, call-overload]
    assert [(each["classes"], each["actor"]) for each in labels] == [([], "anna")]
    refused = desk.running.swarm("shadow", "label", "old-00001", "--reason", "x")
    assert refused.returncode == 2
    assert "--class" in refused.stderr
    assert desk.running.swarm("shadow", "show", "nobody").returncode == 2
