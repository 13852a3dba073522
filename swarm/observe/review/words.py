"""Where something is known from, how long ago it was, and why no draft came: in words. Pure."""

from collections.abc import Iterable

from swarm.knowledge.snippet import SOURCE
from swarm.observe.glossary import glossary

_SOURCES = {
    "graph:inbound": "the mail",
    "graph:subject": "its subject",
    "graph:attachments": "its attachments' names",
    "graph:attachment:text": "an attachment",
    "graph:message:ours": "what we wrote before",
    "graph:message:theirs": "an earlier mail",
    "monday:contact:name": "the CRM contact",
    "monday:update": "a CRM note",
}
_DEAL = "monday:deal:"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def source_in_words(source: str) -> str:
    """Say where a piece of evidence comes from."""
    if source.startswith(SOURCE):
        return f"the approved answer “{source.removeprefix(SOURCE)}”"
    if source.startswith(_DEAL):
        return f"the CRM's {source.removeprefix(_DEAL).replace('_', ' ')}"
    return _SOURCES.get(source, source)


def age_in_words(seconds: float) -> str:
    """Say a span of time as people do: ``3 min``, ``2 h 5 min``, ``4 days``."""
    seconds = max(int(seconds), 0)
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < 2 * _DAY:
        hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
        return f"{hours} h {minutes} min" if minutes and hours < _DAY // _HOUR else f"{hours} h"
    return f"{seconds // _DAY} days"


def reason_in_words(detail: str) -> str:
    """Say why a rule fired without the names detectors and classes have in the code."""
    head, colon, rest = detail.partition(": ")
    if colon and head == "learned":
        return rest.replace("a sentence that means", "One sentence means").replace("_", " ")
    if colon and head in glossary().classes:
        return f"{glossary().escalation(head).name}: {rest}"
    return detail


def lookup_in_words(lookup: str) -> str:
    """Say what asking an outside source gave."""
    return {"hit": "found", "miss": "not found"}.get(lookup, "could not be asked")


def classes_in_words(classes: Iterable[str], state: str) -> str:
    """Say what an escalation is about; one without a class is what its state says."""
    named = ", ".join(glossary().escalation(str(name)).name for name in classes)
    return named or glossary().state(state).name
