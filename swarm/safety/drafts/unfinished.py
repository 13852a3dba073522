"""What somebody still had to fill in: brackets, braces, blanks, markers, variable names."""

from collections.abc import Iterator

from swarm.patterns import linear
from swarm.safety.drafts.blanks import left_blank
from swarm.safety.drafts.phrases import labels
from swarm.safety.drafts.slots import humped_slot, marked_slot
from swarm.safety.words import words_of

_BRACKETS = linear(
    r"\[[^\]\n]{0,200}\]|\{[^}\n]{0,200}\}|<[^<>\n]{0,200}>"
    r"|\u00ab\s?[A-Z_ ]{3,40}\s?\u00bb|%\w{2,40}%|\$\{?[a-zA-Z_]{3,40}"
    r"|[\u3010\u3014\u27e8\u3008\u2039\u300a][^\n\u3011\u3015\u27e9\u3009\u203a\u300b]{0,200}"
    r"[\u3011\u3015\u27e9\u3009\u203a\u300b]|[@#|~]{1,2}[A-Z][A-Z_]{1,40}[@#|~]{1,2}"
)
_VARIABLE = linear(r"\b[A-Za-z]{2,40}_[A-Za-z_]{2,40}\b|\bundefined\b|\bNaN\b|\bNone\b[,.]")


def unfinished(text: str) -> Iterator[str]:
    """Say what was left to be filled in."""
    if _BRACKETS.search(text) or marked_slot(text):
        yield "a placeholder in brackets was left in the reply"
    if left_blank(text):
        yield "a blank was left to be filled in"
    if _VARIABLE.search(text) or humped_slot(text):
        yield "the name of a variable stands where its value should"
    yield from labels("unfinished", words_of(text))
