"""The stage ``draft``: a text worth showing to a human, or the reason why there is none.

Withheld before anybody thinks when the tier is ESCALATE or a context rule escalates (ES-04): no
money is spent and no text exists that could slip out. Unless a person took on, by name, every rule
that stands behind it.
"""

from swarm.models import Context, Draft, Lookup, Received, Stage, Tier, TierDecision
from swarm.specialists.phrasebook import languages
from swarm.specialists.protocol import Brief
from swarm.stages.floor import reasons_at, taken_on, without
from swarm.stages.graph_runner import run
from swarm.stages.reply.assemble import withheld
from swarm.stages.reply.graph import REPLY, ReplyRun
from swarm.stages.services import Services


def brief_of(received: Received, context: Context, tier: TierDecision, services: Services) -> Brief:
    """Put together all a specialist may know."""
    return Brief(received=received, context=context, tier=tier, signature=services.signature)


def reply_thread(brief: Brief, services: Services) -> str:
    """Name the checkpoint thread: work order, everything the specialist is told, and who thinks.

    A crashed run finds its thread again under any fence, and repeats no finished node; new
    evidence, another model, other prompts or rules taken on by a person make a new one.
    """
    who = f"{services.thinker}:{services.max_revisions}"
    waived = taken_on(brief.received.work_order.key, services)
    who = f"{who}:without {','.join(sorted(waived))}" if waived else who
    return f"{brief.received.work_order.key}:reply:{brief.digest()[:32]}:{who}"


def write_draft(
    received: Received, context: Context, tier: TierDecision, services: Services
) -> Draft:
    """Return the draft of the reply graph, reviewed and revised, or a withheld one.

    Raises ``DatabaseUnavailableError`` and, while the work order may wait for it,
    ``ModelUnavailableError``; any other failing of a specialist withholds the draft (ES-05).
    """
    brief = brief_of(received, context, tier, services)
    if (reason := reason_to_withhold(brief, services)) is not None:
        return withheld(reason, brief, services.thinker)
    if (language := received.language) not in languages():
        # Before anybody is paid: greeting, closing and phrases are ours, and there are none.
        said = f"nobody here writes the language '{language}'"
        none = withheld(said, brief, services.thinker)
        return none.model_copy(update={"declined": said, "unanswered": received.asks})
    final = run(
        REPLY,
        reply_thread(brief, services),
        {"stopped": False},
        context=ReplyRun(brief, services),
        checkpointer=services.checkpointer,
    )
    return Draft.model_validate(final["draft"])


def reason_to_withhold(brief: Brief, services: Services) -> str | None:
    """Say why no draft may even be written; None when one may."""
    if brief.tier.tier >= Tier.ESCALATE and not _taken_on(brief, services):
        return "the tier is ESCALATE: a human answers"
    if brief.context.contact is Lookup.UNAVAILABLE:
        # ES-09 would refuse whatever is written; a source that is away is no fault of a draft.
        return "whose customer data this is could not be looked up: a human answers"
    found = reasons_at(Stage.CONTEXT, brief, None, services)
    return "; ".join(reason.detail for reason in found) or None


def _taken_on(brief: Brief, services: Services) -> bool:
    """Whether a person took on each reason for the tier; one without a reason nobody can take."""
    waived, why = taken_on(brief.received.work_order.key, services), brief.tier.reasons
    return bool(why) and not without(waived, why)
