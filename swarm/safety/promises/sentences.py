"""The pieces of a reply that are scored each on its own: sentences, lines, and main clauses."""

from collections.abc import Iterator
from typing import NamedTuple

from swarm.patterns import linear

_LONGEST = 400  # characters of a piece; more is read in parts
_END = linear(r"[.!?\u2026](?=[\s\"')\]])|\n|;(?=\s)")
_CLAUSE = linear(
    r"(?:,| [\u2013\u2014-]) (?=(?:and|but|so|und|aber|also|et|mais|donc|y|pero|e|ma|quindi|en|maar"
    r"|dus|mas|portanto) )"
)


# "The fee is waived, all right?": what stands before is said, not asked.
_TAG = linear(r",[ \t]{1,3}\u00bf?[^\s,?]{1,20}(?:[ \t][^\s,?]{1,20}){0,2}\?$")
# A line that a program wrapped goes on in small letters.
_WRAPPED = linear(r"(?<=[^\s.!?:;])\n(?=[^\W\d_A-Z\u00c0-\u00de])")


class Clause(NamedTuple):
    """Characters ``start:end`` of a text."""

    start: int
    end: int


def pieces_of(text: str) -> tuple[Clause, ...]:
    """Return what is scored, in order; a question promises nothing and is left out."""
    whole = _WRAPPED.sub(" ", text)  # of the same length
    found: dict[Clause, None] = {}
    for each in dict.fromkeys((text, whole)):
        for piece in _sentences(each):
            found.update(dict.fromkeys(_parts(each, piece)))
    return tuple(sorted(found)) if whole != text else tuple(found)


def _sentences(text: str) -> Iterator[Clause]:
    start = 0
    for end in (*(mark.end() for mark in _END.finditer(text)), len(text)):
        piece = _said(text, _trimmed(text, start, end))
        start = end
        if piece.end > piece.start:
            yield piece


def _said(text: str, piece: Clause) -> Clause:
    """Return what of a sentence is said: of a question what stands before its tag, or nothing."""
    if text[piece.end - 1 : piece.end] != "?":
        return piece
    tag = _TAG.search(text, piece.start, piece.end)
    return Clause(piece.start, tag.start() if tag else piece.start)


def _parts(text: str, piece: Clause) -> list[Clause]:
    """The whole, and each main clause: what is promised often stands behind an "and"."""
    if piece.end - piece.start > _LONGEST:
        steps = range(piece.start, piece.end, _LONGEST // 2)
        return [_trimmed(text, at, min(at + _LONGEST, piece.end)) for at in steps]
    cuts = [mark.end() for mark in _CLAUSE.finditer(text, piece.start, piece.end)]
    if not cuts:
        return [piece]
    edges = zip((piece.start, *cuts), (*cuts, piece.end), strict=True)
    return [piece, *(_trimmed(text, start, end) for start, end in edges)]


def _trimmed(text: str, start: int, end: int) -> Clause:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Clause(start, end)
