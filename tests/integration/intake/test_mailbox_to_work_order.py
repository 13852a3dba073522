"""From the mailbox to a queued work order, over real HTTP, real files and a real Postgres."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from swarm.clients.outlook import GraphOutlook
from swarm.intake.stream.tick import ingest
from swarm.legacy.email_work_order_service import EmailWorkOrderService
from swarm.legacy.home import IntakeFiles
from swarm.legacy.intake_stream_processor import IntakeStreamProcessor
from swarm.legacy.jsonl import LineLog
from swarm.legacy.submit import submit
from swarm.sandbox.server import RunningSandbox
from swarm.settings import GraphSettings
from swarm.store.database import Database

pytestmark = pytest.mark.integration


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with RunningSandbox(tmp_path / "sandbox") as running:
        yield running


@pytest.fixture
def mailbox(sandbox: RunningSandbox) -> Iterator[GraphOutlook]:
    own = sandbox.environment
    client = GraphOutlook(
        GraphSettings(
            base_url=own["GRAPH_BASE_URL"],
            authority=own["GRAPH_AUTHORITY"],
            tenant_id=own["GRAPH_TENANT_ID"],
            client_id=own["GRAPH_CLIENT_ID"],
            client_secret=SecretStr(own["GRAPH_CLIENT_SECRET"]),
            mailbox=own["GRAPH_MAILBOX"],
        )
    )
    yield client
    client.close()


@pytest.fixture
def service(
    sandbox: RunningSandbox, mailbox: GraphOutlook, tmp_path: Path
) -> EmailWorkOrderService:
    files = IntakeFiles(tmp_path)
    address = sandbox.environment["GRAPH_MAILBOX"]
    return EmailWorkOrderService(mailbox, address, files, LineLog(files.events))


def work_orders_after(service: EmailWorkOrderService, database: Database) -> int:
    files = service.files
    service.poll()
    IntakeStreamProcessor(files, LineLog(files.work_orders), LineLog(files.ignored)).turn()
    return ingest(database, files.work_orders, "secret").accepted


def test_a_mail_in_the_mailbox_becomes_one_work_order_with_its_graph_ids(
    service: EmailWorkOrderService, sandbox: RunningSandbox, database: Database
) -> None:
    seeded = sandbox.seed_mail("ada@example.org", subject="Lamp", body_text="Where is it?")
    assert work_orders_after(service, database) == 1
    assert work_orders_after(service, database) == 0
    with database.transaction() as connection:
        row = connection.execute("SELECT body->'ref' AS ref FROM work_orders").fetchone()
    assert row is not None
    assert row["ref"]["message_id"] == seeded["id"]
    assert row["ref"]["conversation_id"] == seeded["conversationId"]


def test_our_own_mail_machines_and_repeated_pages_make_no_second_work_order(
    service: EmailWorkOrderService, sandbox: RunningSandbox, database: Database
) -> None:
    sandbox.fault("graph", "delta_duplicates")
    sandbox.seed_mail("ada@example.org", subject="Lamp", body_text="Where is it?")
    sandbox.seed_mail("ada@example.org", subject="Lamp", body_text="Soon.", from_us=True)
    sandbox.seed_mail(
        "robot@example.org",
        subject="Away",
        body_text="I am away",
        headers={"Auto-Submitted": "auto-replied"},
    )
    assert work_orders_after(service, database) == 1
    assert b"auto-reply" in service.files.ignored.read_bytes()


def test_an_expired_delta_link_loses_and_doubles_nothing(
    service: EmailWorkOrderService, sandbox: RunningSandbox, database: Database
) -> None:
    sandbox.seed_mail("ada@example.org", subject="one", body_text="Where is it?")
    assert work_orders_after(service, database) == 1
    sandbox.fault("graph", "delta_expired", times=1)
    sandbox.seed_mail("ada@example.org", subject="two", body_text="And this?")
    assert work_orders_after(service, database) == 1


def test_a_mail_handed_in_by_file_and_seen_in_the_mailbox_is_one_work_order(
    service: EmailWorkOrderService, sandbox: RunningSandbox, database: Database
) -> None:
    raw = (
        b"From: Ada <ada@example.org>\nSubject: Lamp\nMessage-ID: <1@example.org>\n\nWhere is it?\n"
    )
    now = datetime.now(UTC)
    [event] = submit([("a.eml", raw)], service.files.home, service.address, now=now).submitted
    sandbox.seed_mail(
        "ada@example.org",
        subject=event["subject"],
        body_text=event["body_text"],
        internet_message_id=event["internet_message_id"],
    )
    assert work_orders_after(service, database) == 1
