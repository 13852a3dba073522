"""The stage ``context``: from what was found, the evidence a draft may lean on.

Evidence ids are given in a fixed order (mail, subject, attachments, thread oldest first, contact,
approved deal fields, notes, approved answers of the house), so the same sources give the same
bytes. Secrets are masked here, once, before any specialist sees a text (ES-14); instruction-like
text is marked, not obeyed
(ES-13). No clock is read: the digest of the context is the evidence hash of every verdict.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from swarm.models import (
    Address,
    Context,
    Crm,
    CrmItem,
    Evidence,
    EvidenceKind,
    Lookup,
    Received,
    TextSpan,
    Thread,
    ThreadMessage,
    WorkOrder,
)
from swarm.patterns import linear
from swarm.safety.enclosures import ATTACHED, OURS, files_of
from swarm.safety.injection import scan
from swarm.safety.masking import mask
from swarm.stages.enrichment.addressing import answer_to, participants
from swarm.stages.enrichment.approved import Approved
from swarm.stages.enrichment.conflicts import crm_is_trusted, find_conflicts
from swarm.stages.enrichment.labels import plain_label
from swarm.stages.services import Services

_THREAD_LIMIT = 20  # newest messages of a conversation; older ones are named as a gap
_NOTE_LIMIT = 10
_FILES_NAMED = 20
_KIND = linear(r"[A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,80}")  # what is no foreign text in a gap
_NAME_LIMIT = 120  # characters of a file's name
_TEXT_LIMIT = 8000  # characters of one piece of evidence


@dataclass(slots=True)
class _Ledger:
    """Collects evidence under running ids, masked, with what masking and scanning found."""

    owner: str
    evidence: list[Evidence] = field(default_factory=list)
    masked: dict[str, str] = field(default_factory=dict)
    injections: list[TextSpan] = field(default_factory=list)

    def add(
        self,
        kind: EvidenceKind,
        source: str,
        text: str,
        title: str = "",
        answers: tuple[int, ...] = (),
    ) -> None:
        """Add one text; empty ones are no evidence."""
        cut = text.strip()[:_TEXT_LIMIT]
        if not cut:
            return
        clean, kinds = mask(cut)
        self.masked.update(kinds)
        self.injections.extend(scan(clean))
        name = f"e{len(self.evidence) + 1}"
        # A published answer belongs to nobody, and so may be told to anybody (ES-09).
        owner = "" if kind is EvidenceKind.POLICY else self.owner
        self.evidence.append(
            Evidence(
                id=name,
                kind=kind,
                source=source,
                owner=owner,
                title=title,
                text=clean,
                answers=answers,
            )
        )


def build_context(
    received: Received,
    thread: Thread,
    crm: Crm,
    services: Services,
    *,
    elsewhere: int = 0,
    rejected: int = 0,
    approved: Sequence[Approved] = (),
) -> Context:
    """Return everything a draft may lean on. Pure: the same input gives the same digest.

    ``elsewhere`` counts the customer's mails that wait in other conversations, or whose draft does;
    ``rejected`` the drafts that people threw away or rewrote in this one (ES-04).
    ``approved`` are the house's answers to this mail's asks.
    """
    order = received.work_order
    customer = answer_to(order).address.lower()
    ledger = _Ledger(owner=customer)
    ledger.add(EvidenceKind.INBOUND, "graph:inbound", received.text)
    ledger.add(EvidenceKind.INBOUND, "graph:subject", plain_label(order.subject, _TEXT_LIMIT))
    _add_attachments(ledger, order, thread)
    shared, foreign = _split_by_customer(thread, customer)
    _add_thread(ledger, shared, order.ref.message_id)
    if crm_is_trusted(order, crm):
        _add_crm(ledger, crm, services.approved_columns)
    for one in approved:
        ledger.add(EvidenceKind.POLICY, one.source, one.text, title=one.title, answers=one.asks)
    return Context(
        thread=thread.lookup,
        contact=crm.contact,
        evidence=tuple(ledger.evidence),
        participants=participants(order, thread, services.ourselves),
        customer=customer,
        inbound_unanswered=_unanswered(thread, elsewhere),
        rejected_drafts=rejected,
        head_message_id=thread.head_message_id,
        conflicts=find_conflicts(order, thread, crm),
        injections=(*received.hidden, *ledger.injections),
        masked=ledger.masked,
        gaps=(*_gaps(thread, crm, shared, foreign), *_waiting(elsewhere)),
    )


def _unanswered(thread: Thread, elsewhere: int) -> int:
    """Count the mails without a reply; a mail that has been replied to stays replied to (ES-20)."""
    # Without a readable thread at least the mail at hand stands unanswered.
    here = thread.inbound_unanswered if thread.lookup is Lookup.HIT else 1
    return here + elsewhere if here else 0


def _waiting(elsewhere: int) -> Iterator[str]:
    if elsewhere:
        yield (
            f"{elsewhere} earlier mails of this customer wait: in other conversations without a"
            " reply, or with a draft that is still open"
        )


def _split_by_customer(
    thread: Thread, customer: str
) -> tuple[list[ThreadMessage], list[ThreadMessage]]:
    """Part the messages the customer took part in from those between others (ES-09)."""
    shared: list[ThreadMessage] = []
    foreign: list[ThreadMessage] = []
    for message in thread.messages:
        involved = _lowered((message.sender, *message.recipients))
        (shared if customer in involved else foreign).append(message)
    return shared, foreign


def _add_attachments(ledger: _Ledger, order: WorkOrder, thread: Thread) -> None:
    """Name every attachment, then say what those that could be read say."""
    labels = [
        f"{plain_label(each.name, _NAME_LIMIT) or 'without a name'}"
        f" ({plain_label(each.content_type, _NAME_LIMIT)}, {each.size} bytes)"
        for each in files_of(order)[:_FILES_NAMED]
    ]
    ledger.add(EvidenceKind.INBOUND, "graph:attachments", "\n".join(labels))
    for attached in thread.attachments:
        name, _ = mask(attached.name)
        ledger.add(EvidenceKind.INBOUND, ATTACHED, attached.text, title=name)


def _lowered(people: Iterable[Address]) -> set[str]:
    return {person.address.lower() for person in people}


def _add_thread(ledger: _Ledger, messages: list[ThreadMessage], inbound_id: str | None) -> None:
    for message in messages[-_THREAD_LIMIT:]:
        if message.message_id == inbound_id:
            continue  # it is e1 already, quote-stripped
        source = OURS if message.from_us else "graph:message:theirs"
        ledger.add(EvidenceKind.THREAD, source, message.text, title=message.sent_at.isoformat())


def _add_crm(ledger: _Ledger, crm: Crm, approved: tuple[str, ...]) -> None:
    for contact in crm.contacts:
        ledger.add(EvidenceKind.CRM_CONTACT, "monday:contact:name", contact.name)
    for deal in crm.deal_items:
        _add_fields(ledger, deal, approved)
    for note in crm.update_items[:_NOTE_LIMIT]:
        ledger.add(EvidenceKind.CRM_UPDATE, "monday:update", note.text)


def _add_fields(ledger: _Ledger, deal: CrmItem, approved: tuple[str, ...]) -> None:
    values: Mapping[str, str] = {f.column_id: f.text for f in deal.fields}
    for column in approved:
        ledger.add(
            EvidenceKind.CRM_FIELD, f"monday:deal:{column}", values.get(column, ""), title=deal.name
        )


def _unread(thread: Thread) -> Iterator[str]:
    for number, attached in enumerate(thread.attachments, start=1):
        kind = attached.content_type if _KIND.fullmatch(attached.content_type) else "odd kind"
        if attached.problem:
            read = "was read in part" if attached.text else "was not read"
            yield f"attachment {number} ({kind}) {read}: {attached.problem}"
        elif len(attached.text) > _TEXT_LIMIT:
            yield f"attachment {number} ({kind}) is longer than what a draft may lean on"


def _gaps(
    thread: Thread, crm: Crm, shared: list[ThreadMessage], foreign: list[ThreadMessage]
) -> Iterator[str]:
    if thread.lookup is Lookup.UNAVAILABLE:
        yield f"the Outlook conversation is unavailable: {thread.detail}"
    if Lookup.UNAVAILABLE in (crm.contact, crm.deals, crm.updates):
        yield f"monday.com is unavailable in part or whole: {crm.detail}"
    elif crm.contact is Lookup.HIT and crm.detail:
        yield f"not all that monday.com answered could be read: {crm.detail}"
    if len(shared) > _THREAD_LIMIT:
        yield f"{len(shared) - _THREAD_LIMIT} older messages of the conversation were left out"
    yield from _unread(thread)
    if foreign:
        yield f"{len(foreign)} messages without the customer were left out"
