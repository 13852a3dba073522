"""A small world in which every promise holds: one work order published, one escalated, one live."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg.types.json import Jsonb

from swarm.clients.protocol import FoundDraft
from swarm.errors import RemoteUnavailableError
from swarm.models import (
    Address,
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
from swarm.settings import QueueSettings
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue
from swarm.store.postgres_transitions import settle_publication

PUBLISHED, ESCALATED, LIVE = ("wo_" + letter * 24 for letter in "pel")
RULES = ("ES-07", "ES-09")
DRAFT, EVIDENCE, RULESET = "d" * 64, "e" * 64, "rules-1"


@dataclass
class Mailbox:
    """A mailbox that answers the one search an audit makes."""

    drafts: dict[str, list[FoundDraft]] = field(default_factory=dict)
    down: bool = False

    def find_dispatched(
        self, *, key: str, conversation_id: str | None, marker: str, since: datetime
    ) -> Sequence[FoundDraft]:
        if self.down:
            raise RemoteUnavailableError("Graph did not answer")
        return [draft for draft in self.drafts.get(key, []) if draft.created_at >= since]

    def put(self, key: str, folder: str = "drafts") -> None:
        draft = FoundDraft(
            message_id=f"m{len(self.drafts)}",
            folder=folder,
            is_draft=True,
            created_at=datetime.now(UTC),
        )
        self.drafts.setdefault(key, []).append(draft)


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

    def opened(self, key: str) -> Fence:
        return self.queue.open(key, f"run-{key[3]}", None)


@pytest.fixture
def world(database: Database) -> World:
    queue = PostgresQueue(database, QueueSettings())
    world = World(database, PostgresStore(database), queue, Mailbox())
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
        sender=Address(address="jane@customer.example"),
        subject="Where is my parcel?",
        received_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        source="test",
    )
    world.run(
        "INSERT INTO work_orders (key, original_id, body) VALUES (%(key)s, %(id)s, %(body)s)",
        key=key,
        id=order.original_id,
        body=Jsonb(order.model_dump(mode="json")),
    )
    world.run(
        "INSERT INTO intake_line (stream, generation, byte_offset, length, line_sha256, status,"
        " work_order_key) VALUES ('work_orders', 1, %(offset)s, 99, 'x', 'accepted', %(key)s)",
        key=key,
        offset=offset,
    )
    world.queue.enqueue(key)


def _publish(world: World, fence: Fence) -> None:
    key = fence.work_order_key
    tier = TierDecision(tier=Tier.ROUTINE, detectors={"lexicon": "1"})
    finished = Event(kind="stage.finished", actor="rules 1", duration_ms=12, cost=0.01)
    world.store.write_stage(fence, Stage.TIER, tier, finished)
    passes = [
        Verdict(
            rule=rule,
            version=RULESET,
            draft_sha256=DRAFT,
            evidence_sha256=EVIDENCE,
            ruling=Ruling.PASS,
            decided_by="rules 1",
        )
        for rule in RULES
    ]
    world.store.record_verdicts(key, passes)
    world.run(
        "INSERT INTO publication_payload (work_order_key, publisher, sha256, draft_sha256,"
        " evidence_sha256, ruleset, body)"
        " VALUES (%(key)s, 'swarm', 'payload', %(draft)s, %(evidence)s, %(ruleset)s, %(body)s)",
        key=key,
        draft=DRAFT,
        evidence=EVIDENCE,
        ruleset=RULESET,
        body=Jsonb({"auto_send": "false", "draft_marker": "Ref: SW-P", "conversation_id": "c-1"}),
    )
    world.run(
        "INSERT INTO publication_ledger (work_order_key, publisher, state, fence, epoch,"
        " payload_sha256, intent_at, attempts, draft_id, changed_at)"
        " VALUES (%(key)s, 'swarm', 'CONFIRMED', 1, 1, 'payload', now(), 1, 'm0',"
        " now() - interval '1 hour')",
        key=key,
    )
    world.store.close(fence, WorkOrderState.PUBLISHING, "handed to the ledger")
    with world.database.transaction() as connection:
        settle_publication(connection, key, WorkOrderState.PUBLISHED, "draft found in drafts")
    world.mailbox.put(key)


@pytest.fixture
def stream(tmp_path: Path) -> Callable[[str], Path]:
    """Write an intake stream file; gives its path."""

    def write(text: str) -> Path:
        path = tmp_path / "work_orders.jsonl"
        path.write_text(text)
        return path

    return write
