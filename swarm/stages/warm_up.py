"""One invented mail through all stages, in memory: whatever is loaded late is loaded afterwards.

Patterns, word lists, weights and the graphs are made at first use, some 100 MB of them. A process
that others are forked from uses them once itself, so that they are shared; nothing is stored or
asked, and no thread is left.
"""

from datetime import UTC, datetime

from swarm.models import Address, MessageRef, WorkOrder
from swarm.specialists.rules import RulesSpecialist
from swarm.stages.lone_mail import EmptyCrm, LoneMail
from swarm.stages.pipeline import ChainResult, run_chain
from swarm.stages.services import Services
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import taken_in_hand

_MAILBOX = "service@example.com"
_TEXT = (
    "Hello,\n\nplease tell me whether order 10482 has left your house.\n\nThank you\nAnna Vogel\n"
)


def warm_up() -> ChainResult:
    """Drive the mail; the rules acknowledge it, so that a draft is looked at as well."""
    order = _order()
    store = MemoryStore()
    fence = taken_in_hand(store, order, order.original_id)
    services = Services(
        store=store,
        specialist=RulesSpecialist(acknowledge=True),
        outlook=LoneMail(order),
        monday=EmptyCrm(),
        mailbox=_MAILBOX,
    )
    return run_chain(order, services, fence)


def _order() -> WorkOrder:
    return WorkOrder(
        key="wo_" + "w" * 24,
        original_id="warm-up",
        ref=MessageRef(mailbox=_MAILBOX, message_id="warm-up", conversation_id="warm-up"),
        sender=Address(name="Anna Vogel", address="anna@example.org"),
        to=(Address(address=_MAILBOX),),
        subject="Order 10482",
        body_text=_TEXT,
        received_at=datetime.now(UTC),
        source="warm-up",
    )
