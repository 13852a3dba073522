"""A small world in which every promise holds: one work order published, one escalated, one live."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from swarm.clients.protocol import FoundDraft, HookReceipt, StandingDraft
from swarm.errors import RemoteUnavailableError
from swarm.intake.stream.line import content_sha256
from swarm.intake.stream.rows import accept
from swarm.models import (
    Address,
    Draft,
    Event,
    Fence,
    MessageRef,
    Reason,
    Ruling,
    Stage,
    Tier,
    TierDecision,
    Verdict,
    WorkOrder,
    WorkOrderState,
)
from swarm.publishing.control import PublisherName, read_control
from swarm.publishing.ledger.enqueue import enqueue
from swarm.publishing.ledger.marker import draft_marker
from swarm.publishing.ledger.payload import build_payload
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.ledger.transitions import begin_sending, record_accepted, record_confirmed
from swarm.publishing.switch.commands import flip
from swarm.settings import QueueSettings
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue
from swarm.store.postgres_transitions import settle_publication

PUBLISHED, ESCALATED, LIVE = ("wo_" + letter * 24 for letter in "pel")
RULES = ("ES-07", "ES-09")
EVIDENCE, RULESET = "e" * 64, "rules-1"
CUSTOMER, SUBJECT = "jane@customer.example", "Where is my parcel?"


def reply(key: str) -> Draft:
    """What is answered to the customer, with the reference of its work order."""
    marker = draft_marker(key)
    return Draft(
        subject=f"Re: {SUBJECT}",
        body_text=f"It is on its way.\n\n{marker}",
        body_html=f"<p>It is on its way.</p><p>{marker}</p>",
        to=(Address(address=CUSTOMER),),
        author="rules 1",
    )


@dataclass
class Mailbox:
    """A mailbox that answers the two searches an audit makes."""

    found: dict[str, list[FoundDraft]] = field(default_factory=dict)
    down: bool = False

    def find_dispatched(
        self, *, key: str, conversation_id: str | None, marker: str, since: datetime
    ) -> Sequence[FoundDraft]:
        self._answer()
        return [draft for draft in self.found.get(key, []) if draft.created_at >= since]

    def drafts(self) -> Sequence[StandingDraft]:
        self._answer()
        return [
            _as_it_stands(key, draft)
            for key, found in self.found.items()
            for draft in found
            if draft.folder == "drafts"
        ]

    def put(self, key: str, folder: str = "drafts") -> FoundDraft:
        draft = FoundDraft(
            message_id=f"m{sum(map(len, self.found.values()))}",
            folder=folder,
            is_draft=True,
            created_at=datetime.now(UTC),
        )
        self.found.setdefault(key, []).append(draft)
        return draft

    def _answer(self) -> None:
        if self.down:
            raise RemoteUnavailableError("Graph did not answer")


def _as_it_stands(key: str, draft: FoundDraft) -> StandingDraft:
    said = reply(key)
    return StandingDraft(
        message_id=draft.message_id,
        conversation_id="c-1",
        key=key,
        subject=said.subject,
        recipients=(CUSTOMER,),
        text=said.body_text,
        created_at=draft.created_at,
        modified_at=draft.created_at,
    )


@dataclass
class World:
    """The database and what stands around it."""

    database: Database
    store: PostgresStore
    queue: PostgresQueue
    mailbox: Mailbox
    published = PUBLISHED
    escalated = ESCALATED
    live = LIVE
    rules = RULES

    def run(self, sql: str, **parameters: object) -> None:
        """Do something to the tables behind everybody's back."""
        with self.database.transaction() as connection:
            connection.execute(sql, parameters)

    def appoint(self, to: PublisherName) -> None:
        with self.database.transaction() as connection:
            flip(connection, to, actor="test", reason="test")

    def enqueue(self, key: str, draft: Draft, publisher: PublisherName) -> None:
        with self.database.transaction() as connection:
            enqueue(
                connection,
                publisher,
                build_payload(self.store.work_order(key), draft, at=datetime.now(UTC)),
                evidence_sha256=EVIDENCE,
                ruleset=RULESET,
                required_rules=self.rules,
            )

    def post(self, key: str) -> FoundDraft:
        """Claim, post and confirm, as the dispatcher and the reconciler move the row."""
        found = self.mailbox.put(key)
        with self.database.transaction() as connection:
            epoch = read_control(connection).epoch
            owner = {"host": "h", "boot_id": "b", "pid": 1, "starttime": 1}
            assert begin_sending(connection, key, 0, epoch=epoch, owner=owner, claim_id=None)
            assert record_accepted(connection, key, 1, HookReceipt(http_status=200))
            sent = [LedgerState.ACCEPTED]
            assert record_confirmed(
                connection, key, 1, found, "draft found", states=sent, settle_seconds=1800
            )
        return found

    def opened(self, key: str) -> Fence:
        return self.queue.open(key, f"run-{key[3]}", None)


@pytest.fixture
def world(database: Database) -> World:
    queue = PostgresQueue(database, QueueSettings())
    world = World(database, PostgresStore(database), queue, Mailbox())
    world.appoint(PublisherName.SWARM)
    for offset, key in enumerate((PUBLISHED, ESCALATED, LIVE)):
        _accept(world, key, offset * 100)
    _publish(world, world.opened(PUBLISHED))
    world.store.escalate(world.opened(ESCALATED), [Reason(rule="ES-03", detail="asks for a human")])
    world.opened(LIVE)
    return world


def _accept(world: World, key: str, offset: int) -> None:
    order = WorkOrder(
        key=key,
        original_id=f"WO-{key[3]}",
        ref=MessageRef(mailbox="desk@ours.example", conversation_id="c-1"),
        sender=Address(address=CUSTOMER),
        subject=SUBJECT,
        received_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        source="test",
    )
    said = order.model_dump(mode="json", exclude={"key", "original_id"})
    with world.database.transaction() as connection:
        accept(connection, [order])
        connection.execute(
            "INSERT INTO intake_line (stream, generation, byte_offset, length, line_sha256, status,"
            " work_order_key, canonical_sha256) VALUES ('work_orders', 1, %s, 99, 'x', 'accepted',"
            " %s, %s)",
            (offset, key, content_sha256(said)),
        )


def _publish(world: World, fence: Fence) -> None:
    key, draft = fence.work_order_key, reply(fence.work_order_key)
    tier = TierDecision(tier=Tier.ROUTINE, detectors={"lexicon": "1"})
    finished = Event(kind="stage.finished", actor="rules 1", duration_ms=12, cost=0.01)
    world.store.write_stage(fence, Stage.TIER, tier, finished)
    world.store.write_stage(fence, Stage.DRAFT, draft, finished)
    passes = [
        Verdict(
            rule=rule,
            version=RULESET,
            draft_sha256=draft.content_sha256,
            evidence_sha256=EVIDENCE,
            ruling=Ruling.PASS,
            decided_by="rules 1",
        )
        for rule in RULES
    ]
    world.store.record_verdicts(key, passes)
    world.enqueue(key, draft, PublisherName.SWARM)
    world.store.close(fence, WorkOrderState.PUBLISHING, "handed to the ledger")
    found = world.post(key)
    with world.database.transaction() as connection:
        settle_publication(
            connection, key, WorkOrderState.PUBLISHED, f"draft found in {found.folder}"
        )
    world.run("UPDATE publication_ledger SET changed_at = now() - interval '1 hour'")


@pytest.fixture
def stream(tmp_path: Path) -> Callable[[str], Path]:
    """Write an intake stream file; gives its path."""

    def write(text: str) -> Path:
        path = tmp_path / "work_orders.jsonl"
        path.write_text(text)
        return path

    return write
