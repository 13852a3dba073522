"""The whole Dagster surface around one work order, on the in-memory store with plain fakes."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import dagster as dg
from replying import KEY, order

from swarm.errors import SwarmError
from swarm.models import Fence, PolicyDecision, WorkOrderState
from swarm.settings import QueueSettings
from swarm.stages.services import Services
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import MemoryQueue
from swarm_assets.definitions import build_definitions
from swarm_assets.partitions import ATTEMPT_TAG, work_orders

DESK = "http://desk.example"


@dataclass
class Ledger:
    """A publisher that keeps what it was handed, as the ledger does, or refuses."""

    store: MemoryStore
    handed: list[PolicyDecision] = field(default_factory=list)
    trouble: SwarmError | None = None

    def hand_over(self, fence: Fence, decision: PolicyDecision) -> WorkOrderState:
        if self.trouble:
            raise self.trouble
        self.handed.append(decision)
        self.store.close(fence, WorkOrderState.PUBLISHING, "handed over")
        return WorkOrderState.PUBLISHING


class House:
    """Services, queue, publisher and a Dagster instance for runs of the work-order job."""

    def __init__(self, instance: dg.DagsterInstance, given: Services) -> None:
        assert isinstance(given.store, MemoryStore)
        self.instance, self.services, self.store = instance, given, given.store
        self.store.accept(order())
        self.queue = MemoryQueue(self.store, QueueSettings())
        self.queue.enqueue(KEY)
        self.ledger = Ledger(self.store)
        instance.add_dynamic_partitions(str(work_orders.name), [KEY])

    def run(
        self, selection: Sequence[str] | None = None, attempt: int | None = None
    ) -> dg.ExecuteInProcessResult:
        """Run the job for the one work order, or only some of its assets."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            job = build_definitions(
                services=self.services,
                queue=self.queue,
                publisher=self.ledger,
                leases=QueueSettings(),
                desk_url=DESK,
            ).resolve_job_def("work_order")
        keys = [dg.AssetKey(["work_order", stage]) for stage in selection or ()]
        return job.execute_in_process(
            instance=self.instance,
            partition_key=KEY,
            asset_selection=keys or None,
            tags={} if attempt is None else {ATTEMPT_TAG: str(attempt)},
            raise_on_error=False,
        )
