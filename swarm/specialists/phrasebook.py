"""The fixed phrases of the languages we write, from ``phrases/<language>.toml``.

A language without a file is not written at all: its mails go to a human. Adding one is adding a
file."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from swarm.patterns import linear
from swarm.specialists.names.plausible import is_a_name


@dataclass(frozen=True, eq=False)
class Phrasebook:
    """One language. ``topics`` and ``keywords`` are keyed by topic, in order of precedence;
    ``vocabulary`` is what an ask may speak of to be answered from a record."""

    language: str
    phrases: Mapping[str, str]
    topics: Mapping[str, str]
    keywords: Mapping[str, tuple[str, ...]]
    vocabulary: Mapping[str, str]
    turns: tuple[str, ...]

    def say(self, phrase: str, **values: str) -> str:
        """Return a phrase with its values filled in."""
        return self.phrases[phrase].format(**values)

    def greet(self, name: str, address: str = "") -> str:
        """Greet by name when the name is plainly one, else without; the address may confirm it."""
        if is_a_name(name, address):
            return self.say("greeting_named", name=" ".join(name.split()))
        return self.phrases["greeting"]

    @property
    def closing(self) -> str:
        """The closing phrase above the signature, without a comma."""
        return self.phrases["closing"]

    @cached_property
    def patterns(self) -> Mapping[str, re.Pattern[str]]:
        """One compiled pattern a topic."""
        return {
            topic: linear("|".join(words), re.IGNORECASE) for topic, words in self.keywords.items()
        }

    @cached_property
    def turned(self) -> re.Pattern[str]:
        """What looks like an ask for a value on record and wants something else."""
        return linear("|".join(self.turns), re.IGNORECASE)


@cache
def phrasebook(language: str) -> Phrasebook | None:
    """Return the phrases of an ISO 639-1 language; None when we do not write it."""
    if language not in languages():
        return None
    text = (_folder() / f"{language}.toml").read_text("utf-8")
    raw = tomllib.loads(text)
    phrases = {key: value for key, value in raw.items() if isinstance(value, str)}
    keywords = {topic: tuple(words) for topic, words in raw["keywords"].items()}
    return Phrasebook(
        language,
        phrases,
        dict(raw["topics"]),
        keywords,
        dict(raw["vocabulary"]),
        tuple(raw["turned"]["patterns"]),
    )


@cache
def languages() -> frozenset[str]:
    """Every language there is a file for."""
    names = (entry.name for entry in _folder().iterdir())
    return frozenset(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def _folder() -> "resources.abc.Traversable":
    return resources.files("swarm.specialists") / "phrases"
