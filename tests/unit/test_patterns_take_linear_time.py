"""No text makes a pattern of ours slow: every compiled pattern of the package, over its own pumps.

A mail of 100,000 dashes once held the interpreter's lock for 20 s, because a pattern began anew at
each dash: no heartbeat, the job taken back and given to the next worker, until none was left.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest
from pumping import pumped, square

import swarm
import swarm_assets
from swarm.patterns import PatternError, linear
from swarm.specialists.phrasebook import languages, phrasebook


def modules() -> Iterator[ModuleType]:
    """Every module of both packages but those that are programs only."""
    for package in (swarm, swarm_assets):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not found.name.endswith(("__main__", "celery_app", "runtime.worker")):
                yield importlib.import_module(found.name)


def patterns_in(thing: object, seen: set[int]) -> Iterator[re.Pattern[Any]]:
    """Every compiled pattern that hangs on an object: in containers, fields and attributes."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, re.Pattern):
        yield thing
    elif isinstance(thing, Mapping) and _room(thing) != "foreign":
        for key, value in list(thing.items()):
            yield from patterns_in(key, seen)
            yield from patterns_in(value, seen)
    elif isinstance(thing, list | tuple | set | frozenset) and _room(thing) != "foreign":
        for one in thing:
            yield from patterns_in(one, seen)
    elif _room(thing) == "ours":
        for name in (*getattr(thing, "__dict__", ()), *getattr(thing, "__slots__", ())):
            yield from patterns_in(getattr(thing, name, None), seen)


def _room(thing: object) -> str:
    kind = thing if isinstance(thing, type) else type(thing)
    package = str(kind.__module__).partition(".")[0]
    return {"swarm": "ours", "swarm_assets": "ours", "builtins": "plain"}.get(package, "foreign")


def all_patterns() -> list[re.Pattern[Any]]:
    """Every compiled pattern of the package, once."""
    books = [book for name in sorted(languages()) if (book := phrasebook(name))]
    everything = [*(vars(module) for module in modules()), [book.patterns for book in books]]
    seen: set[int] = set()
    found = {(p.pattern, p.flags): p for one in everything for p in patterns_in(one, seen)}
    return list(found.values())


PATTERNS = all_patterns()


def test_the_patterns_of_every_room_are_found() -> None:
    sources = {pattern.pattern for pattern in PATTERNS}
    assert len(sources) > 120
    for part in ("<\\|[^|<>", "PRIVATE KEY", "schrieb", "original (?:message", "lieferung"):
        assert any(part in str(source) for source in sources), part


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: ascii(p.pattern)[:50])
def test_a_pattern_takes_time_in_proportion_to_the_text(pattern: re.Pattern[Any]) -> None:
    assert [why for pump in pumped(pattern) if (why := square(pattern, *pump))] == []


WERE_SQUARE = (
    r"%%%|={5,}\s{0,4}(?:end|begin|system)|-{3,}\s{0,4}(?:end|begin)\b",
    r"\n\s*\n+",
    r"\s+and\s+",
    r"[^@]+@[^@]+",
    r"(?:a+)+b",
    r"(?=[A-Z-]*\d)[A-Z-]{6}",
)


@pytest.mark.parametrize("source", WERE_SQUARE)
def test_the_measure_finds_a_square_one(source: str) -> None:
    pattern = re.compile(source)
    assert any(square(pattern, *pump) for pump in pumped(pattern))


@pytest.mark.parametrize("source", [*WERE_SQUARE, r"<.*>", r"a{2,20000}b", r"(?:ab)+", r"\w*$"])
def test_a_pattern_that_could_be_square_is_refused_where_it_is_compiled(source: str) -> None:
    with pytest.raises(PatternError):
        linear(source)


@pytest.mark.parametrize(
    "source", [r"-{3,}", r"(?:-- ?|_{5,})\s*", r"a|b+", r"(x[^x]*)", rb"[a-z]+", r"(?<!-)--?x"]
)
def test_a_run_at_the_end_may_be_as_long_as_it_likes(source: str) -> None:
    assert linear(source).pattern == source
