"""The one place that compiles patterns over foreign text: what it returns takes linear time.

Python's engine tries a pattern at every place of a text, and holds the interpreter's lock while it
does. A run of any length that is followed by something which may fail is scanned again from each of
its places: ``-{3,}end`` over 100,000 dashes took 20 s and stopped every thread of its process.
So :func:`linear` refuses at import what can do that, by the parse tree of the pattern:

* a repeat is bounded (``{0,200}``, not ``*``), or it is a run of single characters at the very end
  of the pattern, where nothing behind it can make the engine come back;
* a repeat without bound stands in no other repeat and in no look-around.

Bounds alone keep time linear but not small; what 50,000 characters cost is measured for every
compiled pattern of the package, over inputs made from each, by
``tests/unit/test_patterns_take_linear_time.py``.

Not google-re2: its ``\\w``, ``\\d``, ``\\s`` and ``\\b`` know ASCII only (half of our patterns read
seven languages), it has no look-around, and it refuses lone surrogates. Ruff bans ``re.compile``
and its shorthands elsewhere in the package.
"""

import re
from collections.abc import Iterator, Sequence
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, AnyStr, Final, TypeAlias

LONGEST_RUN: Final = 10_000  # a longer bound is none

_Node: TypeAlias = tuple[Any, Any]

_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
_LOOKS = (op.ASSERT, op.ASSERT_NOT)
_ONE_CHARACTER = (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY, op.CATEGORY)


class PatternError(ValueError):
    """A pattern that could take quadratic time on some text."""


def linear(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Compile a pattern that no text makes slow; raises ``PatternError`` for any other."""
    tree = parser.parse(pattern, flags)
    for why in _objections(tree, at_end=True, inside=""):
        raise PatternError(f"{pattern!r}: {why}")
    return re.compile(pattern, flags)


def _objections(nodes: Sequence[_Node], *, at_end: bool, inside: str) -> Iterator[str]:
    """Say what is wrong below; ``inside`` names a repeat or look-around that these stand in."""
    for place, (kind, given) in enumerate(nodes):
        last = at_end and all(_cannot_fail(node) for node in nodes[place + 1 :])
        if kind in _REPEATS:
            yield from _repeat(given, last=last, inside=inside)
        else:
            around = "a look-around" if kind in _LOOKS else inside
            for below in _below(kind, given):
                yield from _objections(below, at_end=last, inside=around)


def _repeat(given: tuple[int, Any, Sequence[_Node]], *, last: bool, inside: str) -> Iterator[str]:
    _, most, repeated = given
    if most is not op.MAXREPEAT and most <= LONGEST_RUN:
        yield from _objections(repeated, at_end=False, inside=inside or "a repeat")
    elif inside:
        yield f"a repeat without bound stands in {inside}"
    elif not last:
        yield "something that may fail follows a repeat without bound"
    elif len(repeated) != 1 or repeated[0][0] not in _ONE_CHARACTER:
        yield "a repeat without bound is no run of single characters"


def _below(kind: Any, given: Any) -> Sequence[Sequence[_Node]]:
    if kind is op.BRANCH:
        return list(given[1])
    if kind is op.SUBPATTERN:
        return [given[3]]
    if kind in _LOOKS:
        return [given[1]]
    if kind is op.ATOMIC_GROUP:
        return [given]
    if kind is op.GROUPREF_EXISTS:
        return [part for part in given[1:] if part is not None]
    return []


def _cannot_fail(node: _Node) -> bool:
    kind, given = node
    if kind in _REPEATS:
        return bool(given[0] == 0)
    if kind in (op.SUBPATTERN, op.BRANCH, op.ATOMIC_GROUP):
        return any(all(_cannot_fail(below) for below in one) for one in _below(kind, given))
    return False
