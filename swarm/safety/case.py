"""What a rule may look at, and what a rule is. Rules are pure: a case in, reasons out.

Empty reasons mean allowed. Unknown counts as a violation: a rule that needs a noun which is missing
returns a reason, it does not raise and it does not pass.
"""

from collections.abc import Callable
from dataclasses import dataclass

from swarm.models import Context, Draft, Noun, Reason, Received, Review, Stage, Tier, TierDecision


class Case(Noun):
    """Everything known about a work order when a rule is asked. None: that stage has no output."""

    received: Received
    tier: TierDecision | None = None
    tier_floor: Tier = Tier.ROUTINE
    context: Context | None = None
    draft: Draft | None = None
    reviews: tuple[Review, ...] = ()
    link_allow_list: tuple[str, ...] = ()
    own_contacts: tuple[str, ...] = ()
    """The house's own addresses, domains and telephone numbers: a draft may name them (ES-11)."""
    spoken: tuple[str, ...] | None = None
    """The languages measured in the draft's own words; None: nobody measured (ES-26)."""
    approved_recipients: tuple[str, ...] = ()
    model_cost: float = 0.0
    model_budget: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One ES rule: where it is asked, its statement in one sentence, and its pure check.

    ``violation`` tells how a non-empty answer ends. False: an escalation is a normal outcome, the
    check in the UI passes and the work order goes to a human. True: the draft or the pipeline is at
    fault, the blocking check fails and the work order goes to a human.
    """

    id: str
    stage: Stage
    statement: str
    check: Callable[[Case], tuple[Reason, ...]]
    violation: bool
    also_at: tuple[Stage, ...] = ()
    """Further stages where it is asked again; every required rule is asked at ``policy``."""
