"""All stages in order in one process: what Dagster does with assets, as a plain function.

For ``swarm run-once`` on the in-memory store, for tests, and to see a work order's life on one
page. The functions called are the ones the assets call."""

from collections.abc import Callable
from functools import partial

from swarm.intake.mail.clean import receive
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
from swarm.stages.enrichment.gather import Enrichment, gather
from swarm.stages.policy import decide
from swarm.stages.publish import publish
from swarm.stages.reply.draft import brief_of, write_draft
from swarm.stages.reply.review import REVIEW_STAGES, review
from swarm.stages.services import Services
from swarm.stages.stage_events import NounT, StageRecorder, Worked
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

    recorder = StageRecorder(fence, services)

    def step(stage: Stage, work: Callable[[], NounT]) -> NounT:
        return recorder.record(stage, recorder.measured(work))

    mail = step(Stage.RECEIVED, lambda: receive(order))
    found = _enriched(recorder, mail, services)
    received, thread, crm, context = found.received, found.thread, found.crm, found.context
    tier = step(Stage.TIER, lambda: decide_tier(received, services, fence, thread))
    brief = brief_of(received, context, tier, services)
    draft = step(Stage.DRAFT, lambda: write_draft(received, context, tier, services))
    tone, fact, qa = (
        step(stage, partial(review, stage, brief, draft, services)) for stage in REVIEW_STAGES
    )
    reviews = (tone, fact, qa)
    policy = step(
        Stage.POLICY,
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
    publication = step(Stage.PUBLISH, lambda: publish(fence, policy, services, publisher))
    return ChainResult(
        received=mail,
        thread=thread,
        crm=crm,
        tier=tier,
        context=context,
        draft=draft,
        reviews=reviews,
        policy=policy,
        publication=publication,
    )


def _enriched(recorder: StageRecorder, received: Received, services: Services) -> Enrichment:
    """Store the three artifacts of the one enrichment; each carries the time of the whole."""
    found = recorder.measured(lambda: gather(received, services))
    recorder.record(Stage.THREAD, Worked(found.result.thread, found.duration_ms))
    recorder.record(Stage.CRM, Worked(found.result.crm, found.duration_ms))
    recorder.record(Stage.CONTEXT, Worked(found.result.context, found.duration_ms))
    return found.result
