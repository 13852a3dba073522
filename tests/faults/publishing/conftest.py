"""A fresh ledger and a postbox over real HTTP for every test."""

from collections.abc import Iterator

import pytest
from postbox import Postbox
from publishing_world import World

from swarm.store.database import Database


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """A Catch Hook and its mailbox."""
    with Postbox() as box:
        yield box


@pytest.fixture
def world(database: Database, postbox: Postbox) -> World:
    """A ledger in which the swarm may publish."""
    world = World(database, postbox)
    world.appoint("swarm")
    return world
