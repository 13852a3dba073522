"""What the words of this system mean for people: rules, states, classes, reasons to hold.

One source for pages and commands (``glossary.toml``). What lives elsewhere: the rules themselves
(``swarm.safety.ruleset``), what happens next to one work order (``swarm.observe.dossier``).
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from pydantic import Field

from swarm.models import Noun


class GlossaryEntry(Noun):
    """One word: what people call it, what it means, what to do about it."""

    name: str
    means: str
    do: str
    said: tuple[str, ...] = Field(default=(), description="What a reason to hold says, in part")


class Glossary(Noun):
    """Every word by what the system calls it."""

    rules: Mapping[str, GlossaryEntry]
    states: Mapping[str, GlossaryEntry]
    classes: Mapping[str, GlossaryEntry]
    publications: Mapping[str, GlossaryEntry]
    acts: Mapping[str, GlossaryEntry]
    held: Mapping[str, GlossaryEntry]

    def rule(self, rule: str) -> GlossaryEntry:
        """Return the words of a rule; one nobody wrote down is called what it is."""
        return self.rules.get(rule) or _unwritten(rule)

    def state(self, state: str) -> GlossaryEntry:
        """Return the words of a work order's state."""
        return self.states.get(state) or _unwritten(state)

    def escalation(self, name: str) -> GlossaryEntry:
        """Return the words of an escalation class."""
        return self.classes.get(name) or _unwritten(name)

    def publication(self, state: str) -> GlossaryEntry:
        """Return the words of a publication's state."""
        return self.publications.get(state) or _unwritten(state)

    def act(self, act: str) -> GlossaryEntry:
        """Return the words of what a person did with a draft."""
        return self.acts.get(act) or _unwritten(act)

    def holding(self, reason: str) -> GlossaryEntry | None:
        """Return the words of a reason to hold; None when nobody wrote it down."""
        lowered = reason.lower()
        entries = self.held.values()
        return next((e for e in entries if any(s.lower() in lowered for s in e.said)), None)


@cache
def glossary() -> Glossary:
    """Return the glossary of this release."""
    text = (resources.files("swarm.observe.glossary") / "glossary.toml").read_text("utf-8")
    return Glossary.model_validate(tomllib.loads(text))


def _unwritten(name: str) -> GlossaryEntry:
    return GlossaryEntry(name=name.replace("_", " "), means="", do="")
