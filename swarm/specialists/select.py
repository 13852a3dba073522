"""Which specialist thinks: a chat model when one is configured, today's stages, or the rules."""

from swarm.settings import ModelSettings, Thinker
from swarm.specialists.legacy import LegacySpecialist
from swarm.specialists.llm import LlmSpecialist
from swarm.specialists.protocol import Specialist
from swarm.specialists.rules import RulesSpecialist
from swarm.specialists.turns import Turns
from swarm.store.protocol import ModelLedger


def select_specialist(
    settings: ModelSettings,
    ledger: ModelLedger,
    *,
    acknowledge: bool = False,
    turns: Turns | None = None,
) -> Specialist:
    """Return the specialist of this installation; ``ledger`` remembers its paid calls, ``turns``
    says when it may ask (None: it asks alone).

    ``acknowledge``: whether the rules draft an acknowledgement where they have no answer.
    """
    if settings.thinker is Thinker.LEGACY:
        return LegacySpecialist()
    if settings.thinker is Thinker.RULES:
        return RulesSpecialist(acknowledge=acknowledge)
    return LlmSpecialist(settings, ledger, turns=turns)
