"""What the two paths and a person made of one work order, side by side. Pure.

What decides whether a person was needed, in this order: a label; what the person did with an
offered draft (answered otherwise, or threw it away and wrote himself: needed; sent it, edited at
most: not needed); else legacy, of whose reasons only safety classes count. A reason of legacy's
that is neither a class nor one of its checks (``fact:``, ``qa:``, ``policy:``) is a class nobody
knows, and so is an escalation without a reason. What lives elsewhere: reading and storing
(``rows``), tolerances (``swarm.cutover``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from swarm.models import Draft, EscalationClass, Evidence, WorkOrder, canonical_sha256
from swarm.safety.enclosures import files_of
from swarm.shadow.likeness import alike
from swarm.shadow.models import (
    Act,
    Comparison,
    Decision,
    LegacyOutcome,
    Origin,
    OutcomePair,
    Replayed,
    ReplyOutcome,
    Strata,
)
from swarm.shadow.unbacked import unbacked

Classes = tuple[EscalationClass, ...]

_CHECKS: Final = ("fact:", "qa:", "policy:")
_UNKNOWN: Final = (EscalationClass.UNKNOWN,)
_NO_JUDGEMENT: Final = frozenset({Decision.FAILED, Decision.NOT_REPLAYABLE})


@dataclass(frozen=True, slots=True)
class Records:
    """All that is known of one work order. ``label`` None: nobody labelled it; empty: no danger.

    ``new_ms`` is how long the new path took from the mail's arrival; None: it was replayed.
    """

    order: WorkOrder
    origin: Origin
    legacy: LegacyOutcome
    new: Replayed
    evidence: Sequence[Evidence] = ()
    reply: ReplyOutcome | None = None
    label: Classes | None = None
    new_ms: int | None = None
    signature: str = ""


def compare(records: Records) -> Comparison:
    """Set the records of one work order side by side."""
    new, legacy = records.new, records.legacy
    needed, because = who_needed(records)
    drafts = new.decision is Decision.DRAFT
    told = Comparison(
        work_order_key=records.order.key,
        engine=new.engine,
        pair=pair_of(legacy, new),
        strata=_strata(records),
        legacy_classes=legacy_classes(legacy),
        new_classes=new.classes,
        needed=needed,
        needed_because=because,
        missed=needed if drafts else (),
        extra=new.decision is Decision.ESCALATED and not needed,
        declined=new.decision is Decision.DECLINED,
        failed=new.detail if new.decision in _NO_JUDGEMENT else "",
        act=records.reply.act if records.reply else None,
        thread_id=thread_of(records.order),
        received_at=records.order.received_at,
        legacy_ms=_milliseconds(records.order.received_at, legacy.decided_at),
        new_ms=records.new_ms if records.new_ms is not None else _replayed_ms(new),
        new_cost=new.cost,
    )
    return told.model_copy(update={**_texts(records), **_likeness(records)})


def who_needed(records: Records) -> tuple[Classes, str]:
    """Return the classes for which a person was needed, and who says so."""
    legacy = legacy_classes(records.legacy)
    if records.label is not None:
        return records.label, "label" if records.label else ""
    match _by_act(records.reply):
        case True:
            return legacy or _UNKNOWN, "act"
        case False:
            return (), ""
        case None:
            return legacy, "legacy" if legacy else ""


def _by_act(reply: ReplyOutcome | None) -> bool | None:
    """Say what a person's act tells of danger; None: nothing. Without an offered draft, somebody
    had to write in any case.
    """
    if reply is None or reply.publisher is None:
        return None
    if reply.act is Act.ANSWERED_OTHERWISE:
        return True
    if reply.act is Act.DISCARDED and reply.sent_text is not None:
        return True
    return False if reply.act.used else None


def legacy_classes(legacy: LegacyOutcome) -> Classes:
    """Return the safety classes for which legacy escalated."""
    if not legacy.escalated:
        return ()
    said = [each.strip().lower() for each in legacy.reasons]
    named = {EscalationClass(each) for each in said if each in _NAMES}
    strange = any(each not in _NAMES and not each.startswith(_CHECKS) for each in said)
    if strange or not said:
        named.add(EscalationClass.UNKNOWN)
    return tuple(sorted(named))


_NAMES: Final = frozenset(each.value for each in EscalationClass)


def pair_of(legacy: LegacyOutcome, new: Replayed) -> OutcomePair:
    """Return what the two came to."""
    if new.decision in _NO_JUDGEMENT:
        return OutcomePair.ONE_FAILED
    drafts = new.decision is Decision.DRAFT
    if drafts:
        return OutcomePair.ONLY_NEW_DRAFTS if legacy.escalated else OutcomePair.BOTH_DRAFT
    return OutcomePair.BOTH_PERSON if legacy.escalated else OutcomePair.ONLY_LEGACY_DRAFTS


def thread_of(order: WorkOrder) -> str:
    """Name what belongs together, by no id of the mailbox: the conversation, or the first mail."""
    ref = order.ref
    known = (ref.conversation_id, *order.references[:1], order.in_reply_to,
             ref.internet_message_id, order.key)  # fmt: skip
    first = next(each for each in known if each)
    return canonical_sha256({"thread": first})[:24]


def _strata(records: Records) -> Strata:
    new = records.new
    return Strata(
        origin=records.origin,
        tier=new.tier,
        language=new.language,
        attachments=bool(files_of(records.order)),
        thread=new.thread,
        contact=new.contact,
    )


def _texts(records: Records) -> dict[str, object]:
    """Return what can be said of the texts: who gets them, and what in them nothing carries."""
    legacy, draft, key = records.legacy, _offered(records.new), records.order.key
    told: dict[str, object] = {}
    if not legacy.escalated:
        told["legacy_unbacked"] = unbacked(legacy.body_text, key, records.evidence)
    if draft is not None:
        told["new_unbacked"] = unbacked(draft.body_text, key, records.evidence)
    if not legacy.escalated and draft is not None:
        recipients = [each.address.lower() for each in draft.to]
        told["same_recipient"] = recipients == [legacy.recipient.strip().lower()]
        told["same_subject"] = _bare(draft.subject) == _bare(legacy.subject)
    return told


def _likeness(records: Records) -> dict[str, object]:
    legacy, draft = records.legacy, _offered(records.new)
    sent = records.reply.sent_text if records.reply else None
    mine = draft.body_text if draft is not None else None
    theirs = None if legacy.escalated else legacy.body_text
    pairs = {"new_legacy": (mine, theirs), "new_sent": (mine, sent), "legacy_sent": (theirs, sent)}
    return {
        name: alike(one, other, records.signature)
        for name, (one, other) in pairs.items()
        if one is not None and other is not None
    }


def _offered(new: Replayed) -> Draft | None:
    return new.draft if new.decision is Decision.DRAFT else None


def _bare(subject: str) -> str:
    """Return a subject as it was before anybody answered."""
    words = " ".join(subject.split()).casefold()
    while words.startswith(("re:", "aw:", "fw:", "wg:", "sv:")):
        words = words[3:].lstrip()
    return words


def _replayed_ms(new: Replayed) -> int | None:
    return None if new.decision in _NO_JUDGEMENT else new.duration_ms


def _milliseconds(start: datetime, end: datetime | None) -> int | None:
    if end is None or end < start:
        return None
    return round((end - start).total_seconds() * 1000)
