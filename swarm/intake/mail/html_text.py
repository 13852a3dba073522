"""HTML mail as a person would read it: visible text with its line structure, hidden text apart.

Parsing is selectolax's (lexbor); what is visible is decided by ``styles``. Walks the tree without
recursion: mails nested 100,000 elements deep exist, made by people who mean harm.
"""

from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from swarm.intake.mail.invisible import MAX_EXCERPT, MAX_SPANS
from swarm.intake.mail.styles import (
    FONT_SIZE_ZERO,
    PAGE,
    Colour,
    StyleSheets,
    background,
    colour,
    declarations,
    hidden_by,
    read_sheets,
    same_to_the_eye,
    sets_a_size,
)
from swarm.markup import made_to_exhaust, tags_dropped
from swarm.models import NESTED_TOO_DEEP, TextSpan
from swarm.patterns import linear

_DROPPED = frozenset(
    {"script", "style", "head", "title", "meta", "noscript", "template", "object", "svg", "iframe",
     "select", "textarea", "xml", "link", "audio", "video", "canvas", "math"}
)  # fmt: skip
_BLOCKS = frozenset(
    {"div", "tr", "table", "ul", "ol", "li", "section", "article", "header", "footer", "center",
     "address", "dl", "dt", "dd", "form", "fieldset", "figure", "main", "aside", "nav", "caption"}
)  # fmt: skip
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre"})
_BLANKS = linear(r" {2,}")
_SPACE = linear(r"[ \t\n\r\f\v\u00a0\u2000-\u200a\u202f\u205f\u3000]+")


@dataclass(frozen=True, slots=True)
class ReadPage:
    """``text``: what can be seen, quotes marked by ``> ``; ``hidden``: what cannot, by trick."""

    text: str
    hidden: tuple[TextSpan, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """What an element inherits from those around it."""

    hidden: str | None = None
    background: Colour | None = PAGE
    colour: Colour | None = None
    quotes: int = 0
    keep_space: bool = False
    aria: bool = False


@dataclass(slots=True)
class _Writer:
    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    blank: bool = False
    quotes: int = 0
    hidden: list[TextSpan] = field(default_factory=list)
    seen: int = 0

    def write(self, text: str, look: _Look) -> None:
        self.seen += len(text)
        if look.quotes != self.quotes:
            self.end_line()
            self.quotes = look.quotes
        if look.keep_space:
            first, *rest = text.split("\n")
            self.line.append(first)
            for part in rest:
                self.end_line()
                self.line.append(part)
        else:
            self.line.append(_SPACE.sub(" ", text))

    def hide(self, text: str, label: str) -> None:
        """Record hidden text in spans short enough to be quoted whole."""
        text = _SPACE.sub(" ", text).strip()
        for start in range(0, len(text), MAX_EXCERPT):
            if len(self.hidden) < MAX_SPANS:
                part = text[start : start + MAX_EXCERPT]
                at = self.seen + start
                self.hidden.append(
                    TextSpan(start=at, end=at + len(part), label=label, excerpt=part)
                )
        self.seen += len(text)

    def end_line(self, *, paragraph: bool = False) -> None:
        text = _BLANKS.sub(" ", "".join(self.line)).strip(" ")
        self.line.clear()
        if text:
            if self.blank and self.lines:
                self.lines.append("> " * min(self.quotes, 1))
            self.lines.append("> " * self.quotes + text if self.quotes < 5 else f"> {text}")  # noqa: PLR2004
            self.blank = False
        self.blank = self.blank or paragraph


def read_html(html: str) -> ReadPage:
    """Return the visible text and the hidden spans of an HTML body; any string is accepted.

    Span positions count the characters of all text, hidden included, in document order.
    """
    html = html.replace("\x00", "")
    if made_to_exhaust(html):
        finding = TextSpan(start=0, end=0, label=NESTED_TOO_DEEP)
        return ReadPage(tags_dropped(html), (finding,))
    tree = LexborHTMLParser(html)
    selectors = read_sheets([node.text() for node in tree.css("style")])
    writer = _Writer()
    _walk(tree.root, writer, selectors)
    writer.end_line()
    return ReadPage("\n".join(line.rstrip() for line in writer.lines).strip(), tuple(writer.hidden))


# --- walking the tree -----------------------------------------------------------------------------


def _walk(root: LexborNode | None, writer: _Writer, selectors: StyleSheets) -> None:
    looks = [_Look()]
    node = root
    while node is not None:
        node = _enter(node, looks, writer, selectors) or _onwards(node, looks, writer)


def _onwards(node: LexborNode, looks: list[_Look], writer: _Writer) -> LexborNode | None:
    """Return what follows in document order, leaving the elements that end here."""
    here: LexborNode | None = node
    while here is not None and here.next is None:
        here = here.parent
        if here is None or len(looks) == 1:
            return None
        _leave(here.tag or "", writer)
        looks.pop()
    return here.next if here is not None else None


def _enter(
    node: LexborNode, looks: list[_Look], writer: _Writer, selectors: StyleSheets
) -> LexborNode | None:
    """Write one node; return its first child when that is to be walked (its look is pushed)."""
    tag = node.tag or ""
    if tag == "-text":
        _text(node, looks[-1], writer)
        return None
    if tag in _DROPPED or tag.startswith(("-comment", "_comment", "!")):
        return None
    _open_tag(tag, writer)
    child = node.child
    if child is None:
        _leave(tag, writer)
        return None
    looks.append(_look(node, tag, looks[-1], selectors))
    return child


def _text(node: LexborNode, look: _Look, writer: _Writer) -> None:
    text = node.text_content or ""
    if not text.strip():
        if look.hidden is None:
            writer.line.append(" ")
        return
    label = look.hidden or _unreadable(look)
    if label:
        writer.hide(text, label)
        return
    if look.aria:
        writer.hide(text, "aria_hidden")  # the eye sees it, so it stays in the text as well
    writer.write(text, look)


def _unreadable(look: _Look) -> str | None:
    if look.colour is None or look.background is None:
        return None
    return "same_colour" if same_to_the_eye(look.colour, look.background) else None


def _open_tag(tag: str, writer: _Writer) -> None:
    if tag == "br":
        _break(writer)
    elif tag == "hr":
        writer.end_line()
        writer.line.append("_____")
        writer.end_line()
    elif tag in _BLOCKS or tag in _PARAGRAPHS:
        writer.end_line(paragraph=tag in _PARAGRAPHS)
        if tag == "li":
            writer.line.append("- ")
    elif tag in ("td", "th"):
        writer.line.append(" ")


def _break(writer: _Writer) -> None:
    """An empty line is two breaks in a row."""
    had_text = bool("".join(writer.line).strip())
    writer.end_line(paragraph=not had_text)


def _leave(tag: str, writer: _Writer) -> None:
    if tag in _BLOCKS or tag in _PARAGRAPHS:
        writer.end_line(paragraph=tag in _PARAGRAPHS)


def _look(node: LexborNode, tag: str, around: _Look, selectors: StyleSheets) -> _Look:
    attributes = node.attributes
    names = selectors.names(
        tag, (attributes.get("id") or "").lower(), (attributes.get("class") or "").lower()
    )
    if not attributes and tag not in ("blockquote", "pre") and not names:
        return around
    own = declarations(attributes.get("style") or "")
    style = {**_bgcolor(attributes), **selectors.colours(names), **own}
    label = hidden_by(own) or selectors.label(names)
    if "hidden" in attributes:
        label = "display_none"
    ink = colour(style.get("color") or (attributes.get("color") if tag == "font" else None) or "")
    outer = around.hidden
    if outer == FONT_SIZE_ZERO and sets_a_size(own):  # tables are set to nought against gaps
        outer = None
    return _Look(
        hidden=outer or label,
        background=background(style, around.background),
        colour=ink or around.colour,
        quotes=around.quotes + (tag == "blockquote" and _quotes(style, attributes)),
        keep_space=around.keep_space or tag == "pre",
        aria=around.aria or attributes.get("aria-hidden") == "true",
    )


def _bgcolor(attributes: dict[str, str | None]) -> dict[str, str]:
    """What tables said before there were styles."""
    said = {"background-color": (attributes.get("bgcolor") or "").lower()}
    return {**said, "background-image": "url()"} if attributes.get("background") else said


def _quotes(style: dict[str, str], attributes: dict[str, str | None]) -> bool:
    """Mail programs quote and indent with the same element; an indent says it has no border."""
    if attributes.get("type") == "cite" or "quote" in (attributes.get("class") or ""):
        return True
    return style.get("border", "").split(" ")[0] not in ("none", "0", "0px")
