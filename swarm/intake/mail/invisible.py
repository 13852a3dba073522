"""Characters nobody sees: zero-width, tag and direction characters in plain text (ES-13)."""

from swarm.models import TextSpan
from swarm.patterns import linear

MAX_EXCERPT = 120
MAX_SPANS = 64  # enough for any honest mail; a hostile one is caught by the first
RUN = 3  # so many in a row are no typing accident

# One by one these are common: soft hyphens, byte-order marks, joiners of newsletters and emoji.
_ZERO_WIDTH = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
    "\u200b-\u200f\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0"
)
_TURNS = "\u202a-\u202e\u2066-\u2069"
_TAG_BASE = 0xE0000
_TAGS = "\U000e0000-\U000e007f"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_FLAG = linear("\U0001f3f4[\U000e0061-\U000e007a]{2,6}\U000e007f")  # Scotland and its like
_INVISIBLE = linear(f"[{_ZERO_WIDTH}{_TURNS}{_TAGS}{_SELECTORS}]+")
_TAG = linear(f"[{_TAGS}]")
_TURN = linear(f"[{_TURNS}]")
_HARMFUL_SELECTOR = linear("[\ufe00-\ufe0d\U000e0100-\U000e01ef]")
_JOINERS = "\u200c\u200d\ufe0f\ufe0e"  # needed inside emoji, Persian and Indic words


def strip_invisible(text: str) -> tuple[str, tuple[TextSpan, ...]]:
    """Return the text as the eye sees it, and what was invisible, at its place in the input.

    A joiner between two visible characters stays; everything else goes. Reported are tag characters
    (with the letters they spell), direction overrides, runs, and breaks inside a word.
    """
    if text.isascii():
        return text, ()
    flags = {m.end() - 1 for m in _FLAG.finditer(text)}
    spans: list[TextSpan] = []
    pieces: list[str] = []
    position = 0
    for found in _INVISIBLE.finditer(text):
        run = found.group()
        if found.end() - 1 in flags:
            continue
        pieces.append(text[position : found.start()])
        position = found.end()
        if len(run) == 1 and run in _JOINERS:
            pieces.append(run)
            continue
        label = _label(
            run, text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
        )
        if label and len(spans) < MAX_SPANS:
            spans.append(_span(found.start(), found.end(), label, run))
    pieces.append(text[position:])
    return "".join(pieces), tuple(spans)


def _label(run: str, before: str, after: str) -> str | None:
    if _TAG.search(run):
        return "tag_characters"
    if _TURN.search(run):
        return "direction_override"
    if _HARMFUL_SELECTOR.search(run) and len(run) > 1:
        return "variation_selectors"
    inside_word = before.isalnum() and after.isalnum() and run != "\u00ad"
    if len(run) >= RUN or inside_word:
        return "zero_width"
    return None


def _span(start: int, end: int, label: str, run: str) -> TextSpan:
    letters = (chr(ord(c) - _TAG_BASE) for c in run if _TAG.match(c))
    spelt = "".join(letter for letter in letters if letter.isprintable())
    return TextSpan(start=start, end=end, label=label, excerpt=spelt[:MAX_EXCERPT])
