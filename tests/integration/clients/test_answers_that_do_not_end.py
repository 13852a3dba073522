"""Answers that drip, never end, are too large, or lead elsewhere: each client gives up in time."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from replying import KEY, accepted, services
from scripted_server import Answer, Asked, ScriptedServer, scripted

from swarm.clients.bounded_http import Bounds
from swarm.clients.monday import MondayClient
from swarm.clients.outlook import GraphOutlook
from swarm.clients.patience import Patience
from swarm.clients.protocol import DeltaExpiredError, OutcomeUnknownError
from swarm.clients.zapier import ZapierHook
from swarm.errors import RemoteUnavailableError, SwarmError
from swarm.settings import GraphSettings, ModelSettings, MondaySettings, ZapierSettings
from swarm.specialists.llm import ReviewAnswer
from swarm.specialists.model_calls import ModelCalls
from swarm.specialists.prompting import Prompt

pytestmark = pytest.mark.integration

ONCE = Patience(attempts=1)
SHORT = Bounds(seconds=0.5, most_bytes=1 << 20)
SINCE = datetime(2026, 11, 1, tzinfo=UTC)
TOKEN = "token-of-ours"
BLOCK = b" " * (1 << 16)
GENEROUS = 25.0  # far above the half second, far below the thirty the server would go on


class Known:
    """A token that needs no login."""

    def get(self) -> str:
        return TOKEN

    def drop(self, token: str) -> None:
        assert token == TOKEN


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted(lambda _: Answer()) as running:
        yield running


@contextmanager
def outlook_at(url: str) -> Iterator[GraphOutlook]:
    settings = GraphSettings(
        base_url=f"{url}/v1.0",
        authority=f"{url}/login",
        tenant_id="t",
        client_id="i",
        client_secret=SecretStr("s"),
        mailbox="service@example.com",
    )
    with closing(GraphOutlook(settings, tokens=Known(), patience=ONCE, bounds=SHORT)) as client:
        yield client


@contextmanager
def monday_at(url: str) -> Iterator[MondayClient]:
    settings = MondaySettings(
        api_url=f"{url}/v2",
        token=SecretStr(TOKEN),
        contacts_board="b1",
        deals_board="b2",
        deal_contact_column="c",
    )
    with closing(MondayClient(settings, patience=ONCE, bounds=SHORT)) as client:
        yield client


def asks_model(url: str) -> object:
    settings = ModelSettings(base_url=url, name="m", api_key=SecretStr(TOKEN), timeout_seconds=0.5)
    bundle = services()
    accepted(bundle)
    calls = ModelCalls(settings, bundle.store, sleep=lambda _: None)
    prompt = Prompt(purpose="test", system="s", known="k", task="t")
    return calls.ask(KEY, prompt, ReviewAnswer)


def posts(url: str) -> object:
    hook = ZapierHook(ZapierSettings(hook_url=SecretStr(f"{url}/h")), deadline_seconds=0.5)
    return hook.post({"auto_send": "false"})


def reads(url: str) -> object:
    with outlook_at(url) as outlook:
        return outlook.delta(None, since=SINCE)


def looks_up(url: str) -> object:
    with monday_at(url) as monday:
        return monday.contacts_by_email(["a@b.example"])


CLIENTS: dict[str, Callable[[str], object]] = {
    "mailbox": reads,
    "contacts": looks_up,
    "hook": posts,
    "model": asks_model,
}


@pytest.mark.fault("T33", "T42")
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("manner", ["drip", "head_drip", "endless"])
def test_an_answer_that_does_not_end_is_given_up_in_time(
    server: ScriptedServer, client: str, manner: str
) -> None:
    body = BLOCK if manner == "endless" else b" " * 5000
    server.script = lambda _: Answer(body=body, manner=manner)
    began = time.monotonic()
    with pytest.raises(SwarmError) as caught:
        CLIENTS[client](server.url)
    assert isinstance(caught.value, RemoteUnavailableError | OutcomeUnknownError)
    assert time.monotonic() - began < GENEROUS


@pytest.mark.parametrize("service", ["Graph", "monday.com"])
def test_a_connection_used_before_is_cut_as_well(server: ScriptedServer, service: str) -> None:
    """The head of a second answer drips on a connection that was kept from the first."""
    with outlook_at(server.url) as outlook, monday_at(server.url) as monday:
        asks: dict[str, Callable[[], object]] = {
            "Graph": lambda: outlook.delta(None, since=SINCE),
            "monday.com": lambda: monday.updates_of(["1"]),
        }
        server.script = lambda _: Answer(body=b'{"value": [], "data": {"items": []}}')
        asks[service]()
        server.script = lambda _: Answer(body=b"{}", manner="head_drip")
        began = time.monotonic()
        with pytest.raises(RemoteUnavailableError):
            asks[service]()
        assert time.monotonic() - began < GENEROUS


def test_an_empty_body_that_we_cut_off_is_no_silent_success(server: ScriptedServer) -> None:
    """200 and nothing more: a body without a length, from a server that stays silent."""
    server.script = lambda _: Answer(body=b"HTTP/1.1 200 OK\r\n\r\n", manner="raw_and_silent")
    with pytest.raises(OutcomeUnknownError):
        posts(server.url)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed_and_no_secret_goes_elsewhere(
    server: ScriptedServer, client: str, status: int
) -> None:
    with scripted(lambda _: Answer()) as foreign:
        location = ("Location", f"{foreign.url}/elsewhere")
        server.script = lambda _: Answer(status, b"{}", (location,))
        with pytest.raises(SwarmError):
            CLIENTS[client](server.url)
        assert foreign.asked == []


@pytest.mark.parametrize(
    "link",
    [
        "{foreign}/v1.0/next",
        "http://127.0.0.1:1/v1.0/next",
        "https://graph.example.net/v1.0/next",
        "http://user:pass@{own}/v1.0/next",
        "http://[::1",
        "http://xn--0/",
        "//foreign.example.net/x",
        "\u0000",
        "",
    ],
)
def test_no_token_goes_where_a_page_link_leads_astray(server: ScriptedServer, link: str) -> None:
    with scripted(lambda _: Answer()) as foreign:
        where = link.format(foreign=foreign.url, own=server.url.removeprefix("http://"))
        page = {"value": [], "@odata.nextLink": where}

        def graph(asked: Asked) -> Answer:
            if "/mailFolders/" in asked.target:
                return Answer(body=b'{"id":"f"}')
            return Answer(body=json.dumps(page).encode())

        server.script = graph
        with outlook_at(server.url) as outlook:
            with pytest.raises(SwarmError):
                outlook.conversation("c")
            with pytest.raises(DeltaExpiredError):
                outlook.delta(where, since=SINCE)
        assert foreign.asked == []
        assert not any("next" in asked.target for asked in server.asked)


@pytest.mark.parametrize("fresh", [True, False], ids=["ever new links", "the same link again"])
def test_pages_without_end_are_given_up(server: ScriptedServer, *, fresh: bool) -> None:
    def graph(asked: Asked) -> Answer:
        if "/mailFolders/" in asked.target:
            return Answer(body=b'{"id":"f"}')
        number = len(server.asked) if fresh else 0
        link = f"{server.url}/v1.0/next?{number}"
        return Answer(body=json.dumps({"value": [], "@odata.nextLink": link}).encode())

    server.script = graph
    with (
        outlook_at(server.url) as outlook,
        pytest.raises(RemoteUnavailableError, match="do not come to an end"),
    ):
        outlook.conversation("c")


def test_a_page_too_large_is_asked_for_again_in_pages_of_one(server: ScriptedServer) -> None:
    def graph(asked: Asked) -> Answer:
        if "odata.maxpagesize=1" in asked.headers["prefer"].replace("=50", ""):
            items = [{"id": "one", "receivedDateTime": "2026-11-20T10:00:00Z"}]
            return Answer(body=json.dumps({"value": items}).encode())
        return Answer(body=b" " * (2 << 20))

    server.script = graph
    with outlook_at(server.url) as outlook:
        read = outlook.delta(None, since=SINCE)
    assert [message.message_id for message in read.messages] == ["one"]
