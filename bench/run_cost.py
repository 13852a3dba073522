"""What one work order costs in one warm process: wall and CPU time of the whole Dagster run, and of
a bare worker that drives the same stages over the same tables without Dagster, in turns.

    .venv/bin/python bench/run_cost.py [--runs 20] [--profile]

Real: Postgres, Dagster's storage, our store, queue, checkpointer, graphs, rules; not real is what
``rig`` says. The same by processes of their own, with others beside them: ``engines.py``.
"""

import argparse
import cProfile
import json
import os
import pstats
import statistics
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from rig import Doubles, doubles, server

from swarm.settings import QueueSettings
from swarm.stages.checkpointer import postgres_checkpointer
from swarm.stages.pipeline import run_chain
from swarm.store.database import Database
from swarm_assets.definitions import build_definitions
from swarm_assets.partitions import ATTEMPT_TAG, work_orders

INSTANCE = """
storage:
  custom:
    module: swarm_assets.runtime.storage
    class: PooledPostgresStorage
    config: {{postgres_url: "{url}"}}
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
python_logs: {{python_log_level: ERROR}}
telemetry: {{enabled: false}}
"""


@dataclass
class Bench:
    """One work order after the other through the real job."""

    instance: dg.DagsterInstance
    job: dg.JobDefinition
    rig: Doubles

    def one(self, number: int) -> tuple[float, float]:
        """Accept a mail, run its job; return wall and CPU seconds of the run alone."""
        key, attempt = self._due(number)
        self.instance.add_dynamic_partitions(str(work_orders.name), [key])
        wall, cpu = time.perf_counter(), time.process_time()
        result = self.job.execute_in_process(
            instance=self.instance, partition_key=key, tags={ATTEMPT_TAG: str(attempt)}
        )
        taken = time.perf_counter() - wall, time.process_time() - cpu
        if not result.success:
            raise SystemExit("a run failed; no numbers")
        self.rig.must_be_drafted(key)
        return taken

    def bare(self, number: int) -> tuple[float, float]:
        """The same without Dagster: SKIP LOCKED, fence, stages, one transaction each."""
        key, attempt = self._due(number)
        mail = self.rig.services.store.work_order(key)
        wall, cpu = time.perf_counter(), time.process_time()
        fence = self.rig.queue.open(key, f"bare-{number}", attempt)
        run_chain(mail, self.rig.services, fence, self.rig.publisher)
        taken = time.perf_counter() - wall, time.process_time() - cpu
        self.rig.must_be_drafted(key)
        return taken

    def _due(self, number: int) -> tuple[str, int]:
        self.rig.make_due(self.rig.accept([number]))
        (due,) = self.rig.queue.request_due(1)
        return due.work_order_key, due.attempt


@contextmanager
def bench() -> Iterator[Bench]:
    """Set everything up in a directory of its own."""
    with server() as (directory, url):
        home = directory / "dagster"
        home.mkdir()
        dagster_url = url.replace("postgresql://", "postgresql+psycopg2://")
        (home / "dagster.yaml").write_text(INSTANCE.format(url=dagster_url))
        database = Database(url)
        with (
            closing(database),
            dg.DagsterInstance.from_config(str(home)) as instance,
            postgres_checkpointer(url) as saver,
        ):
            rig = doubles(database, saver)
            definitions = build_definitions(
                services=rig.services,
                queue=rig.queue,
                publisher=rig.publisher,
                leases=QueueSettings(),
                desk_url="http://127.0.0.1",
            )
            yield Bench(instance, definitions.resolve_job_def("work_order"), rig)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = "50"  # as every program is given
    with bench() as rig:
        for number in range(3):
            rig.one(number)
        if options.profile:
            profile = cProfile.Profile()
            profile.runcall(rig.one, 3)
            pstats.Stats(profile).sort_stats("cumtime").print_stats(80)
            return
        taken: dict[str, list[tuple[float, float]]] = {"Dagster": [], "bare": []}
        rig.bare(3)
        for number in range(options.runs):
            taken["Dagster"].append(rig.one(4 + 2 * number))
            taken["bare"].append(rig.bare(5 + 2 * number))
    if options.json:
        figures = {
            f"{who}, {name}, ms": round(1000 * statistics.median(values))
            for who, measures in taken.items()
            for name, values in zip(("wall", "cpu"), zip(*measures, strict=True), strict=True)
        }
        options.json.write_text(json.dumps(figures, indent=1))
    for who, measures in taken.items():
        for name, values in zip(("wall", "cpu"), zip(*measures, strict=True), strict=True):
            ordered = sorted(values)
            middle, worst = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
            print(f"{who:<8}{name:>5}: median {middle * 1000:.0f} ms, p95 {worst * 1000:.0f} ms")


if __name__ == "__main__":
    main()
