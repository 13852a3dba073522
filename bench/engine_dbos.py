"""An engine of ``engines.py``: one process of DBOS, a work order a durable workflow.

Its steps are the steps of our Dagster job, the same functions over the same tables; what a step
returns DBOS keeps in its own tables beside them, so that a workflow that is taken up again repeats
none. One at a time a process. ``DATABASE_URL`` names our tables; says *ready* once.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from dbos import DBOS, DBOSConfig
from rig import Doubles, doubles

from swarm.intake.mail.clean import receive
from swarm.models import Draft, Fence, Noun, Received, Review, Stage
from swarm.specialists.protocol import Brief
from swarm.stages.checkpointer import borrowing_checkpointer
from swarm.stages.enrichment.gather import Enrichment, gather
from swarm.stages.policy import decide
from swarm.stages.publish import publish
from swarm.stages.reply.draft import brief_of, write_draft
from swarm.stages.reply.review import REVIEW_STAGES, review
from swarm.stages.stage_events import StageRecorder, Worked
from swarm.stages.tier import decide_tier
from swarm.store.database import Database

QUEUE, WORKFLOW, VERSION = "work_orders", "work_order", "bench"
LOOK_EVERY = 0.1
_rig: list[Doubles] = []

Made = TypeVar("Made")
Output = TypeVar("Output", bound=Noun)


class Chain:
    """The steps of one work order."""

    def __init__(self, rig: Doubles, key: str) -> None:
        self.rig, self.services = rig, rig.services
        self.fence = step("open", partial(opened, rig, key))
        self.recorder = StageRecorder(self.fence, self.services)

    def made(self, stage: Stage, work: Callable[[], Output]) -> Output:
        return step(stage, lambda: self._stored(stage, work))

    def _stored(self, stage: Stage, work: Callable[[], Output]) -> Output:
        return self.recorder.record(stage, self.recorder.measured(work))

    def run(self, key: str) -> str:
        services, fence = self.services, self.fence
        mail = self.made(Stage.RECEIVED, lambda: receive(services.store.work_order(key)))
        found = step("enrichment", lambda: self._gathered(mail))
        received, thread, context = found.received, found.thread, found.context
        tier = self.made(Stage.TIER, lambda: decide_tier(received, services, fence, thread))
        brief = brief_of(received, context, tier, services)
        draft = self.made(Stage.DRAFT, lambda: write_draft(received, context, tier, services))
        reviews = step("reviews", lambda: self._reviewed(brief, draft))
        policy = self.made(
            Stage.POLICY,
            lambda: decide(
                fence,
                services,
                received=received,
                context=context,
                tier=tier,
                draft=draft,
                reviews=reviews,
            ),
        )
        publisher = self.rig.publisher
        published = self.made(Stage.PUBLISH, lambda: publish(fence, policy, services, publisher))
        return published.digest()

    def _gathered(self, mail: Received) -> Enrichment:
        found = self.recorder.measured(lambda: gather(mail, self.services))
        result, took = found.result, found.duration_ms
        self.recorder.record(Stage.THREAD, Worked(result.thread, took))
        self.recorder.record(Stage.CRM, Worked(result.crm, took))
        self.recorder.record(Stage.CONTEXT, Worked(result.context, took))
        return result

    def _reviewed(self, brief: Brief, draft: Draft) -> tuple[Review, ...]:
        return tuple(
            self._stored(stage, partial(review, stage, brief, draft, self.services))
            for stage in REVIEW_STAGES
        )


def step(name: str, work: Callable[[], Made]) -> Made:
    """Do it, or return what it gave before the process ended."""
    return DBOS.run_step({"name": str(name)}, work)


def opened(rig: Doubles, key: str) -> Fence:
    claimed = rig.claim(key)
    if claimed is None:
        raise SystemExit("somebody else has this work order; no numbers")
    return rig.queue.open(key, f"dbos-{key}", claimed[1])


@DBOS.workflow(name=WORKFLOW)
def work_order(key: str) -> str:
    return Chain(_rig[0], key).run(key)


@contextmanager
def launched(url: str) -> Iterator[None]:
    config = DBOSConfig(
        name="bench",
        system_database_url=url,
        application_version=VERSION,
        executor_id=f"worker-{os.getpid()}",
        log_level="ERROR",
    )
    DBOS(config=config)
    DBOS.listen_queues([QUEUE])
    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=1, polling_interval_sec=LOOK_EVERY)
    try:
        yield
    finally:
        DBOS.destroy()


def main() -> None:
    url = os.environ["DATABASE_URL"]
    database = Database(url, max_connections=2)
    _rig.append(doubles(database, borrowing_checkpointer(database)))
    with launched(url):
        print("ready", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
