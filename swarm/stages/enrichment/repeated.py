"""How many mails of a customer still wait for a reply outside the conversation at hand (ES-04).

Two drafts that know nothing of each other may contradict each other, so a customer has one open at
a time: the later mail is counted up to ES-04 and goes to a person. What cannot be looked up counts
as unanswered.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from swarm.errors import DatabaseUnavailableError, RemoteRefusedError, TransientError
from swarm.models import EarlierContact, Thread, ThreadMessage, WorkOrder
from swarm.stages.services import Services


def waiting_elsewhere(order: WorkOrder, thread: Thread, services: Services) -> int:
    """Return how many earlier mails in other conversations nobody has replied to.

    Raises ``DatabaseUnavailableError``.
    """
    here = order.ref.conversation_id
    earlier = [
        contact
        for contact in services.store.earlier_contacts(order.key)
        if contact.conversation_id is None or contact.conversation_id != here
    ]
    if not earlier:
        return 0
    inbound = {order.ref.message_id, *(contact.message_id for contact in earlier)}
    replies = sorted(_replies(thread.messages, earlier, inbound, services))
    newest = replies[-1] if replies else None
    return sum(newest is None or newest < _second(contact.received_at) for contact in earlier)


def _replies(
    here: Sequence[ThreadMessage],
    earlier: Sequence[EarlierContact],
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
