"""A reply is plain text: mark-up, tables and escapes would be read as they stand."""

import re
from collections.abc import Iterator

from swarm.patterns import linear

_MARKS = {
    "a heading mark": linear(r"^\s{0,8}#{1,6}\s\S", re.MULTILINE),
    "bold or italic marks": linear(
        r"\*\*[^*\n]{1,400}\*\*|(?<!\w)__[^_\n]{1,400}__(?!\w)|(?<![\w*])\*[^*\s][^*\n]{0,200}\*(?!\w)"
    ),
    "a table": linear(
        r"^\s{0,8}\|[^\n]{1,2000}\||\|\s?:?-{3}|^[^\n|]{1,200}\|[^\n|]{1,200}\|", re.MULTILINE
    ),
    "code marks": linear(r"`"),
    "a rule of dashes or stars": linear(r"^\s{0,8}(?:[-*_=~]\s?){3}[-*_=~ ]{0,200}$", re.MULTILINE),
    "a Markdown link": linear(r"\][ ]?\([^)\n]{0,2000}\)"),
    "an HTML tag": linear(r"</?[a-zA-Z][a-zA-Z0-9]{0,20}(?:\s[^<>]{0,400})?/?>|<!--"),
    "an HTML entity": linear(r"&(?:[a-zA-Z]{2,10}|#\d{1,7}|#x[0-9a-fA-F]{1,6});"),
    "a written-out escape": linear(r"\\(?:[nrt\"]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})|%[0-9A-F]{2}%"),
}


def markup(text: str) -> Iterator[str]:
    """Say which marks stand in the text; lists with dashes, dots or numbers are plain enough."""
    for what, pattern in _MARKS.items():
        if pattern.search(text):
            yield f"{what} stands in the reply"
