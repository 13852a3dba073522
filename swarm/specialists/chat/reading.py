"""What a model's message says: one JSON object, or what is wrong with it. Pure.

Tolerant of what stands round the object (a BOM, prose, thoughts, a code fence) and of the place it
stands in (the text, or a tool call); never of the object itself. An answer that was cut off or
filtered is none, whatever its first half looks like.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

_MOST_CHARACTERS = 400_000
_MOST_STARTS = 40  # braces looked at; each look may read the whole text
_BLANK = "\ufeff \t\r\n"
_THOUGHTS = ("think", "thinking", "reasoning", "thought")


class AnswerFault(StrEnum):
    """Why an answer cannot be used, as a person reads it."""

    LENGTH = "the model's answer was cut off at its longest length"
    FILTERED = "the model's provider filtered the answer"
    REFUSED = "the model refused to answer"
    UNREADABLE = "the model's answer is no JSON object"
    UNFIT = "the model's answer does not have the form that was asked for"
    ECHOED = "the model's answer repeats the prompt's secret words"
    BROKEN = "the model's answer cannot be read"


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it came: its text, the arguments of its tool calls, how it ended, its tokens."""

    text: str = ""
    tool_arguments: tuple[JsonValue, ...] = ()
    finish: str = ""
    refused: bool = False
    broken: bool = False
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


_FINISHES = {
    "length": AnswerFault.LENGTH,
    "max_tokens": AnswerFault.LENGTH,
    "max_output_tokens": AnswerFault.LENGTH,
    "model_length": AnswerFault.LENGTH,
    "model_context_window_exceeded": AnswerFault.LENGTH,
    "content_filter": AnswerFault.FILTERED,
    "safety": AnswerFault.FILTERED,
    "recitation": AnswerFault.FILTERED,
    "refusal": AnswerFault.REFUSED,
}


def read(said: Said) -> dict[str, JsonValue] | AnswerFault:
    """Return the one JSON object of an answer, or what is wrong with it."""
    if said.broken:
        return AnswerFault.BROKEN
    if (ended := _FINISHES.get(said.finish.casefold())) is not None:
        return ended
    if said.refused:
        return AnswerFault.REFUSED
    try:
        found = list(said.tool_arguments) or list(
            _objects(_without_thoughts(said.text[:_MOST_CHARACTERS]))
        )
    except (ValueError, RecursionError):
        return AnswerFault.UNREADABLE
    # Two objects are two answers, and nobody knows which was meant.
    (one,) = found if len(found) == 1 else (None,)
    return one if isinstance(one, dict) else AnswerFault.UNREADABLE


def _without_thoughts(text: str) -> str:
    """An answer that begins at once may quote such a mark, out of a mail."""
    text = text.lstrip(_BLANK)
    if text.startswith(("{", "```")):
        return text
    for name in _THOUGHTS:
        opening, closing = f"<{name}>", f"</{name}>"
        # Some servers open the block in the prompt, so that only its end stands in the answer.
        end = text.rfind(closing)
        if end >= 0:
            text = text[end + len(closing) :]
        elif opening in text:
            return ""  # thoughts that never end hold no answer
    return text


def _objects(text: str) -> Iterator[dict[str, JsonValue]]:
    """Yield the JSON objects of a text, outermost only.

    Raises ``ValueError`` over one that begins and is none: what stands inside of an object that was
    cut off, or that says a thing twice, is no answer.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_unique)
    start = text.find("{")
    for _ in range(_MOST_STARTS):
        if start < 0:
            return
        try:
            found, end = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            if text[start + 1 : error.pos].strip():
                raise
            end = start + 1  # a brace in prose
        else:
            yield found
        start = text.find("{", end)


def _unique(pairs: list[tuple[str, JsonValue]]) -> Mapping[str, JsonValue]:
    """Refuse an object that says a thing twice: which of both counts would be chance."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found
