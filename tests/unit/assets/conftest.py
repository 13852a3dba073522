"""A good mail on the in-memory store, and the whole surface around it with plain fakes. No I/O."""

import os
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster_house import House
from replying import KEY, order, services

from swarm.settings import QueueSettings
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import MemoryQueue

os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def house(instance: dg.DagsterInstance) -> House:
    """A house in which everything is in order."""
    return House(instance, services())


@pytest.fixture
def store() -> MemoryStore:
    """A store that has accepted the order."""
    given = services().store
    assert isinstance(given, MemoryStore)
    given.accept(order())
    return given


@pytest.fixture
def empty_queue(store: MemoryStore) -> MemoryQueue:
    """A queue that the order's job is not in."""
    return MemoryQueue(store, QueueSettings())


@pytest.fixture
def queue(empty_queue: MemoryQueue) -> MemoryQueue:
    """A queue with the order's job."""
    empty_queue.enqueue(KEY)
    return empty_queue
