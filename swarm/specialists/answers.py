"""What the rules specialist says about one ask: from evidence, or a question back, or nothing.

An answer states a record's value, cites an approved answer of the house, repeats our own earlier
mail with its date, or asks for a *named* missing thing. What the customer wrote is never a source.
An ask that nothing answers gives an ``Answer`` that is *open*: the reply names it, or, where all
are open, there is no reply. What an ask is about is read in ``asked``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from swarm.models import Claim, Context, Evidence, EvidenceKind, Received
from swarm.patterns import linear
from swarm.safety.enclosures import OURS
from swarm.specialists.asked import (
    COLUMN_TOPICS,
    References,
    asks_for_value,
    numbers_of,
    points_at_own,
    references,
    references_in,
    thing_unknown,
    topic_of,
)
from swarm.specialists.phrasebook import Phrasebook, phrasebook

_DIGIT = linear(r"\d")
_SENTENCE = linear(r"[^.!?\n]{1,600}[.!?]?")


@dataclass(frozen=True, slots=True)
class Answer:
    """Paragraphs with the claims they make; ``open``: they only name what is not answered."""

    text: str
    claims: tuple[Claim, ...] = ()
    open: bool = False


def answer(place: int, received: Received, context: Context, book: Phrasebook) -> Answer:
    """Answer the ask at ``place`` of a mail."""
    ask, names = received.asks[place], _orders(context)
    topic = topic_of(ask, book)
    if topic is None or not asks_for_value(ask, topic, book, names):
        return _approved(place, context) or _open(topic, book)
    mail = f"{received.work_order.subject}\n{received.text}"
    if points_at_own(ask, topic, book, mail):
        return _from_order(topic, ask, received, context, book)
    if found := _approved(place, context):
        return found
    # "The expected delivery date?" is about the order the mail names elsewhere, if it names one.
    if references(received, ask, context, book).plain:
        return _from_order(topic, ask, received, context, book)
    return _open(topic, book)


def answer_missing(received: Received) -> str:
    """Say which answers are missing, in words of ours: a topic is named, no mail is quoted."""
    book = phrasebook(received.language)
    if not received.asks:
        return "the mail asks nothing that an approved answer or a record could answer"
    topics = [topic_of(ask, book) if book else None for ask in received.asks]
    named = dict.fromkeys((t or "another topic").replace("_", " ") for t in topics)
    count = len(received.asks)
    return (
        f"no approved answer to {count} {'question' if count == 1 else 'questions'}"
        f" ({', '.join(named)})"
    )


def _from_order(
    topic: str, ask: str, received: Received, context: Context, book: Phrasebook
) -> Answer:
    names, given = _orders(context), references(received, ask, context, book)
    named = [name for name in names if numbers_of(name) & given.all]
    unknown = sorted(given.plain - {n for name in named for n in numbers_of(name)})
    if unknown:
        if context.conflicts and not names:  # whose orders these are is in doubt: nobody has looked
            return _open(topic, book)
        confirm = Answer(book.say("confirm_number", number=unknown[0]))
        stated = _values(topic, named, context, book)
        return _joined([stated, confirm]) if stated else confirm
    if named:
        stated = _values(topic, named, context, book)
        return stated or _from_us(topic, given, context, book) or _open(topic, book)
    return _unnamed(topic, given, received, context, book)


def _unnamed(
    topic: str, given: References, received: Received, context: Context, book: Phrasebook
) -> Answer:
    """Answer an ask that names no order we know: only one order, and no other thing, is clear."""
    names = _orders(context)
    doubtful = bool(given.vague) or thing_unknown(received, topic, book, names)
    if not names or doubtful:
        earlier = None if doubtful else _from_us(topic, given, context, book)
        return earlier or Answer(book.phrases["ask_number"])
    if len(names) > 1:
        return Answer(book.phrases["which_order"])
    stated = _values(topic, names, context, book)
    return stated or _from_us(topic, given, context, book) or _open(topic, book)


def _values(topic: str, names: Sequence[str], context: Context, book: Phrasebook) -> Answer | None:
    """State the column of each of these orders; None when one of them has no value."""
    found = [(name, _value(name, topic, context.evidence)) for name in names]
    said = []
    for name, value in found:
        if value is None:
            return None
        sentence = book.say(topic, value=value.text)
        number = ", ".join(sorted(numbers_of(name)))
        text = f"{number}: {sentence}" if len(found) > 1 and number else sentence
        said.append(Answer(text, (_claim(sentence, value, value.text),)))
    return _joined(said) if said else None


def _from_us(topic: str, given: References, context: Context, book: Phrasebook) -> Answer | None:
    """Repeat what we ourselves wrote on this topic earlier, newest first, with its date."""
    for item in reversed(context.evidence):
        if item.source != OURS:
            continue
        for sentence in _SENTENCE.findall(item.text):
            quote = sentence.strip()
            if not (book.patterns[topic].search(quote) and _DIGIT.search(quote)):
                continue
            other = references_in(quote, book).all - given.all
            if given and other:
                continue  # it speaks of another order
            said = book.say("earlier", date=item.title[:10], value=quote)
            return Answer(said, (_claim(said, item, quote),))
    return None


def _approved(place: int, context: Context) -> Answer | None:
    """Cite the house's approved answer that was found for this ask, best first."""
    for item in context.evidence:
        if item.kind is EvidenceKind.POLICY and place in item.answers:
            paragraphs = item.text.split("\n\n")
            return Answer(item.text, tuple(_claim(p, item, p) for p in paragraphs))
    return None


def _open(topic: str | None, book: Phrasebook) -> Answer:
    # A topic of the order's that could not be answered from it may be about something else.
    if topic is None or topic in COLUMN_TOPICS:
        return Answer(book.phrases["open_further"], open=True)
    return Answer(book.say("open_topic", topic=book.topics[topic]), open=True)


def _joined(said: Sequence[Answer]) -> Answer:
    return Answer(
        "\n\n".join(one.text for one in said), tuple(c for one in said for c in one.claims)
    )


def _claim(sentence: str, item: Evidence, quote: str) -> Claim:
    return Claim(text=sentence, evidence_id=item.id, quote=quote)


def _orders(context: Context) -> list[str]:
    """Return the names of the orders on record, in their order, once each."""
    fields = (e for e in context.evidence if e.kind is EvidenceKind.CRM_FIELD)
    return list(dict.fromkeys(e.title for e in fields))


def _value(order: str, column: str, evidence: Iterable[Evidence]) -> Evidence | None:
    source = f"monday:deal:{column}"
    return next((e for e in evidence if e.title == order and e.source == source), None)
