"""What a reader of a draft sees: HTML as plain words, text without our own reference line."""

import html

from swarm.patterns import linear

_TAG = linear(r"<[^<>]{0,4000}>")
_REFERENCE = 8  # letters of the key in the reference line, as the publishing protocol has it


def text_of_html(markup: str) -> str:
    """Return the words of simple HTML; a tag separates words."""
    return html.unescape(_TAG.sub(" ", markup))


def same_words(markup: str, text: str) -> bool:
    """Whether HTML and plain text say the same words in the same order."""
    return text_of_html(markup).split() == text.split()


def without_reference(text: str, key: str) -> str:
    """Blank the last line when it is this work order's own reference; other places stay put."""
    end = len(text.rstrip())
    start = text.rfind("\n", 0, end) + 1
    own = f"Ref: SW-{key.removeprefix('wo_')[:_REFERENCE].upper()}"
    return text[:start] + " " * (end - start) + text[end:] if text[start:end] == own else text
