"""A queue with work orders that are due, and prefetchers that live or died."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from psycopg.types.json import Jsonb

from swarm.models import Address, MessageRef, WorkOrder
from swarm.prefetch.claims import PrefetchClaims
from swarm.settings import QueueSettings
from swarm.store.database import Database
from swarm.store.postgres_queue import PostgresQueue

QUEUE = QueueSettings(prefetch_seconds=60)


@dataclass
class Line:
    """The queue, and what a test does to it from outside."""

    database: Database
    queue: PostgresQueue

    def due(self, name: str) -> str:
        """Accept and queue a work order."""
        order = WorkOrder(
            key="wo_" + name.ljust(24, "a"),
            original_id=name,
            ref=MessageRef(mailbox="desk@ours.example"),
            sender=Address(address="jane@customer.example"),
            subject="Where is my parcel?",
            received_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
            source="test",
        )
        self.sql(
            "INSERT INTO work_orders (key, original_id, body) VALUES (%s, %s, %s)",
            order.key, order.original_id, Jsonb(order.model_dump(mode="json")),
        )  # fmt: skip
        self.queue.enqueue(order.key)
        return order.key

    def prefetcher(self, host: str = "one") -> PrefetchClaims:
        return PrefetchClaims(self.database, host=host, owner=f"boot:{host}:1")

    def requested(self) -> list[str]:
        return [each.work_order_key for each in self.queue.request_due(50)]

    def sql(self, statement: str, *values: object) -> None:
        with self.database.transaction() as connection:
            connection.execute(statement.encode(), values)

    def pass_time(self, seconds: float) -> None:
        """Age whatever has a time, as if so many seconds had gone by without anybody."""
        for table, columns in (
            ("prefetches", ("lease_until", "began_at")),
            ("prefetchers", ("seen_at",)),
            ("swarm_jobs", ("not_before", "queued_at")),
        ):
            moved = ", ".join(
                f"{name} = {name} - make_interval(secs => {seconds})" for name in columns
            )
            self.sql(f"UPDATE {table} SET {moved}")


@pytest.fixture
def line(database: Database) -> Line:
    return Line(database, PostgresQueue(database, QUEUE))
