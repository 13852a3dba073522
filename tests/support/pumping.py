"""Texts that make one pattern work hardest, derived from its own parse tree, and their cost.

For each repeat of a pattern: what may stand before it, then a long run of what it repeats, then a
character nothing matches; and the same repeated whole. Besides, runs that trouble readers of mail.
"""

import gc
import re
import time
from collections.abc import Iterator, Sequence
from re import _constants as op
from re import _parser as parser
from typing import Any

GENERIC = (
    "-", "=", "#", " ", "\n", "\r\n", "\t", "<", ">", "@", ".", ",", "_", "*", ":", "/", "&", "%41",
    "(", "[", "{", "|", "'", '"', "\\", "\\x41", "0", "1 ", "1-", "1.", "a", "A", "aA1", "a ", "a.",
    "a@", "a@b.c ", "<a ", "</", "![", "&amp;", "\n>", "> ", "\n\n", " \n", "\u200b", "a\u200b",
    "\u0301", "\u4f60", "\U000e0041", "\u00a0", "eyJ", "==", "--\n", "x=", "http://", "? ", "! ",
)  # fmt: skip
_NOTHING_MATCHES = "\x01"
_STEPS = (32, 128, 512, 2048, 16_000, 64_000)
_ENOUGH = 0.004  # seconds for 16,000 characters; a square that is cheaper costs 400 kB 2 s
_FOURFOLD = 9.0  # four times the text may cost four times as much; a square costs sixteen times

_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
Nodes = Sequence[tuple[Any, Any]]


def pumped(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (head, unit, tail): the text is ``head``, ``unit`` many times, ``tail``."""
    source = pattern.pattern
    tree = parser.parse(source, pattern.flags & ~re.LOCALE)
    seen: set[tuple[str, str]] = set()
    for head, unit in (*_pumps(tree, ""), *(("", unit) for unit in GENERIC)):
        if unit and (head, unit) not in seen:
            seen.add((head, unit))
            yield head, unit, _NOTHING_MATCHES
            if head:
                yield "", head + unit, _NOTHING_MATCHES
                yield "", head + unit * 40, _NOTHING_MATCHES
    whole = _sample(tree)
    for unit in (whole, whole[:-1], whole[1:]):
        if unit:
            yield "", unit, _NOTHING_MATCHES


def _pumps(nodes: Nodes, head: str) -> Iterator[tuple[str, str]]:
    for place, (kind, given) in enumerate(nodes):
        before = head + _sample(nodes[:place])
        if kind in _REPEATS:
            yield before, _sample(given[2])
            yield before, _sample(given[2], other=True)
            yield from _pumps(given[2], before)
        for below in _below(kind, given):
            yield from _pumps(below, before)


def _sample(nodes: Nodes, *, other: bool = False) -> str:
    """Return a shortest text these nodes match; ``other``: by another choice where there is one."""
    return "".join(_one(kind, given, other=other) for kind, given in nodes)


def _one(kind: Any, given: Any, *, other: bool) -> str:
    if kind is op.LITERAL:
        return chr(given)
    if kind in (op.NOT_LITERAL, op.ANY):
        return "a" if kind is op.ANY or given != ord("a") else "b"
    if kind is op.IN:
        return _of_class(given, other=other)
    if kind in _REPEATS:
        return _sample(given[2], other=other) * max(1 if other else 0, given[0])
    if kind is op.BRANCH:
        return _sample(given[1][-1 if other else 0], other=other)
    below = [] if kind in (op.ASSERT, op.ASSERT_NOT) else _below(kind, given)
    return "".join(_sample(one, other=other) for one in below)


_OF_CATEGORY = {
    op.CATEGORY_DIGIT: "1", op.CATEGORY_SPACE: " ", op.CATEGORY_WORD: "a",
    op.CATEGORY_NOT_DIGIT: "a", op.CATEGORY_NOT_SPACE: "a", op.CATEGORY_NOT_WORD: "-",
}  # fmt: skip


def _of_class(given: Nodes, *, other: bool) -> str:
    if given[0][0] is op.NEGATE:
        members = re.compile(_class_source(given))
        tried = " -1Aa" if other else "aA1- "
        return next((c for c in tried if members.match(c)), "\u00e9")
    kind, value = given[-1 if other else 0]
    if kind is op.LITERAL:
        return chr(value)
    if kind is op.RANGE:
        return chr(value[0])
    return _OF_CATEGORY.get(value, "a")


def _class_source(given: Nodes) -> str:
    parts = []
    for kind, value in given:
        if kind is op.LITERAL:
            parts.append(re.escape(chr(value)))
        elif kind is op.RANGE:
            parts.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        elif kind is op.CATEGORY:
            name = str(value).removeprefix("CATEGORY_").removeprefix("UNI_")
            letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.removeprefix("NOT_")]
            parts.append("\\" + (letter.upper() if name.startswith("NOT_") else letter))
    return f"[^{''.join(parts)}]"


def _below(kind: Any, given: Any) -> Sequence[Nodes]:
    if kind is op.BRANCH:
        return list(given[1])
    if kind is op.SUBPATTERN:
        return [given[3]]
    if kind in (op.ASSERT, op.ASSERT_NOT):
        return [given[1]]
    if kind is op.ATOMIC_GROUP:
        return [given]
    return []


def square(pattern: re.Pattern[Any], head: str, unit: str, tail: str) -> str | None:
    """Say how the pattern grows out of proportion on this text; None when it does not."""
    before = 0.0
    for size in _STEPS:
        text = head + unit * (size // len(unit) + 1) + tail
        cost = _cost(pattern, text)
        if cost > _ENOUGH:
            cost = min(cost, _cost(pattern, text))
        if size <= 2048 and cost > 0.5:  # a cube, or worse
            return f"{cost:.2f} s for {size} characters of {unit[:20]!r} after {head[:20]!r}"
        if size == _STEPS[-1] and cost > _ENOUGH and cost > _FOURFOLD * before:
            grown = f"{before:.3f} s, then {cost:.3f} s for four times as much"
            return f"{grown} of {unit[:20]!r} after {head[:20]!r}"
        if size == _STEPS[-2] and cost < _ENOUGH:
            return None
        before = cost
    return None


def _cost(pattern: re.Pattern[Any], text: str) -> float:
    subject = text if isinstance(pattern.pattern, str) else text.encode("utf-8", "replace")
    gc.disable()
    try:
        begin = time.thread_time()
        for _ in pattern.finditer(subject):
            pass
        pattern.fullmatch(subject)
        return time.thread_time() - begin
    finally:
        gc.enable()
