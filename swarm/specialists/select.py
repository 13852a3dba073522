"""Which specialist thinks: the chat model when one is configured, the rules otherwise."""

from swarm.settings import ModelSettings
from swarm.specialists.protocol import Specialist
from swarm.specialists.rules import RulesSpecialist
from swarm.store.protocol import RunStore


def select_specialist(settings: ModelSettings, ledger: RunStore) -> Specialist:
    """Return the specialist of this installation; ``ledger`` remembers its paid calls."""
    if not settings.configured:
        return RulesSpecialist()
    from swarm.specialists.llm import LlmSpecialist  # noqa: PLC0415 - only when it is used

    return LlmSpecialist(settings, ledger)
