"""What is written down of a model's answer, and whether it can be used. Pure.

Written down before anybody judges it, judged each time it is read: an answer of long ago has to fit
the form of today as well.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from swarm.models import ModelCall, Noun
from swarm.safety.spotlight import gives_away
from swarm.specialists.chat.ladder import Abilities
from swarm.specialists.chat.reading import AnswerFault, Said, read

_KEPT_CHARACTERS = 2000  # of an answer that cannot be used
_DEEPEST = 32  # lists and objects in one another; no form has a quarter of that


@dataclass(frozen=True, slots=True)
class Useless:
    """An answer that cannot be used, and whether the way it was asked for had proved good."""

    problem: AnswerFault
    proven: bool


def kept(said: Said, way: Abilities) -> JsonValue:
    """Return what is written down of an answer: its object, or what is wrong and how it began."""
    found = read(said)
    asked: dict[str, JsonValue] = {"rung": way.rung.value, "proven": way.proven}
    if isinstance(found, AnswerFault):
        return {**asked, "problem": found.name, "text": _storable(said.text[:_KEPT_CHARACTERS])}
    try:
        parsed = _all_storable(found, _DEEPEST)
        json.dumps(parsed, allow_nan=False)
    except ValueError:  # numbers beyond all bounds, nested as deep, or odd names
        return {**asked, "problem": AnswerFault.UNREADABLE.name}
    return {**asked, "parsed": parsed}


def _all_storable(value: JsonValue, depth: int) -> JsonValue:
    if isinstance(value, str):
        return _storable(value)
    if not isinstance(value, dict | list):
        return value
    if not depth:
        raise ValueError("nested too deep")
    if isinstance(value, list):
        return [_all_storable(each, depth - 1) for each in value]
    if any(_storable(name) != name for name in value):  # it would become another name
        raise ValueError("a name that cannot be kept")
    return {name: _all_storable(each, depth - 1) for name, each in value.items()}


def _storable(text: str) -> str:
    """Return text as Postgres can keep it: no NUL, no lone surrogate."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _texts(value: JsonValue) -> Iterator[str]:
    """Yield every text and name of an answer, as it is: JSON writes a line break as a letter."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def usable(call: ModelCall, form: type[Noun]) -> JsonValue | Useless:
    """Return the object of an answer that can be used; every answer comes by here."""
    answer = call.answer if isinstance(call.answer, dict) else {}
    proven = bool(answer.get("proven", True))
    if "parsed" not in answer:
        name = str(answer.get("problem"))
        known = name in AnswerFault.__members__
        return Useless(AnswerFault[name] if known else AnswerFault.BROKEN, proven)
    found = answer["parsed"]
    if gives_away(call.work_order_key, " ".join(_texts(found))):
        return Useless(AnswerFault.ECHOED, proven)
    try:
        form.model_validate(found)
    except ValidationError:
        return Useless(AnswerFault.UNFIT, proven)
    return found
