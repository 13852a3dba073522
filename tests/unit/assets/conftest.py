"""A work order on the in-memory store, and everything a run needs around it. No I/O."""

import os
from datetime import UTC, datetime

import pytest

from swarm.models import Address, MessageRef, WorkOrder
from swarm.settings import QueueSettings
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import MemoryQueue

os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")

KEY = "wo_" + "a" * 24


@pytest.fixture
def order() -> WorkOrder:
    """A plain question about an order."""
    return WorkOrder(
        key=KEY,
        original_id="line-1",
        ref=MessageRef(
            mailbox="service@example.org", message_id="m-1", conversation_id="c-1"
        ),
        sender=Address(address="ada@example.net", name="Ada"),
        to=(Address(address="service@example.org"),),
        subject="Where is order 4711?",
        body_text="Hello,\n\nwhere is my order 4711?\n\nAda",
        received_at=datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
        source="test",
    )


@pytest.fixture
def store(order: WorkOrder) -> MemoryStore:
    """A store that has accepted the order."""
    store = MemoryStore()
    store.accept(order)
    return store


@pytest.fixture
def queue(store: MemoryStore) -> MemoryQueue:
    """A queue with the order's job."""
    queue = MemoryQueue(store, QueueSettings())
    queue.enqueue(KEY)
    return queue
