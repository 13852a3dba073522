"""The mail reader whose link, item or header is bad: no mail is lost, and no program ends."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from scripted_server import Answer, Asked, ScriptedServer, scripted

from swarm.clients.http_failures import retry_after_seconds
from swarm.clients.outlook import GraphOutlook
from swarm.clients.patience import Patience
from swarm.errors import PermanentError, RemoteRefusedError, SwarmError, TransientError
from swarm.legacy.email_work_order_service import EmailWorkOrderService
from swarm.legacy.home import IntakeFiles
from swarm.legacy.jsonl import LineLog, read_state, write_state
from swarm.settings import GraphSettings

pytestmark = pytest.mark.integration

START = datetime(2026, 11, 20, 10, tzinfo=UTC)
NOW = START + timedelta(hours=3)
TOKEN = b'{"access_token":"t","expires_in":3599}'
HASTY = Patience(attempts=2, first_wait=0.001, total_seconds=0.2)


def mail(number: int, **changes: object) -> dict[str, object]:
    good = {
        "id": f"id-{number}",
        "internetMessageId": f"<{number}@example.org>",
        "subject": f"Order {number}",
        "from": {"emailAddress": {"address": "anna@example.org", "name": "Anna"}},
        "receivedDateTime": (START + timedelta(minutes=number)).isoformat(),
        "body": {"contentType": "text", "content": f"Where is it? {number}"},
    }
    return {**good, **changes}


class Mailbox:
    """Answers a first call with ``items`` and a saved link with ``answer``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.items: list[object] = [mail(1)]
        self.answer: Answer | None = None
        self.filters: list[str] = []

    def __call__(self, asked: Asked) -> Answer:
        if asked.target.startswith("/login"):
            return Answer(body=TOKEN)
        if "saved" in asked.target and self.answer is not None:
            return self.answer
        if "filter" in asked.target:
            self.filters.append(asked.target)
        page = {"value": self.items, "@odata.deltaLink": f"{self.url}/v1.0/saved?x=1"}
        return Answer(body=json.dumps(page).encode())


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted(lambda _: Answer()) as running:
        running.script = Mailbox(running.url)
        yield running


@pytest.fixture
def service(server: ScriptedServer, tmp_path: Path) -> Iterator[EmailWorkOrderService]:
    settings = GraphSettings(
        base_url=f"{server.url}/v1.0",
        authority=f"{server.url}/login",
        tenant_id="t",
        client_id="i",
        client_secret=SecretStr("s"),
        mailbox="service@example.com",
    )
    outlook = GraphOutlook(settings, patience=HASTY)
    files = IntakeFiles(tmp_path)
    yield EmailWorkOrderService(
        outlook, "service@example.com", files, LineLog(files.events), lambda: NOW
    )
    outlook.close()


def mailbox(server: ScriptedServer) -> Mailbox:
    assert isinstance(server.script, Mailbox)
    return server.script


def seen(service: EmailWorkOrderService) -> list[str]:
    lines = service.files.events.read_bytes().splitlines()
    return [str(json.loads(line)["message_id"]) for line in lines]


@pytest.mark.parametrize("status", [400, 404, 405, 408, 409, 410, 412, 414, 418, 422, 423, 301])
@pytest.mark.parametrize("body", [b'{"error":{"code":"NeverHeardOf"}}', b"<html>", b""])
def test_a_saved_link_that_is_refused_is_dropped_and_reading_goes_on(
    server: ScriptedServer, service: EmailWorkOrderService, status: int, body: bytes
) -> None:
    assert service.poll() == 1
    mailbox(server).answer = Answer(status, body)
    mailbox(server).items.append(mail(2))
    assert service.poll() == 1
    assert seen(service) == ["id-1", "id-2"]
    assert "2026-11-20T04" in mailbox(server).filters[-1]  # the watermark, minus six hours


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_saved_link_is_kept_when_it_is_not_the_link_that_is_refused(
    server: ScriptedServer, service: EmailWorkOrderService, status: int
) -> None:
    service.poll()
    mailbox(server).answer = Answer(status, b"")
    with pytest.raises(SwarmError):
        service.poll()
    assert str(read_state(service.files.service_state)["delta_link"]).endswith("saved?x=1")
    mailbox(server).answer = None
    mailbox(server).items.append(mail(2))
    assert service.poll() == 1
    assert len(mailbox(server).filters) == 1


@pytest.mark.parametrize(
    "link", ["https://old.example.net/v1.0/saved", "http://[", "x", "http://xn--0/", "\u0000"]
)
def test_a_saved_link_that_cannot_be_followed_is_dropped(
    server: ScriptedServer, service: EmailWorkOrderService, link: str
) -> None:
    """A state file from another installation, or one that somebody edited."""
    service.poll()
    state = read_state(service.files.service_state)
    write_state(service.files.service_state, {**state, "delta_link": link})
    mailbox(server).items.append(mail(2))
    assert service.poll() == 1


def test_a_sync_state_that_is_gone_twice_is_an_error_of_ours_and_no_end(
    server: ScriptedServer, service: EmailWorkOrderService
) -> None:
    gone = Answer(410, b'{"error":{"code":"syncStateNotFound"}}')
    good = server.script
    service.poll()
    server.script = lambda asked: Answer(body=TOKEN) if "login" in asked.target else gone
    for _ in range(3):
        with pytest.raises((PermanentError, TransientError)):  # what the daemon outlives
            service.poll()
    server.script = good
    mailbox(server).items.append(mail(2))
    assert service.poll() == 1


@pytest.mark.parametrize(
    "odd",
    [
        None, 5, "x", [], {}, {"subject": "no id"}, {"id": None}, {"id": 5}, {"id": ""},
        {"@removed": {}}, {"id": {"a": 1}}, mail(9, body=5), mail(9, **{"from": ["x"]}),
        mail(9, toRecipients=[None]), mail(9, internetMessageHeaders="x"), mail(9, subject={}),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_an_odd_item_costs_no_other_item_of_its_page(
    server: ScriptedServer, service: EmailWorkOrderService, odd: object, *, first: bool
) -> None:
    mailbox(server).items = [odd, mail(1), mail(2)] if first else [mail(1), mail(2), odd]
    service.poll()
    good = [each for each in seen(service) if each in {"id-1", "id-2"}]
    others = [each for each in seen(service) if each not in {"id-1", "id-2", "id-9"}]
    assert good == ["id-1", "id-2"]
    assert len(others) <= 1, "an item without an id comes in too, by a name of its own"
    assert all(str(each).startswith("without-id-") for each in others)
    service.poll()
    assert len(seen(service)) == len(good) + len(others) + ("id-9" in seen(service))


@pytest.mark.parametrize(
    "changes", [{"body": 5}, {"body": {"content": ["x"]}}, {"receivedDateTime": "yesterday"},
                {"receivedDateTime": None}, {"toRecipients": [None]}]
)  # fmt: skip
def test_a_mail_that_cannot_be_read_whole_comes_in_and_says_so(
    server: ScriptedServer, service: EmailWorkOrderService, changes: dict[str, object]
) -> None:
    """``unread``: the detectors escalate what nobody read."""
    mailbox(server).items = [mail(9, **changes)]
    assert service.poll() == 1
    [event] = [json.loads(line) for line in service.files.events.read_bytes().splitlines()]
    assert event["unread"]


def test_mail_behind_a_link_lost_in_the_middle_of_a_sweep_is_read_again(
    server: ScriptedServer, service: EmailWorkOrderService
) -> None:
    """Graph lists the newest first: after page one the oldest mails are not yet read."""
    newest, oldest = mail(120), mail(1, receivedDateTime="2026-11-19T11:00:00Z")
    lost = True

    def graph(asked: Asked) -> Answer:
        if asked.target.startswith("/login"):
            return Answer(body=TOKEN)
        if "second" in asked.target and lost:
            return Answer(410, b"")
        more = {"@odata.nextLink": f"{server.url}/v1.0/second"}
        page: dict[str, object] = {"value": [newest], **more}
        if "second" in asked.target:
            page = {"value": [oldest], "@odata.deltaLink": f"{server.url}/v1.0/saved"}
        elif "2026-11-20T0" in asked.target:  # asked from after the oldest mail: it is not there
            page = {"value": [newest], "@odata.deltaLink": f"{server.url}/v1.0/saved"}
        return Answer(body=json.dumps(page).encode())

    server.script = graph
    with pytest.raises(RemoteRefusedError):
        service.poll()
    lost = False
    service.poll()
    assert set(seen(service)) == {"id-120", "id-1"}


def test_a_mail_from_the_future_hides_no_other(
    server: ScriptedServer, service: EmailWorkOrderService
) -> None:
    mailbox(server).items = [mail(1, receivedDateTime="2031-12-31T23:59:59Z")]
    service.poll()
    mailbox(server).answer = Answer(410, b"")
    mailbox(server).items = [mail(2)]
    assert service.poll() == 1
    assert "2026-11-20" in mailbox(server).filters[-1]


@pytest.mark.parametrize("watermark", ["yesterday", "2026-11-20T10:00:00", 5, "0001-01-01T00:00Z"])
def test_a_state_file_with_an_odd_watermark_stops_nothing(
    service: EmailWorkOrderService, watermark: object
) -> None:
    write_state(service.files.service_state, {"delta_link": None, "watermark": watermark})
    assert service.poll() == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Fri, 31 Dec 1999 23:59:59", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 -0000", 0.0),
        ("Fri, 31 Dec 9999 23:59:59", 86_400.0),
        ("9" * 400, 86_400.0),
        ("-5", None),
        ("NaN", None),
        ("31 Dec", None),
        ("Fri, 31 Feb 2026 25:61:61 GMT", None),
    ],
)
def test_whatever_stands_in_retry_after_is_a_wait_or_none(
    value: str, seconds: float | None
) -> None:
    assert retry_after_seconds(httpx.Response(429, headers={"Retry-After": value})) == seconds
