"""A desk over an installation in which everything has happened once."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from desk_server import ServedDesk, served_desk
from live_installation import SECRET, Installation, alive

from swarm.store.database import Database


@pytest.fixture(scope="module")
def house(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("house")
    with (
        alive(postgres_server, folder, f"desk_{folder.name}") as founded,
        closing(Database(founded.database.url)) as database,
    ):
        yield replace(founded, database=database)


@pytest.fixture(scope="module")
def desk(house: Installation) -> Iterator[ServedDesk]:
    with served_desk(house.database.url, secret=SECRET) as served:
        yield served
