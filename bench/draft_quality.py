"""What the drafts of a specialist are worth: 80 invented mails with what a good reply says.

    .venv/bin/python bench/draft_quality.py                                    # the offline rules
    .venv/bin/python bench/draft_quality.py --model NAME --base-url http://host/v1 [--provider P]

Each mail of ``draft_quality.jsonl`` (seven languages) comes with what the CRM and the house's
knowledge say, and goes through ``run_chain`` as in production. Its draft is graded by code: it must
hold one of each group of ``must`` and nothing of ``must_not``, which are patterns. ``want`` says
what is right: a ``reply``, a ``person`` (no draft), or ``either``. The key is read from
MODEL_API_KEY. Figures: bench/README.md.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from swarm.errors import SwarmError
from swarm.intake.mail.clean import receive
from swarm.models import (
    Address,
    CrmField,
    CrmItem,
    Draft,
    MessageRef,
    TierDecision,
    WorkOrder,
)
from swarm.models import Tier as TierLevel
from swarm.settings import ModelSettings, QueueSettings
from swarm.specialists.prompting import Prompts, style_of
from swarm.specialists.protocol import Specialist
from swarm.specialists.rules import RulesSpecialist
from swarm.specialists.select import select_specialist
from swarm.stages.enrichment.gather import gather
from swarm.stages.lone_mail import EmptyCrm, LoneMail
from swarm.stages.pipeline import run_chain
from swarm.stages.reply.draft import brief_of
from swarm.stages.services import Services
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import MemoryQueue

HERE = Path(__file__).parent
MAILBOX = "service@ours.example"
CUSTOMER = "customer@example.org"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
COLUMNS = ("status", "delivery_date", "amount")
Json = dict[str, Any]

# No reply holds these, whatever it is about.
NEVER = (
    r"https?://",
    r"www\.",
    r"[\w.]{1,60}@[\w.]{1,60}",
    r"\[[^\]\n]{1,80}\]",
    r"\{\{",
    r"<think",
    r"\bAs an AI\b",
    r"^Subject:",
)
OUTCOMES = ("good", "nothing", "wrong", "failed")


@dataclass(frozen=True)
class Graded:
    """What became of one mail."""

    mail: Json
    outcome: str
    why: str
    offered: bool = False
    cost: float = 0.0


class Crm(EmptyCrm):
    """The sender, and the one deal the mail is told with."""

    def __init__(self, mail: Json) -> None:
        self._mail = mail

    def contacts_by_email(self, addresses: Sequence[str]) -> Sequence[CrmItem]:
        _ = addresses
        return (CrmItem(item_id="k1", board_id="b1", name=str(self._mail["name"])),)

    def deals_of(self, contact_ids: Sequence[str]) -> Sequence[CrmItem]:
        _ = contact_ids
        deal = self._mail["deal"]
        if not isinstance(deal, dict):
            return ()
        columns = tuple(
            CrmField(item_id="d1", board_id="b2", column_id=name, title=name, text=str(value))
            for name, value in deal.items()
            if name != "name"
        )
        return (CrmItem(item_id="d1", board_id="b2", name=str(deal["name"]), fields=columns),)


def work_order(mail: Json, number: int) -> WorkOrder:
    return WorkOrder(
        key=f"wo_{'a' * 20}{''.join('abcdefghij'[int(d)] for d in f'{number:04}')}",
        original_id=str(mail["id"]),
        ref=MessageRef(mailbox=MAILBOX, message_id="m1", conversation_id="c1"),
        sender=Address(address=CUSTOMER, name=str(mail["name"])),
        to=(Address(address=MAILBOX),),
        subject=str(mail["subject"]),
        body_text=str(mail["text"]),
        received_at=NOW,
        source="bench",
    )


def services_for(
    mail: Json, order: WorkOrder, store: MemoryStore, who: Specialist, folder: Path
) -> Services:
    services = Services(
        store=store,
        specialist=who,
        outlook=LoneMail(order),
        monday=Crm(mail),
        mailbox=MAILBOX,
        approved_columns=COLUMNS,
        model_patience_seconds=0.0,
        clock=lambda: NOW,
    )
    return with_knowledge(services, mail, folder)


def with_knowledge(services: Services, mail: Json, folder: Path) -> Services:
    """Hand the house's answer in, where this version of the chain knows approved answers."""
    told = mail.get("knowledge")
    known = "knowledge" in {each.name for each in fields(Services)}
    if not isinstance(told, dict) or not known or not find_spec("swarm.knowledge"):
        return services
    place = folder / str(mail["id"])
    place.mkdir()
    (place / f"{told['id']}.md").write_text(
        f"---\nid: {told['id']}\ntitle: {told['title']}\nlanguages: [{mail['language']}]\n"
        f"approved_by: nobody (invented)\nvalid_until: 2030-12-31\n---\n\n{told['text']}\n",
        "utf-8",
    )
    shelf = {"knowledge": import_module("swarm.knowledge").Shelf(place)}
    return replace(services, **shelf)


def graded(mail: Json, number: int, store: MemoryStore, who: Specialist, folder: Path) -> Graded:
    """Drive one mail; store and specialist are kept, as a worker process keeps them."""
    order = work_order(mail, number)
    store.accept(order)
    services = services_for(mail, order, store, who, folder)
    queue = MemoryQueue(store, QueueSettings())
    queue.enqueue(order.key)
    (request,) = queue.request_due(1)
    fence = queue.open(order.key, f"bench-{number}", request.attempt)
    try:
        result = run_chain(order, services, fence)
    except SwarmError as error:
        return Graded(mail, "failed", error.message)
    cost = store.model_cost(order.key)
    if not result.policy.publishable:
        outcome = "nothing" if mail["want"] == "reply" else "good"
        why = result.draft.withheld or "; ".join(r.detail for r in result.policy.reasons)
        return Graded(mail, outcome, why, cost=cost)
    said = result.draft.body_text.rpartition("\n")[0]  # the last line is our marker
    faults = list(faults_of(mail, said))
    return Graded(mail, "wrong" if faults else "good", "; ".join(faults), offered=True, cost=cost)


def faults_of(mail: Json, said: str) -> Iterator[str]:
    if mail["want"] == "person":
        yield "a draft, and nothing was asked"
    for group in mail["must"]:
        if not any(_holds(pattern, said) for pattern in group):
            yield f"says nothing like {group[0]!r}"
    for pattern in (*mail["must_not"], *NEVER):
        if _holds(str(pattern), said):
            yield f"holds {pattern!r}"


def _holds(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE | re.MULTILINE) is not None


def table(results: Sequence[Graded], column: str) -> Iterator[str]:
    yield f"| {column} | mails | " + " | ".join(OUTCOMES) + " | drafts offered | wrong of offered |"
    yield "|---|" + "---|" * 7
    names = list(dict.fromkeys(str(r.mail[column]) for r in results))
    for name in (*names, "all"):
        of = [r for r in results if name in ("all", r.mail[column])]
        counts = Counter(r.outcome for r in of)
        offered = sum(r.offered for r in of)
        wrong = f"{counts['wrong'] / offered:.0%}" if offered else "-"
        cells = " | ".join(str(counts[o]) for o in OUTCOMES)
        yield f"| {name} | {len(of)} | {cells} | {offered} | {wrong} |"


def shared_bytes(mails: Sequence[Json], settings: ModelSettings, folder: Path) -> Iterator[str]:
    """Say how much of a work order's prompts begins with the same bytes, in characters."""
    first = second = proposals = reviews = 0
    house, routine = Prompts(style_of(settings)), TierDecision(tier=TierLevel.ROUTINE, detectors={})
    for number, mail in enumerate(mails):
        order, store = work_order(mail, number), MemoryStore()
        store.accept(order)
        services = services_for(mail, order, store, RulesSpecialist(), folder)
        received = receive(order)
        brief = brief_of(received, gather(received, services).context, routine, services)
        draft = Draft(body_text="x" * 400, author="bench")
        classify, propose = house.classify(received), house.propose(brief, None, ())
        first += len(classify.system + classify.known)
        proposals += len(propose.system + propose.data)
        for purpose in ("tone", "fact", "qa"):
            asked = house.review(purpose, brief, draft)
            second += len(propose.system + propose.known)
            reviews += len(asked.system + asked.data)
    yield f"of what `propose` reads, `classify` has read {first / proposals:.0%} before"
    yield f"of what `tone`, `fact` and `qa` read, `propose` has read {second / reviews:.0%} before"


def main() -> int:
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    asked.add_argument("--model", help="a chat model's name; without one the offline rules write")
    asked.add_argument("--base-url", help="where it answers, up to /v1")
    asked.add_argument("--provider", default="openai")
    asked.add_argument("--timeout", type=float, default=60.0)
    asked.add_argument("--only", help="only mails whose id holds this")
    asked.add_argument("--why", action="store_true", help="say of each mail what was wrong")
    told = asked.parse_args()
    settings = ModelSettings(
        name=told.model,
        base_url=told.base_url,
        provider=told.provider,
        timeout_seconds=told.timeout,
        api_key=SecretStr(os.environ.get("MODEL_API_KEY", "not-needed")),
    )
    lines = (HERE / "draft_quality.jsonl").read_text("utf-8").splitlines()
    mails = [m for m in map(json.loads, lines) if not told.only or told.only in m["id"]]
    with tempfile.TemporaryDirectory() as folder:
        store = MemoryStore()
        who = select_specialist(settings, store)
        results = [graded(mail, n, store, who, Path(folder)) for n, mail in enumerate(mails)]
    with tempfile.TemporaryDirectory() as folder:
        shared = [*shared_bytes(mails, settings, Path(folder))]
    if told.why:
        for each in results:
            print(f"{each.outcome:8} {each.mail['id']:28} {each.why}")
    print("\n".join([*table(results, "kind"), "", *table(results, "language"), "", *shared]))
    if told.model:
        print(f"cost per mail {sum(r.cost for r in results) / len(results):.5f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
