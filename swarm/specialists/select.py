"""Which specialist thinks: a chat model when one is configured, today's stages, or the rules."""

from swarm.settings import ModelSettings, Thinker
from swarm.specialists.legacy import LegacySpecialist
from swarm.specialists.llm import LlmSpecialist
from swarm.specialists.protocol import Specialist
from swarm.specialists.rules import RulesSpecialist
from swarm.store.protocol import ModelLedger


def select_specialist(settings: ModelSettings, ledger: ModelLedger) -> Specialist:
    """Return the specialist of this installation; ``ledger`` remembers its paid calls."""
    if settings.thinker is Thinker.LEGACY:
        return LegacySpecialist()
    if settings.thinker is Thinker.RULES:
        return RulesSpecialist()
    return LlmSpecialist(settings, ledger)
