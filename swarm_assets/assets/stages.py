"""The stage assets: thin bodies around ``swarm.stages``, one partition a work order.

Lineage as a person reads it: received -> thread, crm -> context; received, thread -> tier;
context, tier -> draft -> tone, fact, qa -> policy -> publish. What a stage needs beyond its direct
reasons (``draft`` the mail itself, say) it reads from the store, so the graph stays readable.

Seven steps, not eleven: what one function makes together (``gather``; the three reviews of one
draft) is one multi-asset, and a step costs Dagster about 15 ms.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

import dagster as dg

from swarm.intake.mail.clean import receive
from swarm.intake.mail.provenance import in_conversation
from swarm.models import (
    Context,
    Draft,
    Noun,
    PolicyDecision,
    Publication,
    Reason,
    Received,
    Review,
    Stage,
    Thread,
    TierDecision,
)
from swarm.specialists.protocol import Brief
from swarm.stages.enrichment.gather import gather
from swarm.stages.floor import reasons_at
from swarm.stages.policy import decide
from swarm.stages.publish import publish as hand_over
from swarm.stages.reply.draft import brief_of, write_draft
from swarm.stages.reply.review import REVIEW_STAGES, review
from swarm.stages.run_session import RunSession
from swarm.stages.stage_events import Stopwatch, Worked
from swarm.stages.tier import decide_tier
from swarm.store.artifacts import noun_of
from swarm_assets.assets import checks, shown
from swarm_assets.assets.owners import MAIL_TEXT, PLATFORM, SUPPORT_LEAD
from swarm_assets.assets.shown import Shown
from swarm_assets.partitions import work_orders
from swarm_assets.resources.stage_outputs import COST, DURATION

_GATHERED: Final = {"thread": Stage.THREAD, "crm": Stage.CRM, "gathered": Stage.CONTEXT}

Work: TypeAlias = dg.ResourceParam[RunSession]
Made = TypeVar("Made", bound=Noun)

_IO: Final = "stage_outputs"


def asset_key(stage: Stage) -> dg.AssetKey:
    """Return the asset key: prefixed, because an asset may not be called ``context``."""
    return dg.AssetKey(["work_order", stage.value])


def _made(
    noun: Made, display: Shown, watch: Stopwatch, *, cost: float = 0.0, name: str = "result"
) -> dg.Output[Made]:
    metadata: dict[str, dg.MetadataValue] = {
        **display,
        DURATION: dg.IntMetadataValue(watch.milliseconds),
    }
    if cost:
        metadata[COST] = dg.FloatMetadataValue(cost)
    return dg.Output(noun, output_name=name, metadata=metadata)


def _from(*stages: Stage) -> Mapping[str, dg.AssetIn]:
    names = {Stage.CONTEXT: "gathered"}
    return {names.get(stage, stage.value): dg.AssetIn(asset_key(stage)) for stage in stages}


@dg.asset(
    key=asset_key(Stage.RECEIVED),
    partitions_def=work_orders,
    io_manager_key=_IO,
    group_name="intake",
    owners=PLATFORM,
    tags=MAIL_TEXT,
    kinds={"python"},
)
def received(context: dg.AssetExecutionContext, session: Work) -> dg.Output[Received]:
    """The mail as a person would read it: decoded, quotes and hidden text set apart."""
    with session.stage() as watch:
        key = context.partition_key
        session.fence(key)
        noun = receive(session.services.store.work_order(key))
        return _made(noun, shown.received(noun), watch)


@dg.multi_asset(
    name="enrichment",
    outs={
        "thread": dg.AssetOut(
            key=asset_key(Stage.THREAD),
            io_manager_key=_IO,
            is_required=False,
            kinds={"outlook"},
            owners=PLATFORM,
            tags=MAIL_TEXT,
            description="The Outlook conversation as Microsoft Graph has it.",
        ),
        "crm": dg.AssetOut(
            key=asset_key(Stage.CRM),
            io_manager_key=_IO,
            is_required=False,
            kinds={"monday"},
            owners=PLATFORM,
            tags=MAIL_TEXT,
            description="Contact, deals and updates in monday.com.",
        ),
        "gathered": dg.AssetOut(
            key=asset_key(Stage.CONTEXT),
            io_manager_key=_IO,
            is_required=False,
            kinds={"langgraph"},
            owners=PLATFORM,
            tags=MAIL_TEXT,
            description="Everything known: the only thing a draft may lean on.",
        ),
    },
    ins=_from(Stage.RECEIVED),
    internal_asset_deps={
        "thread": {asset_key(Stage.RECEIVED)},
        "crm": {asset_key(Stage.RECEIVED)},
        "gathered": {asset_key(Stage.THREAD), asset_key(Stage.CRM)},
    },
    can_subset=True,
    partitions_def=work_orders,
    group_name="enrichment",
)
def enrichment(
    context: dg.AssetExecutionContext, session: Work, received: Received
) -> Iterator[dg.Output[Noun]]:
    """Ask Outlook and monday.com side by side and merge what they know.

    Whoever wants one of the three gets all of them stored: they describe one moment.
    """
    key, wanted = context.partition_key, context.op_execution_context.selected_output_names
    with session.stage() as watch:
        session.fence(key)
        found = gather(received, session.services)
        outputs: list[dg.Output[Noun]] = [
            _made(found.thread, shown.thread(found.thread), watch, name="thread"),
            _made(found.crm, shown.crm(found.crm), watch, name="crm"),
            _made(found.context, shown.context(found.context), watch, name="gathered"),
        ]
        for output in outputs:
            if output.output_name not in wanted:
                stage = _GATHERED[output.output_name]
                session.record(key, stage, Worked(output.value, watch.milliseconds))
    yield from (output for output in outputs if output.output_name in wanted)


@dg.asset(
    key=asset_key(Stage.TIER),
    ins=_from(Stage.RECEIVED, Stage.THREAD),
    check_specs=checks.specs(Stage.TIER),
    partitions_def=work_orders,
    io_manager_key=_IO,
    group_name="triage",
    owners=SUPPORT_LEAD,
    tags=MAIL_TEXT,
    kinds={"python"},
)
def tier(
    context: dg.AssetExecutionContext, session: Work, received: Received, thread: Thread
) -> Iterator[dg.Output[TierDecision] | dg.AssetCheckResult]:
    """How careful we must be, and why. ESCALATE means a human answers.

    The conversation tells the customer's words from ours in what the mail quotes.
    """
    key = context.partition_key
    with session.stage() as watch:
        noun = decide_tier(
            in_conversation(received, thread), session.services, session.fence(key), thread
        )
        output = _made(noun, shown.tier(noun), watch, cost=session.spent(key))
    yield output
    yield from _judged(session, key, Stage.TIER, noun.reasons)


@dg.asset(
    key=asset_key(Stage.DRAFT),
    ins=_from(Stage.CONTEXT, Stage.TIER),
    check_specs=checks.specs(Stage.DRAFT),
    partitions_def=work_orders,
    io_manager_key=_IO,
    group_name="reply",
    owners=SUPPORT_LEAD,
    tags=MAIL_TEXT,
    kinds={"langgraph"},
)
def draft(
    context: dg.AssetExecutionContext, session: Work, gathered: Context, tier: TierDecision
) -> Iterator[dg.Output[Draft] | dg.AssetCheckResult]:
    """The reply that may be offered, or the reason why none was written."""
    key = context.partition_key
    with session.stage() as watch:
        session.fence(key)
        mail = _mail(session, key)
        noun = write_draft(mail, gathered, tier, session.services)
        brief = brief_of(mail, gathered, tier, session.services)
        # A withheld draft has nothing the rules could find fault with.
        objections = reasons_at(Stage.DRAFT, brief, noun, session.services) if noun.offered else ()
        output = _made(noun, shown.draft(noun), watch, cost=session.spent(key))
    yield output
    yield from _judged(session, key, Stage.DRAFT, objections)


@dg.multi_asset(
    name="reviews",
    outs={
        stage.value: dg.AssetOut(
            key=asset_key(stage),
            io_manager_key=_IO,
            is_required=False,
            description=words,
            owners=SUPPORT_LEAD,
            tags=MAIL_TEXT,
            kinds={"python"},
        )
        for stage, words in (
            (Stage.TONE, "Courteous, calm, one greeting, one closing, the right language."),
            (Stage.FACT, "Every factual statement is carried by its evidence (ES-07)."),
            (Stage.QA, "Every ask is taken up and the reply stands on its own."),
        )
    },
    ins=_from(Stage.DRAFT),
    can_subset=True,
    partitions_def=work_orders,
    group_name="judgement",
)
def reviews(
    context: dg.AssetExecutionContext, session: Work, draft: Draft
) -> Iterator[dg.Output[Review]]:
    """The reviewers' verdicts about this draft; what the reply loop asked is not asked again."""
    key = context.partition_key
    for stage in REVIEW_STAGES:
        if stage.value not in context.op_execution_context.selected_output_names:
            continue
        with session.stage() as watch:
            session.fence(key)
            noun = review(stage, _brief(session, key), draft, session.services)
            shown_noun = shown.review(noun)
            output = _made(noun, shown_noun, watch, cost=session.spent(key), name=stage.value)
        yield output


@dg.asset(
    key=asset_key(Stage.POLICY),
    ins=_from(*REVIEW_STAGES),
    check_specs=checks.specs(Stage.POLICY),
    partitions_def=work_orders,
    io_manager_key=_IO,
    group_name="judgement",
    owners=SUPPORT_LEAD,
    tags=MAIL_TEXT,
    kinds={"python"},
)
def policy(
    context: dg.AssetExecutionContext, session: Work, tone: Review, fact: Review, qa: Review
) -> Iterator[dg.Output[PolicyDecision] | dg.AssetCheckResult]:
    """May this draft be offered? Every required rule, for exactly these bytes and this evidence."""
    key = context.partition_key
    with session.stage() as watch:
        fence, brief = session.fence(key), _brief(session, key)
        noun = decide(
            fence,
            session.services,
            received=brief.received,
            context=brief.context,
            tier=brief.tier,
            draft=session.read(key, Stage.DRAFT, Draft),
            reviews=(tone, fact, qa),
        )
        output = _made(noun, shown.policy(noun), watch)
    yield output
    yield from _judged(session, key, Stage.POLICY, checks.failed(noun.verdicts, noun.waived))


@dg.asset(
    key=asset_key(Stage.PUBLISH),
    ins=_from(Stage.POLICY),
    partitions_def=work_orders,
    io_manager_key=_IO,
    group_name="publishing",
    owners=PLATFORM,
    tags=MAIL_TEXT,
    kinds={"zapier"},
)
def publish(
    context: dg.AssetExecutionContext,
    session: Work,
    desk_url: dg.ResourceParam[str],
    policy: PolicyDecision,
) -> dg.Output[Publication]:
    """What was handed to the publication ledger, or why a human answers instead.

    The ledger re-reads every PASS in its own transaction (ES-16): a run of this asset alone,
    whoever presses *Materialize*, publishes nothing that was not passed.
    """
    with session.stage() as watch:
        fence = session.fence(context.partition_key)
        noun = hand_over(fence, policy, session.services, session.publisher)
        session.settled()
        page = shown.PublishPage(
            session.services.store.work_order(context.partition_key),
            _draft(session, context.partition_key),
            policy.reasons,
            desk_url,
        )
        return _made(noun, shown.publication(noun, page), watch)


STAGES: Final[Sequence[dg.AssetsDefinition]] = [
    received,
    enrichment,
    tier,
    draft,
    reviews,
    policy,
    publish,
]


def _mail(session: RunSession, key: str) -> Received:
    """Return the mail as the conversation shows it: what is quoted, what was written now."""
    received = session.read(key, Stage.RECEIVED, Received)
    return in_conversation(received, session.read(key, Stage.THREAD, Thread))


def _draft(session: RunSession, key: str) -> Draft | None:
    artifact = session.services.store.artifact(key, Stage.DRAFT)
    return None if artifact is None else noun_of(artifact, Draft)


def _brief(session: RunSession, key: str) -> Brief:
    return brief_of(
        _mail(session, key),
        session.read(key, Stage.CONTEXT, Context),
        session.read(key, Stage.TIER, TierDecision),
        session.services,
    )


def _judged(
    session: RunSession, key: str, stage: Stage, reasons: Sequence[Reason]
) -> Iterator[dg.AssetCheckResult]:
    """Yield the checks' results; a violation first closes the work order as escalated.

    Only now, after the output was stored: a closed work order takes no more artifacts from its run.
    """
    if faults := checks.violations(stage, reasons):
        with session.stage():
            session.escalate(key, faults)
    yield from checks.results(stage, reasons)
