"""The mailbox reader against a server that answers anything: thousands of answers, real HTTP.

Each answer is made from its own seed, which a failure names: ``SEED=... pytest -k ...`` repeats it.
"""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from odd_answers import odd_answer, odd_value, spoiled, written
from pydantic import SecretStr
from scripted_server import Answer, Asked, ScriptedServer, scripted

from swarm.clients.bounded_http import Bounds
from swarm.clients.lenient import gaps_of
from swarm.clients.outlook import GraphOutlook
from swarm.clients.patience import Patience
from swarm.clients.protocol import AttachmentsUnknownError
from swarm.errors import SwarmError
from swarm.legacy.email_work_order_service import EmailWorkOrderService
from swarm.legacy.home import IntakeFiles
from swarm.legacy.jsonl import LineLog
from swarm.settings import GraphSettings

pytestmark = pytest.mark.integration

MAILBOX = "service@example.com"
SINCE = datetime(2026, 11, 1, tzinfo=UTC)
CANARY = "CANARY-of-the-mail"
FIRST_SEED = int(os.environ.get("SEED", "20261126"))
HASTY = Patience(attempts=2, first_wait=0.001, longest_wait=0.002, total_seconds=0.3)
TOKEN = json.dumps({"access_token": "t", "expires_in": 3599}).encode()


def mail(number: int) -> dict[str, object]:
    """A mail as Graph shows it, to a reader that selects everything."""
    person = {"emailAddress": {"name": "Anna", "address": "anna@example.org"}}
    at = (SINCE + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f"{CANARY} {number}"
    return {
        "id": f"id-{number}",
        "conversationId": "c1",
        "internetMessageId": f"<{number}@example.org>",
        "internetMessageHeaders": [{"name": "X", "value": "y"}],
        "subject": f"Order {number}",
        "from": person,
        "sender": person,
        "replyTo": [],
        "toRecipients": [{"emailAddress": {"name": "us", "address": MAILBOX}}],
        "ccRecipients": [person],
        "receivedDateTime": at,
        "sentDateTime": at,
        "createdDateTime": at,
        "isDraft": False,
        "isRead": "false",
        "hasAttachments": False,
        "parentFolderId": "inbox",
        "body": {"contentType": "text", "content": text},
        "uniqueBody": {"contentType": "text", "content": text},
    }


def settings(url: str) -> GraphSettings:
    return GraphSettings(
        base_url=f"{url}/v1.0",
        authority=f"{url}/login",
        tenant_id="tenant",
        client_id="id",
        client_secret=SecretStr("secret"),
        mailbox=MAILBOX,
    )


def answering(body: bytes, answer: Answer | None = None) -> "Graph":
    return Graph(answer or Answer(body=body))


class Graph:
    """Gives tokens and folders in order, and to every other question one answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, asked: Asked) -> Answer:
        if asked.target.startswith("/login"):
            return Answer(body=TOKEN)
        if "/mailFolders/" in asked.target and "delta" not in asked.target:
            folder = asked.target.partition("?")[0].rsplit("/", 1)[1]
            return Answer(body=json.dumps({"id": folder}).encode())
        return self.answer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted(answering(b"{}")) as running:
        yield running


@pytest.fixture
def outlook(server: ScriptedServer) -> Iterator[GraphOutlook]:
    client = GraphOutlook(settings(server.url), patience=HASTY, bounds=Bounds(seconds=20.0))
    yield client
    client.close()


def page(items: list[object], server: ScriptedServer, **more: object) -> bytes:
    link = {"@odata.deltaLink": f"{server.url}/v1.0/delta?$deltatoken=1"}
    return written({"value": items, **link, **more}).encode("utf-8", "surrogatepass")


def test_no_good_item_of_a_page_is_lost_because_of_a_bad_one(
    server: ScriptedServer, outlook: GraphOutlook
) -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + 600):
        random = Random(seed)
        good = [mail(number) for number in range(3)]
        bad = [
            spoiled(mail(9), random) if random.random() < 0.7 else odd_value(random)
            for _ in range(random.randint(1, 2))
        ]
        mixed: list[object] = [*good, *bad]
        random.shuffle(mixed)
        server.script = answering(page(mixed, server))
        told = f"seed {seed}"
        read = outlook.delta(None, since=SINCE)
        kept = {message.message_id: message for message in read.messages}
        assert {"id-0", "id-1", "id-2"} <= set(kept), told
        assert all(not kept[f"id-{n}"].unread for n in range(3)), told
        assert len(read.messages) == len(mixed), told
        assert read.delta_link, told
        thread = outlook.conversation("c1")
        assert {"id-0", "id-1", "id-2"} <= {each.message_id for each in thread}, told
        whole = {each.message_id for each in thread} - {"id-0", "id-1", "id-2"}
        assert gaps_of(thread) or len(whole) <= len(bad), told
        assert CANARY not in " ".join(gaps_of(thread)), told


@pytest.mark.parametrize("what", ["delta", "link", "conversation", "drafts", "attachments", "mark"])
def test_only_our_own_errors_leave_the_reader_whatever_is_answered(
    server: ScriptedServer, outlook: GraphOutlook, what: str
) -> None:
    began = time.monotonic()
    questions = {
        "delta": lambda: outlook.delta(None, since=SINCE),
        "link": lambda: outlook.delta(f"{server.url}/v1.0/delta?x=1", since=SINCE),
        "conversation": lambda: outlook.conversation("c1"),
        "drafts": lambda: outlook.find_dispatched(
            key="k", conversation_id="c1", marker="[m]", since=SINCE
        ),
        "attachments": lambda: outlook.attachments("id-1"),
        "mark": lambda: outlook.mark_dispatched("id-1", "k"),
    }
    for seed in range(FIRST_SEED, FIRST_SEED + 220):
        random = Random(seed)
        good = page([mail(1), mail(2)], server)
        if random.random() < 0.3:
            top = spoiled({"value": [mail(1)], "@odata.nextLink": "x", "error": {}}, random)
            good = written(top).encode("utf-8", "surrogatepass")
        server.script = answering(good, odd_answer(good, random))
        told = ""
        try:
            questions[what]()
        except SwarmError as error:
            told = str(error)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__} left the client") from error
        assert CANARY not in told, f"seed {seed}"
    assert time.monotonic() - began < 900  # bounded, generously: a hung answer would be 45 s each


def test_a_list_of_attachments_that_cannot_be_had_is_unknown_and_names_its_message(
    server: ScriptedServer, outlook: GraphOutlook
) -> None:
    for body in (b'{"value":[null]}', b'{"value":null}', b"<html>", b'{"value":[{"size":"big"}]}'):
        server.script = answering(body)
        with pytest.raises(AttachmentsUnknownError) as caught:
            outlook.attachments("id-7")
        assert caught.value.message_id == "id-7"
    for status in (400, 403, 404, 410, 500, 503):
        server.script = answering(b"", Answer(status, b"", (("Retry-After", "0"),)))
        with pytest.raises(AttachmentsUnknownError):
            outlook.attachments("id-7")


class Moody:
    """A mailbox of forty mails in pages of five that answers something odd every other time."""

    def __init__(self, server: ScriptedServer, seed: int) -> None:
        self._server, self._random = server, Random(seed)
        self.well = False
        self.mails: list[object] = [mail(number) for number in range(40)]

    def __call__(self, asked: Asked) -> Answer:
        if asked.target.startswith("/login"):
            return Answer(body=TOKEN)
        good = self._page(asked.target)
        if self.well or self._random.random() < 0.4:
            return Answer(body=good)
        return odd_answer(good, self._random)

    def _page(self, target: str) -> bytes:
        place = target.rpartition("at=")[2]
        at = int(place) if place.isdigit() else 40 if "done" in target else 0
        items = self.mails[at : at + 5]
        if not self.well:
            items = [*items, odd_value(self._random)]
        done = f"{self._server.url}/v1.0/done"
        name = "@odata.nextLink" if at + 5 < 40 else "@odata.deltaLink"
        link: object = self._at(at + 5) if at + 5 < 40 else done
        if not self.well and self._random.random() < 0.2:
            link = self._random.choice(
                (None, 5, "x", "https://foreign.example.net/x", "http://[", self._at(at))
            )
        return written({"value": items, name: link}).encode("utf-8", "surrogatepass")

    def _at(self, at: int) -> str:
        return f"{self._server.url}/v1.0/next?at={at}"


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + 8))
def test_no_mail_is_missing_when_the_mailbox_is_well_again(
    server: ScriptedServer, outlook: GraphOutlook, tmp_path: Path, seed: int
) -> None:
    """Whatever was answered meanwhile, links lost, pages in a circle: forty mails in the end."""
    moody = Moody(server, seed)
    server.script = moody
    files = IntakeFiles(tmp_path)
    service = EmailWorkOrderService(
        outlook, MAILBOX, files, LineLog(files.events), lambda: SINCE + timedelta(hours=2)
    )
    for _ in range(30):
        try:
            service.poll()
        except SwarmError:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}") from error
    moody.well = True
    for _ in range(3):
        try:
            service.poll()
        except SwarmError:
            continue
    lines = [json.loads(line) for line in files.events.read_bytes().splitlines()]
    seen = {line["message_id"] for line in lines}
    assert {f"id-{number}" for number in range(40)} <= seen, f"seed {seed}"
    assert len(lines) == len(seen)
