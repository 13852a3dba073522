"""What a person typed into a search, understood: each word is one condition, all must hold. Pure.

``ada 10482 2026-11-01..2026-11-27`` asks for a sender or subject with a word that begins with
*ada*, a mail with the number 10482, received in November. What lives elsewhere: what a mail is
found by (``swarm.store.mail_search``), asking for it (``search``).
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum

from swarm.intake.stream.names import beginning
from swarm.models import Noun
from swarm.observe.review.reading import begin_of
from swarm.patterns import linear
from swarm.store.mail_search import numbers_of, words_of_search

LONGEST = 200  # characters of what is typed
_MOST_TERMS = 8
_AROUND = ",;:!?.\"'()[]\u201c\u201d\u201e\u201a\u2018\u2019"
_DAY = linear(r"\d{4}-\d{2}-\d{2}")
_MONTH = linear(r"\d{4}-\d{2}")
_ADDRESS = linear(r"[^\s@<>]{1,320}@[^\s@<>]{1,320}")
_LONG_ID = 20  # an id of Graph or of a line is longer, a word that people type is not


class TermKind(StrEnum):
    """What a word of a search is taken for."""

    KEY = "key"
    RECEIVED = "received"
    ADDRESS = "address"
    NUMBER = "number"
    ID = "id"
    WORD = "word"


class Term(Noun):
    """One condition; ``since`` and ``until`` are set for days alone.

    ``raw``: words as they were typed, for an id may look like words.
    """

    kind: TermKind
    text: str
    raw: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def sentence(self) -> str:
        """Say what is looked for, for the person who typed it."""
        return _SAID[self.kind].format(self.text)


_SAID = {
    TermKind.KEY: "a key that begins with {}",
    TermKind.RECEIVED: "received {}",
    TermKind.ADDRESS: "sender, Reply-To or message id {}",
    TermKind.NUMBER: "the number {} in subject or text",
    TermKind.ID: "the id {}",
    TermKind.WORD: "what begins with “{}” in sender or subject",
}


def terms_of(typed: str, zone: str) -> tuple[Term, ...]:
    """Return what is asked for; days are those of the time zone. Nothing usable: empty."""
    shown = "".join(letter if letter.isprintable() else " " for letter in typed[:LONGEST])
    return tuple(term for word in shown.split()[:_MOST_TERMS] for term in _terms(word, zone))


def _terms(word: str, zone: str) -> Iterator[Term]:
    bare = word.strip(_AROUND)
    inside = bare.strip("<>")
    if begun := beginning(bare):
        yield Term(kind=TermKind.KEY, text=begun)
    elif days := _days(bare, zone):
        yield Term(kind=TermKind.RECEIVED, text=bare, since=days[0], until=days[1])
    elif (bare.startswith("<") and bare.endswith(">")) or _ADDRESS.fullmatch(inside):
        yield Term(kind=TermKind.ADDRESS, text=inside)
    elif len(bare) > _LONG_ID:
        yield Term(kind=TermKind.ID, text=bare)
    elif numbers := numbers_of(bare):
        yield Term(kind=TermKind.NUMBER, text=numbers[0])
    else:
        words = " ".join(words_of_search(bare))
        if words:
            yield Term(kind=TermKind.WORD, text=words, raw=bare)


def _days(word: str, zone: str) -> tuple[datetime, datetime] | None:
    """Return the first moment and the one after the last: of a day, a month, or from..to."""
    first, dots, last = word.partition("..")
    begin, end = _span(first), _span(last if dots else first)
    if begin is None or end is None or begin[0] > end[1]:
        return None
    return begin_of(begin[0], zone), begin_of(end[1], zone)


def _span(word: str) -> tuple[date, date] | None:
    try:
        if _DAY.fullmatch(word):
            day = date.fromisoformat(word)
            return day, day + timedelta(days=1)
        if _MONTH.fullmatch(word):
            day = date.fromisoformat(f"{word}-01")
            return day, (day + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):
        return None
    return None
