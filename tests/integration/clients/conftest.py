"""Real clients against the doubles, over real HTTP. One sandbox a module, healthy per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from swarm.clients.monday import MondayClient
from swarm.clients.outlook import GraphOutlook
from swarm.clients.patience import Patience
from swarm.clients.zapier import ZapierHook
from swarm.sandbox.server import RunningSandbox
from swarm.settings import GraphSettings, MondaySettings, ZapierSettings

HASTY = Patience(attempts=4, first_wait=0.005, longest_wait=0.02, total_seconds=5.0)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    directory: Path = tmp_path_factory.mktemp("sandbox")
    with RunningSandbox(directory, samples=True) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.clear_faults()
    running.configure(
        settle_seconds=0.01, token_seconds=3599, cursor_seconds=3600, monday_daily_limit=None
    )
    return running


@pytest.fixture
def graph_settings(sandbox: RunningSandbox) -> GraphSettings:
    own = sandbox.environment
    return GraphSettings(
        base_url=own["GRAPH_BASE_URL"],
        authority=own["GRAPH_AUTHORITY"],
        tenant_id=own["GRAPH_TENANT_ID"],
        client_id=own["GRAPH_CLIENT_ID"],
        client_secret=SecretStr(own["GRAPH_CLIENT_SECRET"]),
        mailbox=own["GRAPH_MAILBOX"],
    )


@pytest.fixture
def outlook(graph_settings: GraphSettings) -> Iterator[GraphOutlook]:
    client = GraphOutlook(graph_settings, patience=HASTY)
    yield client
    client.close()


@pytest.fixture
def monday_settings(sandbox: RunningSandbox) -> MondaySettings:
    own = sandbox.environment
    return MondaySettings(
        api_url=own["MONDAY_API_URL"],
        api_version=own["MONDAY_API_VERSION"],
        token=SecretStr(own["MONDAY_TOKEN"]),
        contacts_board=own["MONDAY_CONTACTS_BOARD"],
        deals_board=own["MONDAY_DEALS_BOARD"],
        deal_contact_column=own["MONDAY_DEAL_CONTACT_COLUMN"],
    )


@pytest.fixture
def monday(monday_settings: MondaySettings) -> Iterator[MondayClient]:
    client = MondayClient(monday_settings, patience=HASTY)
    yield client
    client.close()


@pytest.fixture
def hook(sandbox: RunningSandbox) -> ZapierHook:
    return ZapierHook(ZapierSettings(hook_url=SecretStr(sandbox.environment["ZAPIER_HOOK_URL"])))
