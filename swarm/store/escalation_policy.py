"""Who must look at an escalation, and by when (ES-22). Pure; the stores write what this says.

The times start when the escalation is made, because nobody can acknowledge it earlier; the time the
mail was received is kept beside them, since regimes such as DISP count from there.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from pydantic import Field

from swarm.models import DECLINED, EscalationClass, Noun, Reason, WorkOrderState
from swarm.settings import CoreSettings

_MINUTES: dict[EscalationClass, int] = {
    EscalationClass.SAFETY: 15,
    EscalationClass.FRAUD: 30,
    EscalationClass.VULNERABLE: 60,
    EscalationClass.LEGAL: 60,
    EscalationClass.PRESS: 60,
    EscalationClass.HUMAN_REQUESTED: 120,
    EscalationClass.PRIVACY: 240,
    EscalationClass.UNKNOWN: 240,
    EscalationClass.COMPLAINT: 480,
    EscalationClass.MONEY_DISPUTE: 480,
}


DESKED = frozenset({WorkOrderState.ESCALATED, WorkOrderState.DECLINED})
"""What a person answers: each has an owner and a time."""


class EscalationPolicy(Noun):
    """Owners and times per class. A class not named gets the shortest time: the safe choice."""

    owner: str = Field(default="customer-service-lead", description="Who has it if nobody else")
    owners: Mapping[EscalationClass, str] = Field(
        default={
            EscalationClass.LEGAL: "legal",
            EscalationClass.PRIVACY: "data-protection",
            EscalationClass.PRESS: "press-office",
            EscalationClass.FRAUD: "fraud-desk",
        }
    )
    minutes: Mapping[EscalationClass, int] = Field(default=_MINUTES)
    urgent_minutes: int = Field(default=30, description="At or below this, an alert fires at once")
    declined_owner: str = Field(default="customer-service", description="Who writes himself")
    declined_minutes: int = Field(default=480, description="Until somebody must have looked")

    def desk(
        self, state: WorkOrderState, reasons: Sequence[Reason]
    ) -> tuple[tuple[EscalationClass, ...], str, timedelta]:
        """Return classes, owner and time of what was escalated or declined."""
        if state is WorkOrderState.DECLINED:
            return (), self.declined_owner, timedelta(minutes=self.declined_minutes)
        classes = classes_of(reasons)
        return classes, self.owner_of(classes), self.due(classes)

    def due(self, classes: Sequence[EscalationClass]) -> timedelta:
        """Return the time somebody has to acknowledge: the shortest of all classes."""
        shortest = min(self.minutes.values(), default=15)
        return timedelta(minutes=min(self.minutes.get(c, shortest) for c in classes))

    def owner_of(self, classes: Sequence[EscalationClass]) -> str:
        """Return the owner named for the most pressing class."""
        pressing = min(classes, key=lambda c: (self.due([c]), c))
        return self.owners.get(pressing, self.owner)

    def urgent(self, classes: Sequence[EscalationClass]) -> bool:
        """Whether the escalation must not wait for somebody to open the list."""
        return bool(classes) and self.due(classes) <= timedelta(minutes=self.urgent_minutes)


def policy_of(core: CoreSettings) -> EscalationPolicy:
    """Return the house's own policy: what it does not name keeps its default."""
    usual = EscalationPolicy()
    return EscalationPolicy(
        owner=core.escalation_owner,
        owners={**usual.owners, **core.escalation_owners},
        minutes={**usual.minutes, **core.escalation_minutes},
        urgent_minutes=core.escalation_urgent_minutes,
        declined_owner=core.declined_owner,
        declined_minutes=core.declined_minutes,
    )


def classes_of(reasons: Sequence[Reason]) -> tuple[EscalationClass, ...]:
    """Return the classes the reasons name, sorted; ``unknown`` when they name none."""
    named = {escalation_class for reason in reasons for escalation_class in reason.classes}
    return tuple(sorted(named or {EscalationClass.UNKNOWN}))


def rules_of(reasons: Sequence[Reason]) -> str:
    """Return the rules that fired, as the one-line reason of a state; a decline in its words."""
    if said := [reason.detail for reason in reasons if reason.rule == DECLINED]:
        return "; ".join(dict.fromkeys(said))
    return ", ".join(sorted({reason.rule for reason in reasons})) or "no reason given"
