"""The last step with the real clients: Graph, the Catch Hook, the sink rules and the chain."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from swarm.clients.monday import MondayClient
from swarm.clients.outlook import GraphOutlook
from swarm.clients.zapier import ZapierHook
from swarm.intake.stream.rows import accept
from swarm.models import Address, Fence, MessageRef, Publication, WorkOrder, WorkOrderState
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.handover import LedgerPublisher
from swarm.publishing.dispatch.round import publications_due, run_round
from swarm.publishing.dispatch.wiring import swarm_publisher
from swarm.publishing.switch.commands import flip
from swarm.sandbox.server import RunningSandbox
from swarm.settings import Settings, load_settings
from swarm.specialists.rules import RulesSpecialist
from swarm.stages.pipeline import run_chain
from swarm.stages.services import Services
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue

pytestmark = pytest.mark.integration

KEY = "wo_" + "k" * 24
CUSTOMER = "anna.keller@example.org"


@dataclass
class Company:
    """A customer's mail in the mailbox, a work order for it, and everything that answers it."""

    sandbox: RunningSandbox
    settings: Settings
    database: Database
    services: Services
    deps: PublishingDeps
    order: WorkOrder
    fence: Fence

    def answer(self) -> Publication:
        """Run all stages."""
        publisher = LedgerPublisher(self.deps, PostgresStore(self.database))
        return run_chain(self.order, self.services, self.fence, publisher).publication

    def state(self) -> WorkOrderState:
        return self.services.store.state(KEY)


@pytest.fixture
def company(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Company]:
    with RunningSandbox(tmp_path, samples=False) as sandbox:
        sandbox.load_samples()
        for name, value in sandbox.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DATABASE_URL", database.url)
        monkeypatch.setenv("SWARM_KEY_SECRET", "a secret of tests")
        settings = load_settings()
        with (
            closing(GraphOutlook(settings.graph)) as outlook,
            closing(MondayClient(settings.monday)) as monday,
        ):
            yield _company(sandbox, settings, database, outlook, monday)


def _company(
    sandbox: RunningSandbox,
    settings: Settings,
    database: Database,
    outlook: GraphOutlook,
    monday: MondayClient,
) -> Company:
    order = _arrived(sandbox, settings)
    with database.transaction() as connection:
        accept(connection, [order])
    queue = PostgresQueue(database, settings.queue)
    queue.enqueue(KEY)
    services = Services(
        store=PostgresStore(database),
        specialist=RulesSpecialist(),
        outlook=outlook,
        monday=monday,
        mailbox=settings.graph.mailbox,
        approved_columns=settings.monday.approved_columns,
    )
    deps = swarm_publisher(settings, database, services.store, ZapierHook(settings.zapier), outlook)
    appoint(database, PublisherName.SWARM)
    fence = queue.open(KEY, "run-1", None)
    return Company(sandbox, settings, database, services, deps, order, fence)


def _arrived(sandbox: RunningSandbox, settings: Settings) -> WorkOrder:
    received = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    text = "Hello,\n\ncould you tell me the status of my order 10482?\n\nAnna Keller"
    mail = sandbox.seed_mail(
        CUSTOMER, subject="Where is order 10482?", body_text=text, received_at=received
    )
    mailbox = settings.graph.mailbox
    return WorkOrder(
        key=KEY,
        original_id="mail-1",
        ref=MessageRef(
            mailbox=mailbox,
            message_id=str(mail["id"]),
            internet_message_id=str(mail["internetMessageId"]),
            conversation_id=str(mail["conversationId"]),
        ),
        sender=Address(address=CUSTOMER),
        to=(Address(address=mailbox),),
        subject="Where is order 10482?",
        body_text=text,
        received_at=received,
        source="test",
    )


def appoint(database: Database, to: PublisherName) -> None:
    with database.transaction() as connection:
        flip(connection, to, actor="test", reason="test")


def test_a_mail_becomes_a_draft_that_is_found_again_and_marked(company: Company) -> None:
    publication = company.answer()
    assert publication.state is WorkOrderState.PUBLISHING, publication.detail
    (draft,) = company.sandbox.wait_for_drafts(1)
    assert draft["conversationId"] == company.order.ref.conversation_id
    assert publications_due(company.deps) == 1
    run_round(company.deps)
    assert company.state() is WorkOrderState.PUBLISHED
    assert publications_due(company.deps) == 0
    found = company.deps.outlook.find_dispatched(
        key=KEY, conversation_id=None, marker="not asked", since=company.order.received_at
    )
    assert [each.message_id for each in found] == [draft["id"]]
    assert len(company.sandbox.deliveries()) == 1


@pytest.mark.parametrize("from_us", [True, False], ids=["a human reply", "another mail"])
def test_a_conversation_that_went_on_since_the_context_was_taken_holds_the_draft(
    company: Company, *, from_us: bool
) -> None:
    """ES-20, asked of the real mailbox right before the claim."""
    appoint(company.database, PublisherName.NONE)
    company.answer()
    company.sandbox.seed_mail(
        CUSTOMER,
        subject="Re: Where is order 10482?",
        body_text="Never mind.",
        from_us=from_us,
        received_at=datetime.now(UTC),
        conversation_id=company.order.ref.conversation_id,
    )
    appoint(company.database, PublisherName.SWARM)
    assert run_round(company.deps).dispatched == {"held": 1}
    assert company.state() is WorkOrderState.HELD
    assert company.sandbox.deliveries() == []
