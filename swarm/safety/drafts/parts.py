"""What a draft's text is made of: the house's frame (greeting, closing, reference) and what is said
between. ``stages.reply.assemble`` sets the frame; everything else is somebody's own words."""

from typing import NamedTuple

from swarm.patterns import linear
from swarm.safety.visible import without_reference

_PARAGRAPH = linear(r"\n[ \t]{0,40}\n")
_SENTENCE_END = linear(r"(?<=[.!?\u2026])[\s\"')\]]{1,8}|\n")


class Parts(NamedTuple):
    """The greeting, what is said, and the closing; a text without a frame is all said."""

    greeting: str
    said: str
    closing: str


def parts_of(text: str, key: str) -> Parts:
    """Take a draft's text apart; ``key`` tells our own reference line from another one."""
    paragraphs = [p for p in _PARAGRAPH.split(without_reference(text, key)) if p.strip()]
    if len(paragraphs) < 3:  # noqa: PLR2004 - greeting, at least one paragraph, closing
        return Parts("", "\n\n".join(paragraphs), "")
    return Parts(paragraphs[0], "\n\n".join(paragraphs[1:-1]), paragraphs[-1])


def sentences(text: str) -> list[str]:
    """Cut a text into sentences and lines, in order, without the empty ones."""
    return [one.strip() for one in _SENTENCE_END.split(text) if one.strip()]
