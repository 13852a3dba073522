"""Where Outlook and monday.com contradict each other or the mail: the truth table.

    contacts found | deals may be quoted | said
    0              | no (there are none) | nothing: a miss is not a conflict
    1, same name   | yes                 | nothing
    1, other name  | no                  | the contact has another name than the sender
    2 or more      | no                  | several contacts; none was merged
    1, and one more that could not be read | no | the same, for all anybody knows

A contradiction never merges: the doubtful side is left out of the evidence and named. Details are
for people and carry no mail text.
"""

from swarm.models import Address, Crm, Lookup, Thread, WorkOrder
from swarm.patterns import linear
from swarm.stages.enrichment.addressing import answer_to

_WORD = linear(r"[^\W\d_]{2,}")
_SKEW_SECONDS = 600.0  # half of a resumed snapshot may be this much older than the other


def crm_is_trusted(order: WorkOrder, crm: Crm) -> bool:
    """Whether monday's contact is exactly the person the answer goes to."""
    alone = len(crm.contacts) == 1 and crm.contacts_complete
    return alone and not _names_differ(answer_to(order), crm.contacts[0].name)


def find_conflicts(order: WorkOrder, thread: Thread, crm: Crm) -> tuple[str, ...]:
    """Return each contradiction as a sentence, in a fixed order; empty means none."""
    said = (
        _several_contacts(crm),
        _other_name(order, crm),
        _reply_goes_elsewhere(order),
        _not_in_its_thread(order, thread),
        _snapshots_apart(thread, crm),
    )
    return tuple(sentence for sentence in said if sentence)


def _several_contacts(crm: Crm) -> str:
    if crm.contacts and not crm.contacts_complete:
        return "monday.com lists a further contact that could not be read; none was merged"
    if len(crm.contacts) < 2:  # noqa: PLR2004 - "several" starts at two
        return ""
    return f"monday.com has {len(crm.contacts)} contacts for this address; none was merged"


def _other_name(order: WorkOrder, crm: Crm) -> str:
    if len(crm.contacts) == 1 and _names_differ(answer_to(order), crm.contacts[0].name):
        return "the monday.com contact has another name than the sender; its deals are not used"
    return ""


def _reply_goes_elsewhere(order: WorkOrder) -> str:
    if _domain(answer_to(order)) == _domain(order.sender):
        return ""
    return "the mail wants its answer at another domain than it came from"


def _not_in_its_thread(order: WorkOrder, thread: Thread) -> str:
    known = {m.message_id for m in thread.messages} | {
        m.internet_message_id for m in thread.messages
    }
    named = {order.ref.message_id, order.ref.internet_message_id} - {None}
    if thread.lookup is Lookup.HIT and named and not named & known:
        return "the Outlook conversation does not hold the mail this work order is about"
    return ""


def _snapshots_apart(thread: Thread, crm: Crm) -> str:
    apart = abs((thread.taken_at - crm.taken_at).total_seconds())
    return "Outlook and monday.com were read far apart" if apart > _SKEW_SECONDS else ""


def _names_differ(person: Address, contact_name: str) -> bool:
    theirs, ours = _words(person.name), _words(contact_name)
    # A name that is missing on one side contradicts nothing.
    return bool(theirs) and bool(ours) and not theirs & ours


def _words(name: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(name)}


def _domain(person: Address) -> str:
    return person.address.rpartition("@")[2].lower()
