"""A company with one mail in its mailbox, and everything that answers it, as production wires it.

Real Postgres, the sandbox over real HTTP, and the publisher's means exactly as Dagster builds them.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from proven import certify

from swarm.intake.stream.rows import accept
from swarm.models import Address, Fence, MessageRef, Publication, Stage, WorkOrder, WorkOrderState
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.round import RoundReport, run_round
from swarm.publishing.switch.commands import flip
from swarm.sandbox.server import RunningSandbox
from swarm.specialists.rules import RulesSpecialist
from swarm.stages.enrichment.gather import gather
from swarm.stages.pipeline import run_chain
from swarm.stages.services import Services
from swarm.stages.stage_events import NOUNS, StageRecorder, Worked
from swarm.store.database import Database
from swarm.store.postgres_queue import PostgresQueue
from swarm.store.protocol import Publisher
from swarm_assets.definitions import build_definitions
from swarm_assets.resources import process

KEY = "wo_" + "k" * 24
CUSTOMER = "anna.keller@example.org"
SUBJECT = "Where is order 10482?"

_MADE_ONCE = (
    process.settings,
    process.database,
    process.outlook,
    process.monday,
    process.zapier,
    process.specialist,
    process.knowledge,
    process.checkpointer,
)
_WIRED = (
    "database",
    "store",
    "queue",
    "zapier",
    "outlook",
    "monday",
    "publishing_deps",
    "publisher",
)


@dataclass
class Company:
    """The mail's work order, and the publisher of it as Dagster builds it."""

    sandbox: RunningSandbox
    database: Database
    services: Services
    queue: PostgresQueue
    deps: PublishingDeps
    publisher: Publisher
    order: WorkOrder
    fence: Fence

    def answer(self) -> Publication:
        """Run all stages."""
        return run_chain(self.order, self.services, self.fence, self.publisher).publication

    def enrich_again(self, run_id: str = "run-2") -> None:
        """What *Materialize* of the enrichment alone does: newer thread, crm and context."""
        recorder = StageRecorder(self.queue.open(KEY, run_id, None), self.services)
        received = recorder.read(Stage.RECEIVED, NOUNS[Stage.RECEIVED])
        found = gather(received, self.services)  # type: ignore[arg-type]
        recorder.record(Stage.THREAD, Worked(found.thread, 1))
        recorder.record(Stage.CRM, Worked(found.crm, 1))
        recorder.record(Stage.CONTEXT, Worked(found.context, 1))

    def appoint(self, to: PublisherName) -> None:
        if to is PublisherName.SWARM:
            certify(self.database)
        with self.database.transaction() as connection:
            flip(connection, to, actor="test", reason="test")

    def writes(
        self, *, from_us: bool, at: datetime | None = None, text: str = "Never mind."
    ) -> None:
        """Somebody writes in the conversation: a colleague of ours, or the customer."""
        self.sandbox.seed_mail(
            CUSTOMER,
            subject=f"Re: {SUBJECT}",
            body_text=text,
            from_us=from_us,
            received_at=at or datetime.now(UTC),
            conversation_id=self.order.ref.conversation_id,
        )

    def round(self) -> RoundReport:
        """Run a round, once the Zap has made the drafts of what it took, as far as it makes any."""
        deadline = time.monotonic() + 3
        while len(self.sandbox.drafts()) < len(self.sandbox.deliveries()):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        return run_round(self.deps)

    def state(self) -> WorkOrderState:
        return self.services.store.state(KEY)

    def sql(self, statement: str, *values: object) -> None:
        with self.database.transaction() as connection:
            connection.execute(statement.encode(), values)


@contextmanager
def founded(database_url: str, folder: Path, environment: pytest.MonkeyPatch) -> Iterator[Company]:
    """Yield a company on a database of its own, the swarm in office."""
    with RunningSandbox(folder, samples=False) as sandbox:
        sandbox.load_samples()
        for name, value in sandbox.environment.items():
            environment.setenv(name, value)
        environment.setenv("DATABASE_URL", database_url)
        environment.setenv("SWARM_KEY_SECRET", "a secret of tests")
        with _wired_by_dagster() as built:
            yield _company(sandbox, built)


@contextmanager
def _wired_by_dagster() -> Iterator[Any]:
    """Build the resources of the code location for this environment, as a run of Dagster does."""
    for made in _MADE_ONCE:
        made.cache_clear()
    defined = build_definitions().resources or {}
    try:
        with dg.build_resources({name: defined[name] for name in _WIRED}) as built:
            yield built
    finally:
        process.outlook().close()
        process.monday().close()
        process.database().close()
        for made in _MADE_ONCE:
            made.cache_clear()


def _company(sandbox: RunningSandbox, built: Any) -> Company:
    settings, database, queue = process.settings(), built.database, built.queue
    order = _arrived(sandbox, settings.graph.mailbox)
    with database.transaction() as connection:
        accept(connection, [order])
        flip(connection, PublisherName.SWARM, actor="test", reason="test")
    services = Services(
        store=built.store,
        specialist=RulesSpecialist(),
        outlook=built.outlook,
        monday=built.monday,
        mailbox=settings.graph.mailbox,
        approved_columns=settings.monday.approved_columns,
    )
    return Company(
        sandbox=sandbox,
        database=database,
        services=services,
        queue=queue,
        deps=built.publishing_deps,
        publisher=built.publisher,
        order=order,
        fence=queue.open(KEY, "run-1", None),
    )


def _arrived(sandbox: RunningSandbox, mailbox: str) -> WorkOrder:
    received = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    text = "Hello,\n\ncould you tell me the status of my order 10482?\n\nAnna Keller"
    mail = sandbox.seed_mail(CUSTOMER, subject=SUBJECT, body_text=text, received_at=received)
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
        subject=SUBJECT,
        body_text=text,
        received_at=received,
        source="test",
    )
