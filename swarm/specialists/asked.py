"""What an ask is about: which topic, whether a record may answer it, and which order is meant.

A record answers only a plain question for its value. So an ask is read to its last word: what is
left when courtesy, the order and the words of the topic are taken away is something else that is
asked about ("the status of my complaint"), and then the record says nothing to it. The same goes
for the order: a number or name the customer gave and no record carries is unknown, or another's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from swarm.knowledge.terms import negated, stem, terms
from swarm.models import Context, EvidenceKind, Received
from swarm.patterns import linear
from swarm.safety.enclosures import ATTACHED
from swarm.safety.facts import facts
from swarm.safety.words import Word, words_of
from swarm.specialists.phrasebook import Phrasebook

COLUMN_TOPICS = ("delivery_date", "status", "amount")
"""Topics whose answer is the value of a deal column of the same name."""

_NUMBER = linear(r"\d{4,12}")
_LONG_NUMBER = 5  # digits: what is shorter and stands alone is a year, a street, a room
_APART = 3  # words between "order" and its number: "order, my no. is 10482"
_SIGN = linear(r"#\s{0,2}\Z")
_LOOK = 20_000  # characters of a mail
_NO_NUMBER = frozenset({"amount", "date", "percent"})


@dataclass(frozen=True, slots=True)
class References:
    """The order numbers a text gives: those plainly called so, and those that only may be."""

    plain: frozenset[str] = frozenset()
    vague: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        """Every number."""
        return self.plain | self.vague

    def __bool__(self) -> bool:
        return bool(self.all)


def topic_of(ask: str, book: Phrasebook) -> str | None:
    """Return the first topic whose keywords occur in the ask."""
    for topic, pattern in book.patterns.items():
        if pattern.search(ask):
            return topic
    return None


def asks_for_value(ask: str, topic: str, book: Phrasebook, names: Iterable[str]) -> bool:
    """Whether an ask wants the value of ``topic`` of some order, and nothing else.

    ``names`` are the titles of the orders on record: their words are no other thing.
    """
    if topic not in COLUMN_TOPICS or book.turned.search(ask) or _negated(ask, book.language):
        return False
    return not other_things(ask, topic, book, names)


def points_at_own(ask: str, topic: str, book: Phrasebook, mail: str = "") -> bool:
    """Whether an ask speaks of an order of the customer's, not of orders in general.

    "When will it come?" does when its ``mail`` speaks of an order; else nobody knows what "it" is.
    """
    words = words_of(ask)
    mine = any(word.text in vocabulary(book)["own"] for word in words)
    if _NUMBER.search(ask) or (mine and _speaks_of_order(ask, book)):
        return True
    # "How much does it cost?" is mostly about a product: an amount wants its order named.
    return mine and topic != "amount" and _speaks_of_order(mail, book)


def _speaks_of_order(text: str, book: Phrasebook) -> bool:
    order = vocabulary(book)["order"]
    return any(stem(word.text, book.language) in order for word in words_of(text[:_LOOK]))


def other_things(text: str, topic: str, book: Phrasebook, names: Iterable[str]) -> frozenset[str]:
    """Return the words of a text that are neither the topic's nor the order's."""
    known = vocabulary(book)
    ours = {word for name in names for word in terms(name, book.language)}
    left = {word for word in terms(text, book.language) if not _digits(word)}
    return frozenset(left - known["order"] - known.get(topic, frozenset()) - ours)


def thing_unknown(received: Received, topic: str, book: Phrasebook, names: Sequence[str]) -> bool:
    """Whether subject or text name a thing ordered that is no order on record.

    A sentence counts when it speaks of an order; the subject always does.
    """
    spoken = (
        sentence for sentence in _sentences(received.text) if _speaks_of_order(sentence, book)
    )
    said = (received.work_order.subject, *spoken)
    return any(other_things(each, topic, book, names) for each in said)


def references(received: Received, ask: str, context: Context, book: Phrasebook) -> References:
    """Return the order numbers that belong to an ask: its own, else the mail's, else older ones."""
    own = references_in(ask, book)
    if own:
        return own
    subject = references_in(received.work_order.subject, book)
    # Nobody writes another number into a subject: what stands there is what the mail is about.
    subject = References(plain=subject.all)
    text = references_in(received.text, book)
    found = References(subject.plain | text.plain, text.vague - subject.plain)
    if found:
        return found
    for each in context.evidence:  # a number that stands on an attached confirmation
        if each.source == ATTACHED and (attached := references_in(each.text, book)):
            return attached
    older = (
        references_in(each.text, book)
        for each in context.evidence
        if each.kind is EvidenceKind.THREAD and each.source == "graph:message:theirs"
    )
    return References(vague=frozenset(number for one in older for number in one.all))


def references_in(text: str, book: Phrasebook) -> References:
    """Return the order numbers of a text; dates, amounts and lone short numbers are none."""
    taken = [(f.start, f.end) for f in facts(text) if f.kind in _NO_NUMBER]
    plain, vague = set[str](), set[str]()
    words = words_of(text)
    for place, word in enumerate(words):
        number = _number(text, word)
        if number is None or any(a <= word.start < b for a, b in taken):
            continue
        if _SIGN.search(text[max(0, word.start - 3) : word.start]) or _called_order(
            words[max(0, place - _APART) : place], book
        ):
            plain.add(number)
        elif len(number) >= _LONG_NUMBER and not _in_a_row(text, word):
            vague.add(number)
    return References(frozenset(plain), frozenset(vague - plain))


def numbers_of(name: str) -> frozenset[str]:
    """Return the numbers in the title of an order."""
    return frozenset(_NUMBER.findall(name))


@cache
def vocabulary(book: Phrasebook) -> Mapping[str, frozenset[str]]:
    """Return the words of ``[vocabulary]``, stemmed; ``own`` as they are."""
    stems = {
        name: frozenset(
            stem(word.text, book.language) for spelt in listed.split() for word in words_of(spelt)
        )
        for name, listed in book.vocabulary.items()
    }
    own = frozenset(w.text for s in book.vocabulary["own"].split() for w in words_of(s))
    return {**stems, "own": own}


def _number(text: str, word: Word) -> str | None:
    found = _NUMBER.search(text, word.start, word.end)
    return found.group() if found else None


def _called_order(before: Sequence[Word], book: Phrasebook) -> bool:
    order = vocabulary(book)["order"]
    return any(stem(word.text, book.language) in order for word in before)


def _in_a_row(text: str, word: Word) -> bool:
    """Whether more digits stand beside: a telephone number, an account."""
    before, after = text[max(0, word.start - 2) : word.start], text[word.end : word.end + 2]
    return any(c.isdigit() or c == "+" for c in before + after)


def _negated(ask: str, language: str) -> bool:
    """Whether the ask says "not"; "no. 10482" does not."""
    return negated(_NUMBERED.sub(" ", ask), language)


_NUMBERED = linear(r"\bno\.?\s{0,3}(?=\d)")
_ENDS = linear(r"[^.!?\n]{1,600}[.!?]?")


def _sentences(text: str) -> Iterator[str]:
    return (found.group() for found in _ENDS.finditer(text[:_LOOK]))


def _digits(word: str) -> bool:
    return any(letter.isdigit() for letter in word)
