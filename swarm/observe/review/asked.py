"""What a person typed into a search, understood: each word is one condition, all must hold. Pure.

``ada 10482 2026-11-01..2026-11-27`` asks for a sender or subject with a word that begins with
*ada*, a mail with the number 10482, received in November. What lives elsewhere: what a mail is
found by (``swarm.store.mail_search``), asking for it (``search``).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from swarm.intake.stream.names import beginning
from swarm.models import Noun
from swarm.patterns import linear
from swarm.store.mail_search import numbers_of, words_of_search

LONGEST = 200  # characters of what is typed
_MOST_TERMS = 8
_AROUND = ",;:!?.\"'()[]\u201c\u201d\u201e\u201a\u2018\u2019"
_DAY = linear(r"\d{4}-\d{2}-\d{2}")
_MONTH = linear(r"\d{4}-\d{2}")
_ADDRESS = linear(r"[^\s@<>]{1,320}@[^\s@<>]{1,320}")
_LONG_ID = 20  # an id of Graph or of a line is longer, a word that people type is not


class Kind(StrEnum):
    """What a word of a search is taken for."""

    KEY = "key"
    RECEIVED = "received"
    ADDRESS = "address"
    NUMBER = "number"
    ID = "id"
    WORD = "word"


class Term(Noun):
    """One condition; ``since`` and ``until`` are set for days alone."""

    kind: Kind
    text: str
    since: datetime | None = None
    until: datetime | None = None

    @property
    def sentence(self) -> str:
        """Say what is looked for, for the person who typed it."""
        return _SAID[self.kind].format(self.text)


_SAID = {
    Kind.KEY: "a key that begins with {}",
    Kind.RECEIVED: "received {}",
    Kind.ADDRESS: "sender, Reply-To or message id {}",
    Kind.NUMBER: "the number {} in subject or text",
    Kind.ID: "the id {}",
    Kind.WORD: "a word of sender or subject that begins with “{}”",
}


def terms_of(typed: str, zone: str) -> tuple[Term, ...]:
    """Return what is asked for; days are those of the time zone. Nothing usable: empty."""
    return tuple(
        term for word in typed[:LONGEST].split()[:_MOST_TERMS] for term in _terms(word, zone)
    )


def _terms(word: str, zone: str) -> Iterator[Term]:
    bare = word.strip(_AROUND)
    inside = bare.strip("<>")
    if begun := beginning(bare):
        yield Term(kind=Kind.KEY, text=begun)
    elif days := _days(bare, zone):
        yield Term(kind=Kind.RECEIVED, text=bare, since=days[0], until=days[1])
    elif (bare.startswith("<") and bare.endswith(">")) or _ADDRESS.fullmatch(inside):
        yield Term(kind=Kind.ADDRESS, text=inside)
    elif len(bare) > _LONG_ID:
        yield Term(kind=Kind.ID, text=bare)
    elif numbers := numbers_of(bare):
        yield Term(kind=Kind.NUMBER, text=numbers[0])
    else:
        yield from (Term(kind=Kind.WORD, text=each) for each in words_of_search(bare))


def _days(word: str, zone: str) -> tuple[datetime, datetime] | None:
    """Return the first moment and the one after the last: of a day, a month, or from..to."""
    first, dots, last = word.partition("..")
    begin, end = _span(first), _span(last if dots else first)
    if begin is None or end is None or begin[0] > end[1]:
        return None
    here = ZoneInfo(zone)
    at = [datetime.combine(day, time.min, here).astimezone(UTC) for day in (begin[0], end[1])]
    return at[0], at[1]


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
