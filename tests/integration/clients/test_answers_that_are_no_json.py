"""Whoever answers no JSON, half of it, or no object: an error of ours, told in time, nothing lost.

The mail reader is the one production builds; values that are odd within good JSON have tests of
their own (``test_fuzzed_*``, ``test_nulls_of_monday``).
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from replying import Mailbox, received, services
from scripted_server import Answer, Asked, ScriptedServer, scripted

from swarm.clients.monday import MondayClient
from swarm.clients.outlook import GraphOutlook
from swarm.clients.patience import Patience
from swarm.clients.protocol import OutcomeUnknownError
from swarm.clients.zapier import ZapierHook
from swarm.errors import RemoteUnavailableError, SwarmError
from swarm.legacy import email_work_order_service
from swarm.legacy.home import IntakeFiles
from swarm.models import Lookup
from swarm.sandbox import environment as sandbox_environment
from swarm.settings import GraphSettings, MondaySettings, Settings, ZapierSettings, load_settings
from swarm.stages.enrichment.gather import gather
from swarm.store.alerts import open_alerts
from swarm.store.database import Database
from swarm.watchman.failing_turns import PATIENCE, tell_failing_turns

pytestmark = pytest.mark.integration

HASTY = Patience(attempts=2, first_wait=0.001, longest_wait=0.002, total_seconds=0.3)
CANARY = "CANARY-of-the-mail"
TOKEN = b'{"access_token": "t", "expires_in": 3599}'
GOOD = json.dumps({"value": [{"id": "id-1", "subject": CANARY}]}).encode()

NO_JSON = {
    "text": Answer(body=f"Sorry, {CANARY}".encode()),
    "a page of a gateway": Answer(body=b"<html><body>Bad gateway</body></html>"),
    "nothing": Answer(body=b""),
    "half of it": Answer(body=GOOD[: len(GOOD) // 2]),
    "cut off": Answer(body=GOOD, manner="cut"),
    "two objects": Answer(body=GOOD + GOOD),
    "another encoding": Answer(body=GOOD.decode().encode("utf-16")),
}
NO_OBJECT = {
    body: Answer(body=body.encode()) for body in ("null", "5", "true", f'"{CANARY}"', "[]", "[{}]")
}
NO_LIST = {
    body: Answer(body=body.encode())
    for body in (
        "{}",
        '{"value": null}',
        '{"value": {}}',
        '{"value": {"0": {"id": "id-1"}}}',
        f'{{"value": "{CANARY}"}}',
        '{"value": 5}',
        '{"Value": []}',
        '{"data": "x"}',
        '{"data": [], "errors": []}',
    )
}
ALL = {**NO_JSON, **NO_OBJECT, **NO_LIST}
each_answer = pytest.mark.parametrize("answer", [*ALL.values()], ids=[*ALL])


class Graph:
    """Lets everybody in; answers everything else with ``odd`` until that is None, then as it was
    told to: two pages of two mails each, then nothing new.
    """

    def __init__(self, url: Callable[[], str]) -> None:
        self.url = url
        self.odd: Answer | None = None
        self.odd_login: Answer | None = None

    def __call__(self, asked: Asked) -> Answer:
        if asked.target.startswith("/login"):
            return self.odd_login or Answer(body=TOKEN)
        if self.odd:
            return self.odd
        root = f"{self.url()}/v1.0"
        if asked.target.endswith("/end"):
            page = {"value": [], "@odata.deltaLink": f"{root}/end"}
        elif asked.target.endswith("/two"):
            page = {"value": [mail(3), mail(4)], "@odata.deltaLink": f"{root}/end"}
        else:
            page = {"value": [mail(1), mail(2)], "@odata.nextLink": f"{root}/two"}
        return Answer(body=json.dumps(page).encode())


def mail(number: int) -> dict[str, object]:
    at = (datetime.now(UTC) - timedelta(minutes=10 - number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    person = {"emailAddress": {"name": "Anna", "address": "anna@example.org"}}
    body = {"contentType": "text", "content": f"{CANARY} {number}"}
    return {"id": f"id-{number}", "from": person, "receivedDateTime": at, "sentDateTime": at,
            "subject": f"Order {number}", "body": body, "uniqueBody": body,
            "isDraft": False, "hasAttachments": False}  # fmt: skip


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted(lambda _: Answer()) as running:
        running.script = Graph(lambda: running.url)
        yield running


def graph_of(server: ScriptedServer) -> Graph:
    assert isinstance(server.script, Graph)
    return server.script


def settings(url: str) -> GraphSettings:
    return GraphSettings(
        base_url=f"{url}/v1.0", authority=f"{url}/login", tenant_id="t", client_id="i",
        client_secret=SecretStr("s"), mailbox="service@example.com",
    )  # fmt: skip


# --- every reader ---------------------------------------------------------------------------------


@each_answer
def test_no_question_to_graph_ends_in_anything_but_an_error_of_ours(
    server: ScriptedServer, answer: Answer
) -> None:
    since = datetime(2026, 11, 1, tzinfo=UTC)
    outlook = GraphOutlook(settings(server.url), patience=HASTY)
    graph_of(server).odd = answer
    found = partial(outlook.find_dispatched, key="k", conversation_id="c", marker="m", since=since)
    questions: list[Callable[[], object]] = [
        lambda: outlook.delta(None, since=since),
        lambda: outlook.delta(f"{server.url}/v1.0/end", since=since),
        lambda: outlook.conversation("c"),
        found,
        outlook.drafts,
        lambda: outlook.inbox(since, since + timedelta(days=1)),
        lambda: outlook.attachments("id-1"),
    ]
    for ask in questions:
        with pytest.raises(SwarmError) as caught:
            ask()
        assert CANARY not in str(caught.value)
        assert caught.value.__cause__ is None or CANARY not in str(caught.value.__cause__)
    outlook.close()


@each_answer
def test_a_login_that_answers_no_token_lets_nobody_in_and_says_so(
    server: ScriptedServer, answer: Answer
) -> None:
    graph_of(server).odd_login = answer
    outlook = GraphOutlook(settings(server.url), patience=HASTY)
    with pytest.raises(SwarmError) as caught:
        outlook.conversation("c")
    assert CANARY not in str(caught.value)
    graph_of(server).odd_login = None
    assert outlook.delta(None, since=datetime(2026, 11, 1, tzinfo=UTC)).next_link
    outlook.close()


@each_answer
def test_the_crm_is_unavailable_and_never_a_miss(server: ScriptedServer, answer: Answer) -> None:
    server.script = lambda _: answer
    boards = MondaySettings(
        api_url=f"{server.url}/v2", token=SecretStr("t"), contacts_board="b1", deals_board="b2"
    )
    client = MondayClient(boards, patience=Patience(attempts=1))
    found = gather(received(), services(monday=client, outlook=Mailbox()))
    client.close()
    assert found.crm.contact is Lookup.UNAVAILABLE
    assert CANARY not in found.crm.detail
    assert found.context.gaps


@pytest.mark.parametrize("answer", [a for n, a in ALL.items() if n != "nothing"])
def test_a_hook_that_does_not_say_success_leaves_it_open_whether_it_took_it(
    server: ScriptedServer, answer: Answer
) -> None:
    server.script = lambda _: answer
    url = SecretStr(f"{server.url}/hooks/catch/1/x/")
    with pytest.raises(OutcomeUnknownError) as caught:
        ZapierHook(ZapierSettings(hook_url=url)).post({"auto_send": "false"})
    assert CANARY not in str(caught.value)


# --- the mail reader over many turns --------------------------------------------------------------


@pytest.fixture
def turn(
    server: ScriptedServer, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], int]]:
    """A turn of the mail reader as its program builds it, only less patient."""
    given = {
        **sandbox_environment(9),
        "DATABASE_URL": database.url,
        "SWARM_KEY_SECRET": "a secret of tests",
        "SWARM_HOME": str(tmp_path),
        "GRAPH_BASE_URL": f"{server.url}/v1.0",
        "GRAPH_AUTHORITY": f"{server.url}/login",
        "GRAPH_TENANT_ID": "t",
        "GRAPH_CLIENT_ID": "i",
        "GRAPH_CLIENT_SECRET": "s",
        "GRAPH_MAILBOX": "service@example.com",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SWARM_SANDBOX_URL", raising=False)
    clients = list[GraphOutlook]()

    def hasty(known: Settings) -> GraphOutlook:
        clients.append(GraphOutlook(known.graph, patience=HASTY))
        return clients[-1]

    monkeypatch.setattr(email_work_order_service, "outlook_of", hasty)
    yield email_work_order_service.build(load_settings())
    for client in clients:
        client.close()


@pytest.mark.parametrize("place", ["first page", "within a sweep", "saved link"])
@pytest.mark.parametrize("name", ["text", "half of it", "[]", '{"value": null}'])
def test_turns_that_read_nothing_are_told_and_nothing_is_lost_when_they_are_over(
    server: ScriptedServer,
    turn: Callable[[], int],
    database: Database,
    name: str,
    place: str,
) -> None:
    graph, files = graph_of(server), IntakeFiles(load_settings().core.swarm_home)

    def told() -> list[tuple[str, str, int]]:
        tell_failing_turns(database, files)
        with database.transaction() as connection:
            alerts = open_alerts(connection)
        assert CANARY not in "".join(alert.detail for alert in alerts)
        return [(alert.kind, alert.subject, alert.count) for alert in alerts]

    _until(server, turn, place, ALL[name])
    while not told():
        with pytest.raises(RemoteUnavailableError):
            turn()
    assert told() == [("intake.turns_fail", "email_work_order_service", PATIENCE)]
    graph.odd = None
    server.script = graph
    turn()
    turn()
    assert told() == []
    lines = [json.loads(line) for line in files.events.read_bytes().splitlines()]
    assert [line["message_id"] for line in lines] == ["id-1", "id-2", "id-3", "id-4"]
    assert not any(line["unread"] for line in lines)


def _until(server: ScriptedServer, turn: Callable[[], int], place: str, answer: Answer) -> None:
    """Bring the reader to where the answers turn odd."""
    graph = graph_of(server)
    if place == "saved link":
        turn()
    if place == "within a sweep":
        server.script = lambda asked: answer if asked.target.endswith("/two") else graph(asked)
    else:
        graph.odd = answer
