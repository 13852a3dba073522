"""What the rules specialist offers on everyday mail: how many drafts, and a sample to read.

    .venv/bin/python bench/draft_sample.py TICKETS.jsonl [--mails 2000] [--read 60] [--likely]
        [--about PATTERN]

A line of the file is JSON with ``id``, ``subject`` and ``body``. Each mail goes through the whole
chain in memory; its sender is, by a hash of the id, a customer of the sandbox with one order, one
with two, or nobody known, so that an answer beside the question has an order to be wrong about. The
approved answers are the samples'. What is read is judged by a person: does the draft state a value
beside the question, or say nothing at all?
"""

import argparse
import hashlib
import json
import os
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from swarm.clients.monday import MondayClient
from swarm.intake.mail.clean import receive
from swarm.intake.stream.keys import work_order_key
from swarm.knowledge import Shelf
from swarm.models import (
    Address,
    Draft,
    EvidenceKind,
    MessageRef,
    Tier,
    TierDecision,
    WorkOrder,
)
from swarm.sandbox.server import RunningSandbox
from swarm.settings import MondaySettings, QueueSettings
from swarm.specialists.protocol import Brief
from swarm.specialists.rules import RulesSpecialist
from swarm.stages.enrichment.gather import gather
from swarm.stages.lone_mail import LoneMail
from swarm.stages.pipeline import ChainResult, run_chain
from swarm.stages.services import Services
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import MemoryQueue

SENDERS = ("anna.keller@example.org", "chloe.martin@example.net", "nobody.known@example.org")
ANSWERS = Path(__file__).parent.parent / "swarm" / "samples" / "knowledge"
ROUTINE = TierDecision(tier=Tier.ROUTINE, detectors={})
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    """A mail with what became of it."""

    ticket: dict[str, str]
    result: ChainResult


def orders(tickets: list[dict[str, str]]) -> Iterator[tuple[dict[str, str], WorkOrder]]:
    for ticket in tickets:
        place = int(hashlib.sha256(ticket["id"].encode()).hexdigest(), 16) % len(SENDERS)
        ref = MessageRef(
            mailbox="service@example.com", message_id=ticket["id"], conversation_id=ticket["id"]
        )
        yield (
            ticket,
            WorkOrder(
                key=work_order_key("bench", ticket["id"]),
                original_id=ticket["id"],
                ref=ref,
                sender=Address(address=SENDERS[place]),
                to=(Address(address="service@example.com"),),
                subject=ticket.get("subject") or "",
                body_text=ticket.get("body") or "",
                received_at=NOW,
                source="bench",
            ),
        )


def likely(order: WorkOrder, services: Services) -> bool:
    """Whether the specialist would say something, were nothing else against it."""
    received = receive(order)
    context = gather(received, services).context
    brief = Brief(received=received, context=context, tier=ROUTINE, signature="")
    return services.specialist.propose(brief, None, ()).decline is None


def driven(
    tickets: list[dict[str, str]], monday: MondayClient, *, only_likely: bool
) -> Iterator[Outcome]:
    settings, specialist = QueueSettings(), RulesSpecialist()
    for ticket, order in orders(tickets):
        store = MemoryStore()  # one each: these customers write thousands of mails
        queue = MemoryQueue(store, settings)
        store.accept(order)
        queue.enqueue(order.key)
        services = Services(
            store=store,
            specialist=specialist,
            outlook=LoneMail(order),
            monday=monday,
            mailbox="service@example.com",
            approved_columns=("status", "delivery_date", "amount"),
            knowledge=Shelf(ANSWERS),
        )
        if only_likely and not likely(order, services):
            continue
        yield Outcome(ticket, run_chain(order, services, queue.open(order.key, "bench", None)))


def kind_of(outcome: Outcome) -> str:
    """Name what a draft does, or why there is none."""
    result = outcome.result
    if not result.draft.offered:
        return f"no draft: {result.publication.state.value}"
    if not result.policy.publishable:
        return "drafted, refused by a rule"
    return f"draft: {what_it_says(result)}"


def what_it_says(result: ChainResult) -> str:
    kinds = {e.id: e.kind for e in result.context.evidence}
    cited = {kinds[claim.evidence_id] for claim in result.draft.claims}
    said = [
        name
        for kind, name in (
            (EvidenceKind.CRM_FIELD, "states a value"),
            (EvidenceKind.POLICY, "cites an approved answer"),
        )
        if kind in cited
    ]
    return " and ".join(said) or "asks for what is missing"


def shown(outcome: Outcome) -> str:
    draft: Draft = outcome.result.draft
    asks = "\n".join(f"  ? {ask}" for ask in outcome.result.received.asks)
    said = "\n".join(f"  > {line}" for line in draft.body_text.split("\n\n")[2:-2])
    return f"[{kind_of(outcome)}] {outcome.ticket.get('subject', '')[:100]}\n{asks}\n{said}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tickets", type=Path)
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--read", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--likely", action="store_true", help="Skip, cheaply, what the specialist declines"
    )
    parser.add_argument("--about", default="", help="Only mails whose text this pattern finds")
    parser.add_argument("--only", default="draft:", help="Kind to read, by its beginning")
    given = parser.parse_args()
    chance = random.Random(given.seed)  # noqa: S311 - a sample that can be drawn again
    wanted = re.compile(given.about, re.IGNORECASE)
    known = [json.loads(line) for line in given.tickets.read_text("utf-8").splitlines()]
    known = [ticket for ticket in known if wanted.search(ticket.get("body") or "")]
    tickets = chance.sample(known, min(given.mails, len(known)))
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningSandbox(Path(folder), samples=False) as sandbox,
    ):
        sandbox.load_samples()
        os.environ.update(sandbox.environment)
        with closing(MondayClient(MondaySettings())) as monday:
            outcomes = list(driven(tickets, monday, only_likely=given.likely))
    print(f"{len(tickets)} mails, {len(outcomes)} through the whole chain")
    for kind, n in Counter(kind_of(o) for o in outcomes).most_common():
        print(f"{n:6}  {n / len(outcomes):.3f}  {kind}")
    print()
    drafts = [o for o in outcomes if kind_of(o).startswith(given.only)]
    for outcome in chance.sample(drafts, min(given.read, len(drafts))):
        print(shown(outcome))


if __name__ == "__main__":
    main()
