"""How many other mails of a customer still wait, for a reply or with a draft (ES-04).

Two drafts that know nothing of each other may contradict each other, so a customer has one open at
a time: the later mail is counted up to ES-04 and goes to a person. A reply of ours in any of his
conversations answers what came before it; a draft that stands beside it is open all the same, and
so is the draft of a later mail that was read or judged first. What cannot be looked up counts as
open. Mails of the conversation at hand are counted by the thread. What lives elsewhere: two that
are judged at the same moment (``swarm.store.contacts.drafted_meanwhile``).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from swarm.errors import DatabaseUnavailableError, RemoteRefusedError, TransientError
from swarm.models import Contact, Thread, ThreadMessage, WorkOrder, WorkOrderState
from swarm.publishing.ledger.marker import draft_marker
from swarm.stages.services import Services
from swarm.store.contacts import MAYBE_DRAFTED

# Junk and deleted items are where people put what they will not send.
_THROWN_AWAY = frozenset({"deleteditems", "junkemail"})


def waiting_elsewhere(order: WorkOrder, thread: Thread, services: Services) -> int:
    """Return how many mails wait: earlier ones that are unanswered elsewhere, and any whose draft
    still stands.

    Raises ``DatabaseUnavailableError``.
    """
    others, here = services.store.contacts(order.key), order.ref.conversation_id
    before = [c for c in others if not c.later and _elsewhere(c, here)]
    unanswered = _unanswered(order, thread, before, services)
    return sum(contact in unanswered or _draft_stands(contact, services) for contact in others)


def _elsewhere(contact: Contact, here: str | None) -> bool:
    return contact.conversation_id is None or contact.conversation_id != here


def _unanswered(
    order: WorkOrder, thread: Thread, earlier: Sequence[Contact], services: Services
) -> Sequence[Contact]:
    if not earlier:
        return ()
    inbound = {order.ref.message_id, *(contact.message_id for contact in earlier)}
    replies = sorted(_replies(thread.messages, earlier, inbound, services))
    newest = replies[-1] if replies else None
    return [each for each in earlier if newest is None or newest < _second(each.received_at)]


def _draft_stands(contact: Contact, services: Services) -> bool:
    """Whether a draft for this mail is on its way, or lies in the mailbox not yet sent."""
    if contact.state is WorkOrderState.PUBLISHING:
        return True
    if contact.state not in MAYBE_DRAFTED or services.outlook is None:
        return False
    try:
        found = services.outlook.find_dispatched(
            key=contact.key,
            conversation_id=contact.conversation_id,
            marker=draft_marker(contact.key),
            since=contact.received_at,
        )
    except DatabaseUnavailableError:
        raise
    except (TransientError, RemoteRefusedError):
        return True
    return any(draft.is_draft and draft.folder not in _THROWN_AWAY for draft in found)


def _replies(
    here: Sequence[ThreadMessage],
    earlier: Sequence[Contact],
    inbound: set[str | None],
    services: Services,
) -> Iterator[datetime]:
    """Yield when one of us wrote, here or there: one answer may serve several mails."""
    names = {contact.conversation_id for contact in earlier} - {None}
    there = (message for name in sorted(filter(None, names)) for message in _read(name, services))
    for message in (*here, *there):
        if message.from_us and not message.is_draft and message.message_id not in inbound:
            yield message.sent_at


def _read(conversation_id: str, services: Services) -> Sequence[ThreadMessage]:
    if services.outlook is None:
        return ()
    try:
        return services.outlook.conversation(conversation_id)
    except DatabaseUnavailableError:
        raise
    except (TransientError, RemoteRefusedError):
        return ()


def _second(moment: datetime) -> datetime:
    """Graph's times end at the second: a reply within that second came after the mail."""
    return moment.replace(microsecond=0)
