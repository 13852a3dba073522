"""What an HTML body shows, coarsely: its words, and whether there is a picture. Pure and linear.

Enough to tell an empty page from one that nobody here can read. How a person would read the text
is the intake's question (``intake.mail``). No HTML library: a tree of 80,000 nested elements took
one of them two minutes.
"""

import html as entities
import re
from collections.abc import Iterator

from swarm.patterns import linear

_TAG = linear(r"<(/?)([a-z][\w:-]{0,30})?([^<>]*)>?", re.IGNORECASE)
_UNSHOWN = {
    name: linear(rf"</{name}\s{{0,8}}>", re.IGNORECASE)
    for name in ("script", "style", "title", "template")
}
_COMMENT_END = linear(r"-->")
_PICTURES = frozenset({"img", "image", "picture", "svg", "video", "object", "embed", "canvas"})
_OFFICE_PICTURE = "v:imagedata"
_PIXEL = linear(r"\b(?:width|height)\s{0,5}[:=]\s{0,5}[\"']?[01](?:px)?(?![\w.])", re.IGNORECASE)


def text_of(html: str) -> str:
    """Return the words of a page, hidden ones too: they count as content."""
    return entities.unescape(" ".join(text for text, _ in _pieces(html)))


def shows_picture(html: str) -> bool:
    """Whether a page shows a picture bigger than a counting pixel."""
    return any(picture for _, picture in _pieces(html))


def _pieces(html: str) -> Iterator[tuple[str, bool]]:
    """Yield each run of text, with whether the tag behind it is a picture."""
    position, endless = 0, set[str]()
    while (start := html.find("<", position)) >= 0:
        tag = _TAG.match(html, start)
        name = (tag[2] or "").lower() if tag and not tag[1] else ""
        yield html[position:start], _picture(name, tag[3]) if tag else False
        position = tag.end() if tag else start + 1
        if html.startswith("<!--", start):
            name = "!--"
        position = _behind(html, name, position, endless)
    yield html[position:], False


def _picture(name: str, attributes: str) -> bool:
    known = name in _PICTURES or name == _OFFICE_PICTURE
    return known and _PIXEL.search(attributes) is None


def _behind(html: str, name: str, position: int, endless: set[str]) -> int:
    """Return where shown text goes on; an element that never ends hides nothing."""
    ends = _COMMENT_END if name == "!--" else _UNSHOWN.get(name)
    if ends is None or name in endless:
        return position
    found = ends.search(html, position)
    if found is None:
        endless.add(name)
        return position
    return found.end()
