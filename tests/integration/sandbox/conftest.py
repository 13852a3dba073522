"""A sandbox a module, and raw HTTP to it: the doubles are judged without our clients."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from swarm.sandbox.server import RunningSandbox


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    directory: Path = tmp_path_factory.mktemp("sandbox")
    with RunningSandbox(directory, samples=True) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.clear_faults()
    running.configure(settle_seconds=0.01, token_seconds=3599, cursor_seconds=3600)
    return running


@pytest.fixture
def token(sandbox: RunningSandbox) -> str:
    own = sandbox.environment
    form = {
        "grant_type": "client_credentials",
        "client_id": own["GRAPH_CLIENT_ID"],
        "client_secret": own["GRAPH_CLIENT_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
    }
    url = f"{own['GRAPH_AUTHORITY']}/{own['GRAPH_TENANT_ID']}/oauth2/v2.0/token"
    return str(httpx.post(url, data=form).json()["access_token"])


@pytest.fixture
def graph(sandbox: RunningSandbox, token: str) -> Iterator[httpx.Client]:
    """Relative URLs start at the mailbox."""
    own = sandbox.environment
    base = f"{own['GRAPH_BASE_URL']}/users/{own['GRAPH_MAILBOX']}"
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=base, headers=headers) as client:
        yield client


@pytest.fixture
def monday(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    own = sandbox.environment
    headers = {"Authorization": own["MONDAY_TOKEN"], "API-Version": own["MONDAY_API_VERSION"]}
    with httpx.Client(
        base_url=own["MONDAY_API_URL"].removesuffix("/v2"), headers=headers
    ) as client:
        yield client
