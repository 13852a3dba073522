"""A desk: real Postgres, the real sandbox over real HTTP, drafts published by the real rounds."""

from collections.abc import Iterator

import pytest
from desk import Desk, graph_settings
from publishing_fixtures import database, ledger_url

from swarm.clients.outlook import GraphOutlook
from swarm.sandbox.server import RunningSandbox
from swarm.store.database import Database

__all__ = ["database", "ledger_url"]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with RunningSandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def desk(database: Database, sandbox: RunningSandbox) -> Iterator[Desk]:
    outlook = GraphOutlook(graph_settings(dict(sandbox.environment)))
    yield Desk(database, sandbox, outlook)
    outlook.close()
