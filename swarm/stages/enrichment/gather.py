"""The stages ``thread``, ``crm`` and ``context``: one enrichment run gives all three.

What does not live here: the graph (``graph``) and how evidence is made of what was found
(``context``).
"""

from datetime import timedelta

from pydantic import Field

from swarm.intake.mail.provenance import in_conversation
from swarm.models import Context, Crm, Noun, Received, Thread, WorkOrder
from swarm.stages.enrichment.addressing import answer_to
from swarm.stages.enrichment.approved import approved_answers
from swarm.stages.enrichment.context import build_context
from swarm.stages.enrichment.enclosed import read_attachments
from swarm.stages.enrichment.graph import ENRICHMENT
from swarm.stages.enrichment.repeated import waiting_elsewhere
from swarm.stages.graph_runner import forget, run
from swarm.stages.recorded import Recorded
from swarm.stages.services import Services

# A half-finished snapshot is worth going on with only while it is fresh; after that the mailbox has
# moved on, and four reads are cheap.
_RESUME_WITHIN = timedelta(minutes=10)


class Enrichment(Noun):
    """What was found, and what a draft may lean on because of it."""

    thread: Thread
    crm: Crm
    context: Context
    received: Received = Field(description="The mail as the conversation shows it")


def enrichment_thread(key: str) -> str:
    """Name the checkpoint thread of a work order's enrichment.

    Not by the fence: a crashed run is always followed by one with a newer fence, which must find
    what was read already. A finished enrichment is forgotten at once (its artifacts are the
    record), so every deliberate re-drive reads afresh.
    """
    return f"{key}:enrichment"


def gather(received: Received, services: Services, thread_id: str | None = None) -> Enrichment:
    """Ask Outlook and monday.com and build the context.

    ``thread_id`` defaults to :func:`enrichment_thread`. A source that cannot be read is
    UNAVAILABLE with a gap, not an error. Raises ``DatabaseUnavailableError``.
    """
    if services.recorded is not None:
        return _understood(received, services, services.recorded)
    order = received.work_order
    thread_id = thread_id or enrichment_thread(order.key)
    final = run(
        ENRICHMENT,
        thread_id,
        {
            "conversation_id": order.ref.conversation_id,
            "customer": answer_to(order).address.lower(),
        },
        context=services,
        checkpointer=services.checkpointer,
        oldest=services.clock() - _RESUME_WITHIN,
    )
    thread = with_inbound(Thread.model_validate(final["thread"]), order)
    thread = thread.model_copy(update={"attachments": read_attachments(order, services)})
    sources = Recorded(
        thread=thread,
        crm=Crm.model_validate(final["crm"]),
        elsewhere=waiting_elsewhere(order, thread, services),
        rejected=services.store.rejected_drafts(order.key),
    )
    found = _understood(received, services, sources)
    forget(services.checkpointer, thread_id)
    return found


def _understood(received: Received, services: Services, sources: Recorded) -> Enrichment:
    """Build the context of what was found, now or by the run that is judged again."""
    thread, crm = sources.thread, sources.crm
    mail = in_conversation(received, thread)
    # As of the moment the conversation was read: a clock of its own would make other evidence.
    approved = approved_answers(services.knowledge.read(), mail, thread.taken_at)
    context = build_context(
        mail,
        thread,
        crm,
        services,
        elsewhere=sources.elsewhere,
        rejected=sources.rejected,
        approved=approved,
    )
    return Enrichment(thread=thread, crm=crm, context=context, received=mail)


def with_inbound(thread: Thread, order: WorkOrder) -> Thread:
    """Count the mail at hand as the customer's, also when our own web form wrote it for him."""
    messages = tuple(
        message.model_copy(update={"from_us": False})
        if message.from_us and message.message_id == order.ref.message_id
        else message
        for message in thread.messages
    )
    return thread.model_copy(update={"messages": messages})
