"""One real small call of the configured model, through everything a work order's call goes through.

For ``swarm doctor``: key, name, form and time-out are proven by it, for a few tokens. Nothing is
remembered.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from swarm.models import Noun
from swarm.settings import ModelSettings
from swarm.specialists.chat.ladder import Abilities
from swarm.specialists.model_calls import ModelCalls
from swarm.specialists.prompting import PURPOSES, Prompt, style_of
from swarm.store.memory_models import MemoryModelLedger

_KEY = "doctor"
_PROMPT = Prompt("doctor", "You answer in one word.", "Good morning.", "Answer with the word yes.")


class ProbeAnswer(Noun):
    """One word."""

    word: Annotated[str, Field(max_length=100)]


class Probed(Noun):
    """How a model answered."""

    model: str
    way: Abilities
    calls: int
    input_tokens: int
    output_tokens: int
    latency_ms: int


def probe(settings: ModelSettings, model: str) -> Probed:
    """Ask ``model`` once; raises a ``SwarmError`` that says in a sentence what is wrong."""
    style_of(settings)
    ledger = MemoryModelLedger()
    asked = settings.model_copy(update={"name": model, "names": {}})
    ModelCalls(asked, ledger).ask(_KEY, _PROMPT, ProbeAnswer)
    calls = ledger.model_calls()
    (known,) = ledger.model_endpoints()
    return Probed(
        model=known.name,
        way=Abilities.model_validate(known.abilities),
        calls=len(calls),
        input_tokens=sum(call.input_tokens or 0 for call in calls),
        output_tokens=sum(call.output_tokens or 0 for call in calls),
        latency_ms=calls[-1].latency_ms,
    )


def models_of(settings: ModelSettings) -> Iterator[str]:
    """Yield each model that some purpose is asked of."""
    yield from dict.fromkeys(settings.name_for(purpose) for purpose in PURPOSES)
