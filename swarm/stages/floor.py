"""The deterministic rules of one stage, asked about what is known at that stage."""

from swarm.models import Draft, Reason, Stage
from swarm.safety.case import Case
from swarm.safety.ruleset import VERSION, judge
from swarm.specialists.protocol import Brief
from swarm.stages.services import Services


def floor_version() -> str:
    """Version of the ruleset in force."""
    return VERSION


def reasons_at(
    stage: Stage, brief: Brief, draft: Draft | None, services: Services
) -> tuple[Reason, ...]:
    """Return why the rules of ``stage`` object; empty means allowed. A rule that breaks objects."""
    case = Case(
        received=brief.received,
        tier=brief.tier,
        tier_floor=brief.tier.tier,
        context=brief.context,
        draft=draft,
        link_allow_list=services.link_allow_list,
        model_cost=services.store.model_cost(brief.received.work_order.key),
        model_budget=services.model_budget,
    )
    return judge(stage, case)
