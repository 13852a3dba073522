"""The deterministic rules of one stage, asked about what is known at that stage.

The one place where a ``Case`` is made: whoever asks a rule asks it about the same facts. And the
one place that knows which rules a person took on with a release: they are asked all the same, and
their verdict is kept, but they do not object.
"""

from collections.abc import Sequence

from swarm.models import Draft, Reason, Review, Stage, Tier
from swarm.safety.case import Case
from swarm.safety.ruleset import VERSION, judge
from swarm.specialists.protocol import Brief
from swarm.stages.services import Services
from swarm.stages.spoken import spoken_in


def floor_version() -> str:
    """Version of the ruleset in force."""
    return VERSION


def case_of(
    brief: Brief,
    draft: Draft | None,
    services: Services,
    *,
    reviews: Sequence[Review] = (),
    tier_floor: Tier | None = None,
) -> Case:
    """Return everything known about a work order as the rules see it.

    ``tier_floor`` is the highest tier any run has set; None: this run's own.
    """
    return Case(
        received=brief.received,
        tier=brief.tier,
        tier_floor=brief.tier.tier if tier_floor is None else tier_floor,
        context=brief.context,
        draft=draft,
        reviews=tuple(reviews),
        link_allow_list=services.link_allow_list,
        own_contacts=services.own_contacts,
        spoken=spoken_in(draft, brief.received.work_order.key) if draft else None,
        approved_recipients=services.approved_recipients,
        model_cost=services.store.model_cost(brief.received.work_order.key),
        model_budget=services.model_budget,
    )


def reasons_at(
    stage: Stage, brief: Brief, draft: Draft | None, services: Services
) -> tuple[Reason, ...]:
    """Return why the rules of ``stage`` object; empty means allowed. A rule that breaks objects."""
    reasons = judge(stage, case_of(brief, draft, services))
    return without(taken_on(brief.received.work_order.key, services), reasons)


def taken_on(key: str, services: Services) -> frozenset[str]:
    """Return the rules that a person took on for this work order; empty without a release."""
    release = services.store.release(key)
    return frozenset(release.waived) if release else frozenset()


def without(rules: frozenset[str], reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Return the reasons that no person took on."""
    return tuple(reason for reason in reasons if reason.rule not in rules)
