"""One bench, two backends: every contract test runs against memory and against Postgres."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.json import Jsonb

from swarm.models import Address, Fence, MessageRef, WorkOrder
from swarm.settings import QueueSettings
from swarm.store.database import Database
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import MemoryQueue
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue
from swarm.store.protocol import RunStore
from swarm.store.queue import Job, JobQueue

QUEUE = QueueSettings(
    lease_seconds=30,
    max_failures=3,
    backoff_base_seconds=8,
    backoff_cap_seconds=60,
    request_timeout_seconds=120,
)

_AGE = """
UPDATE swarm_jobs
   SET lease_until = lease_until - %(by)s, heartbeat_at = heartbeat_at - %(by)s,
       requested_at = requested_at - %(by)s, not_before = not_before - %(by)s,
       queued_at = queued_at - %(by)s
"""


def order(name: str) -> WorkOrder:
    """A good work order named by a few letters of base32."""
    return WorkOrder(
        key="wo_" + name.ljust(24, "a"),
        original_id=f"WO-{name}",
        ref=MessageRef(mailbox="desk@ours.example"),
        sender=Address(address="jane@customer.example"),
        subject="Where is my parcel?",
        received_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        source="test",
    )


@dataclass(frozen=True)
class Bench:
    """A store and its queue, and what a test does to them from outside."""

    store: RunStore
    queue: JobQueue
    accept: Callable[[WorkOrder], None]
    pass_time: Callable[[float], None]
    job: Callable[[str], Job | None]
    person_did: Callable[[str, str], None]

    order = staticmethod(order)

    def started(self, name: str = "bc", run_id: str = "run-1") -> Fence:
        """Accept a work order, request its run and open it."""
        key = self.queued(name)
        self.queue.request_due(50)
        return self.queue.open(key, run_id, 1)

    def queued(self, name: str = "bc") -> str:
        """Accept a work order and queue it."""
        self.accept(order(name))
        self.queue.enqueue(order(name).key)
        return order(name).key


@pytest.fixture(params=["memory", "postgres"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "memory":
        yield memory_bench()
    else:
        yield postgres_bench(request.getfixturevalue("database"))


@pytest.fixture
def on_postgres(database: Database) -> Bench:
    """For what only production has: statements that see several work orders."""
    return postgres_bench(database)


def memory_bench() -> Bench:
    offset = [timedelta()]

    def pass_time(seconds: float) -> None:
        offset[0] += timedelta(seconds=seconds)

    def accept(work_order: WorkOrder) -> None:
        store.accept(work_order)

    store = MemoryStore(clock=lambda: datetime.now(UTC) + offset[0])
    queue = MemoryQueue(store, QUEUE, draw=lambda: 0.5)

    def person_did(key: str, act: str) -> None:
        store.record(key).act = act

    return Bench(store, queue, accept, pass_time, queue.job, person_did)


def postgres_bench(database: Database) -> Bench:
    def accept(work_order: WorkOrder) -> None:
        insert_order(database, work_order)

    def pass_time(seconds: float) -> None:
        with database.transaction() as connection:
            connection.execute(_AGE, {"by": timedelta(seconds=seconds)})

    def person_did(key: str, act: str) -> None:
        with database.transaction() as connection:
            connection.execute(
                "INSERT INTO reply_outcomes (work_order_key, origin, publisher, act)"
                " VALUES (%s, 'live', 'swarm', %s)",
                (key, act),
            )

    queue = PostgresQueue(database, QUEUE, draw=lambda: 0.5)
    return Bench(PostgresStore(database), queue, accept, pass_time, queue.job, person_did)


def insert_order(database: Database, work_order: WorkOrder) -> None:
    """Do what intake does for one accepted line, without its line."""
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO work_orders (key, original_id, body) VALUES (%s, %s, %s)",
            (work_order.key, work_order.original_id, Jsonb(work_order.model_dump(mode="json"))),
        )


@pytest.fixture
def accept_into() -> Callable[[Database, str], str]:
    """Accept a work order named by a few letters; gives its key."""

    def accept(database: Database, name: str) -> str:
        insert_order(database, order(name))
        return order(name).key

    return accept
