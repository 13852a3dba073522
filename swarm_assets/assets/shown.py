"""What a person reads at a materialization: nouns in, Dagster metadata out.

Pure. The rendered draft, the evidence and who wrote appear here and only here, where an erasure
reaches them; tags, logs, run config, cursors and event details never carry mail text.
"""

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TypeAlias

import dagster as dg

from swarm.models import (
    Address,
    Context,
    Crm,
    Draft,
    PolicyDecision,
    Publication,
    Reason,
    Received,
    Review,
    Ruling,
    Thread,
    TierDecision,
    WorkOrder,
    WorkOrderState,
)

_CELL = 400  # characters of a passage
Shown: TypeAlias = Mapping[str, dg.MetadataValue]


def received(noun: Received) -> Shown:
    """Language, number of asks, what was set aside and why, what was found hidden or cut."""
    return {
        "language": _text(noun.language),
        "asks": _count(noun.asks),
        "attachments": _count(noun.work_order.attachments),
        "hidden_spans": _count(noun.hidden),
        "set_aside": _table(
            ("what", "judged", "why", "text"),
            [(p.kind, p.judged, p.reason, p.text[:_CELL]) for p in noun.set_aside],
        ),
        "truncated": dg.MetadataValue.bool(noun.work_order.truncated),
    }


def thread(noun: Thread) -> Shown:
    """Whether Outlook answered, how many messages it gave, and which attachments were read."""
    files = [(a.name, a.content_type, a.size, a.problem or "read") for a in noun.attachments]
    return {
        "lookup": _text(noun.lookup),
        "messages": _count(noun.messages),
        "unanswered": dg.MetadataValue.int(noun.inbound_unanswered),
        "attachments": _table(("name", "kind", "bytes", "read?"), files),
        "detail": _text(noun.detail),
    }


def crm(noun: Crm) -> Shown:
    """What each part of monday answered."""
    return {
        "lookups": _table(
            ("part", "lookup", "found"),
            (
                ("contact", noun.contact, len(noun.contacts)),
                ("deals", noun.deals, len(noun.deal_items)),
                ("updates", noun.updates, len(noun.update_items)),
            ),
        ),
        "detail": _text(noun.detail),
    }


def context(noun: Context) -> Shown:
    """The evidence table, gaps and conflicts."""
    rows = [(e.id, e.kind, e.source, e.title, e.text) for e in noun.evidence]
    return {
        "evidence": _table(("id", "kind", "source", "title", "text"), rows),
        "evidence_sha256": _text(noun.digest()),
        "gaps": _bullets(noun.gaps),
        "conflicts": _bullets(noun.conflicts),
        "injections": _count(noun.injections),
        "masked": _count(noun.masked),
    }


def tier(noun: TierDecision) -> Shown:
    """The tier, its escalation classes and why."""
    return {
        "tier": _text(noun.tier.name.lower()),
        "classes": _text(", ".join(noun.classes)),
        "reasons": _table(("rule", "why"), [(r.rule, r.detail) for r in noun.reasons]),
        "detectors": _table(("detector", "version"), sorted(noun.detectors.items())),
    }


def draft(noun: Draft) -> Shown:
    """The rendered draft with its claims, or why none was made."""
    if not noun.offered:
        return {
            "withheld": _text(noun.withheld or ""),
            "declined": dg.MetadataValue.bool(noun.declined is not None),
        }
    claims = [(c.text, c.evidence_id, c.quote) for c in noun.claims]
    return {
        "draft": dg.MetadataValue.md(_rendered(noun)),
        "claims": _table(("claim", "evidence", "quote"), claims),
        "language": _text(noun.language),
        "revision": dg.MetadataValue.int(noun.revision),
        "author": _text(noun.author),
        "draft_sha256": _text(noun.content_sha256),
    }


def review(noun: Review) -> Shown:
    """One reviewer's ruling and findings."""
    return {
        "ruling": _text(noun.ruling if noun.applicable else "not applicable"),
        "findings": _bullets(noun.findings),
        "reviewer": _text(noun.reviewer),
        "draft_sha256": _text(noun.draft_sha256),
    }


def policy(noun: PolicyDecision) -> Shown:
    """The verdict with its reasons, rule by rule."""
    outcome = "publishable" if noun.publishable else "declined" if noun.declined else "escalated"
    rows = [(v.rule, v.ruling, "; ".join(v.reasons), v.decided_by) for v in noun.verdicts]
    return {
        "publishable": dg.MetadataValue.bool(noun.publishable),
        "outcome": _text(outcome),
        "reasons": _table(("rule", "why"), [(r.rule, r.detail) for r in noun.reasons]),
        "verdicts": _table(("rule", "ruling", "reasons", "decided by"), rows),
        "passed": _text(_passed(noun, outcome)),
        **({"taken on by a person": _text(", ".join(noun.waived))} if noun.waived else {}),
        "ruleset": _text(noun.ruleset),
    }


def _passed(noun: PolicyDecision, outcome: str) -> str:
    """Without a draft no rule is asked: none passed, and none failed."""
    if not noun.verdicts:
        return f"not asked: {outcome}"
    passed = sum(verdict.ruling is Ruling.PASS for verdict in noun.verdicts)
    return f"{passed} of {len(noun.verdicts)}"


@dataclass(frozen=True, slots=True)
class PublishPage:
    """What the page of ``publish`` tells beside the stage's own noun.

    Sender and subject are the mail's. They stand in the event of this run and partition, as the
    draft itself does at ``draft``, and go with it (``swarm erase``, and after a month). Into
    Outlook leads the desk: while this is written there is no draft yet, and its address in the
    mailbox changes when a person moves it, so it is asked for when somebody looks.
    """

    order: WorkOrder
    draft: Draft | None
    reasons: Sequence[Reason]
    desk_url: str


_OUTCOMES: Mapping[WorkOrderState, str] = {
    WorkOrderState.PUBLISHING: "handed over: the draft is on its way into the mailbox",
    WorkOrderState.PUBLISHED: "a draft is in the mailbox, for a person to send",
    WorkOrderState.ESCALATED: "escalated: a person answers, no draft is offered",
    WorkOrderState.DECLINED: "declined: nothing here can answer it, a person writes",
    WorkOrderState.HELD: "held: a person must look before anything more is done",
}


def publication(noun: Publication, page: PublishPage) -> Shown:
    """What was handed to the ledger, or why nothing was; whose mail it is, and where to look."""
    offered = page.draft if page.draft and page.draft.offered else None
    people = (*offered.to, *offered.cc) if offered else ()
    link = f"{page.desk_url.rstrip('/')}/work-orders/{page.order.key}"
    return {
        "outcome": _text(noun.state),
        "in words": _text(_OUTCOMES.get(noun.state, str(noun.state))),
        "detail": _text(noun.detail),
        "reasons": _table(("rule", "why"), [(r.rule, r.detail) for r in page.reasons]),
        "recipients": dg.MetadataValue.md(_people(people) or "none"),
        "sender": dg.MetadataValue.md(_people([page.order.sender])),
        "subject": dg.MetadataValue.md(_cell(page.order.subject)),
        "desk, with the link into Outlook": dg.MetadataValue.url(link),
    }


def _text(text: str) -> dg.MetadataValue:
    return dg.MetadataValue.text(str(text))  # a plain str: Dagster refuses to store our enums


def _count(things: Sized) -> dg.MetadataValue:
    return dg.MetadataValue.int(len(things))


def _rendered(noun: Draft) -> str:
    quoted = "\n".join(f"> {_cell(line)}" for line in noun.body_text.splitlines())
    people = [f"{head}: {_people(who)}" for head, who in (("To", noun.to), ("Cc", noun.cc)) if who]
    return "\n\n".join([f"**{_cell(noun.subject)}**", *people, quoted])


def _people(addresses: Sequence[Address]) -> str:
    return _cell(", ".join(each.address for each in addresses))


def _bullets(lines: Sequence[str]) -> dg.MetadataValue:
    return dg.MetadataValue.md("\n".join(f"- {_cell(line)}" for line in lines) or "none")


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> dg.MetadataValue:
    if not rows:
        return dg.MetadataValue.md("none")
    lines = [header, ["---"] * len(header), *rows]
    return dg.MetadataValue.md(
        "\n".join(f"| {' | '.join(_cell(str(cell)) for cell in line)} |" for line in lines)
    )


def _cell(text: str) -> str:
    """Escape what would break out of a table cell or draw an image from elsewhere."""
    flat = " ".join(text.split())
    for sign in "\\|![]<`":
        flat = flat.replace(sign, f"\\{sign}")
    return flat
