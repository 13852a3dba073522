"""All stages in order in one process: what Dagster does with assets, as a plain function.

For ``swarm run-once`` on the in-memory store, for tests, and to see a work order's life on one
page. The functions called are the ones the assets call."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from swarm.models import (
    Context,
    Crm,
    Draft,
    Fence,
    Noun,
    PolicyDecision,
    Publication,
    Received,
    Review,
    Stage,
    Thread,
    TierDecision,
    WorkOrder,
)
from swarm.stages.enrichment.gather import gather
from swarm.stages.policy import decide
from swarm.stages.publish import publish
from swarm.stages.received import receive
from swarm.stages.reply.draft import brief_of, write_draft
from swarm.stages.reply.review import REVIEW_STAGES, review
from swarm.stages.services import Services
from swarm.stages.stage_events import NounT, Worked, finished, measured, run_stage
from swarm.stages.tier import decide_tier
from swarm.store.protocol import Publisher


class ChainResult(Noun):
    """Every artifact of one drive of a work order."""

    received: Received
    thread: Thread
    crm: Crm
    tier: TierDecision
    context: Context
    draft: Draft
    reviews: tuple[Review, ...]
    policy: PolicyDecision
    publication: Publication


def run_chain(
    order: WorkOrder, services: Services, fence: Fence, publisher: Publisher | None = None
) -> ChainResult:
    """Drive a work order from mail to publication under an open fence.

    Each stage is stored before the next begins. Raises ``TransientError`` (drive it again) and
    ``PermanentError``; escalation is a result, not an error.
    """

    def step(stage: Stage, inputs: Sequence[Noun], work: Callable[[], NounT]) -> NounT:
        return run_stage(fence, stage, inputs, work, services)

    received = step(Stage.RECEIVED, (order,), lambda: receive(order))
    tier = step(Stage.TIER, (received,), lambda: decide_tier(received, services, fence))
    thread, crm, context = _enriched(fence, received, services)
    brief = brief_of(received, context, tier, services)
    draft = step(
        Stage.DRAFT,
        (received, context, tier),
        lambda: write_draft(received, context, tier, services),
    )
    tone, fact, qa = (
        step(stage, (context, draft), partial(review, stage, brief, draft, services))
        for stage in REVIEW_STAGES
    )
    reviews = (tone, fact, qa)
    policy = step(
        Stage.POLICY,
        (received, context, tier, draft, *reviews),
        lambda: decide(
            fence,
            services,
            received=received,
            context=context,
            tier=tier,
            draft=draft,
            reviews=reviews,
        ),
    )
    publication = step(
        Stage.PUBLISH, (policy,), lambda: publish(fence, policy, services, publisher)
    )
    return ChainResult(
        received=received,
        thread=thread,
        crm=crm,
        tier=tier,
        context=context,
        draft=draft,
        reviews=reviews,
        policy=policy,
        publication=publication,
    )


def _enriched(fence: Fence, received: Received, services: Services) -> tuple[Thread, Crm, Context]:
    """Store the three artifacts of the one enrichment; each carries the time of the whole."""
    key = fence.work_order_key
    found = measured(key, lambda: gather(received, services), services)
    thread, crm, context = found.result.thread, found.result.crm, found.result.context
    inputs: Mapping[Stage, Sequence[Noun]] = {
        Stage.THREAD: (received,),
        Stage.CRM: (received,),
        Stage.CONTEXT: (received, thread, crm),
    }
    artifacts: Mapping[Stage, Noun] = {
        Stage.THREAD: thread,
        Stage.CRM: crm,
        Stage.CONTEXT: context,
    }
    for stage, artifact in artifacts.items():
        worked = Worked(artifact, found.duration_ms, 0.0)
        event = finished(stage, inputs[stage], worked, actor="enrichment")
        services.store.write_stage(fence, stage, artifact, event)
    return thread, crm, context
