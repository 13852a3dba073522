"""What the rules specialist says about one ask: from evidence, or a question back, or nothing.

An ask of a known topic is answered when the evidence holds the value, met with a question when what
we need is missing, and acknowledged otherwise. An ask of no known topic gives ``None``: the caller
mentions it beside others and declines it when it stands alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from swarm.models import Claim, Context, Evidence, EvidenceKind
from swarm.patterns import linear
from swarm.specialists.phrasebook import Phrasebook

# Topics whose answer is the value of a deal column of the same name.
_COLUMN_TOPICS = ("delivery_date", "status", "amount")
_DIGIT = linear(r"\d")
# Order numbers as people write them: four digits or more, perhaps after letters ("PO-20417").
_ORDER_NUMBER = linear(r"\b(?:[A-Z]{1,4}[-/]?)?\d{4,12}\b")
_SENTENCE = linear(r"[^.!?\n]+[.!?]?")


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence with the claims it makes."""

    text: str
    claims: tuple[Claim, ...] = ()


def topic_of(ask: str, book: Phrasebook) -> str | None:
    """Return the first topic whose keywords occur in the ask."""
    for topic, pattern in book.patterns.items():
        if pattern.search(ask):
            return topic
    return None


def answer(ask: str, context: Context, book: Phrasebook, *, from_evidence: bool) -> Answer | None:
    """Answer one ask. ``from_evidence`` False: acknowledge only, state nothing."""
    topic = topic_of(ask, book)
    if topic is None:
        return None
    if topic not in _COLUMN_TOPICS or not from_evidence:
        return Answer(book.say("acknowledge", topic=book.topics[topic]))
    return _from_deal(topic, context, book)


def _from_deal(topic: str, context: Context, book: Phrasebook) -> Answer:
    deals = _deals(context)
    numbers = _numbers_given(context)
    named = [deal for deal in deals if any(n in deal for n in numbers)]
    if numbers and deals and not named:
        return Answer(book.phrases["confirm_number"])
    candidates = named or deals
    if len(candidates) > 1:
        return Answer(book.phrases["which_order"])
    value = _value(candidates[0], topic, context.evidence) if candidates else None
    if value is not None:
        return _stated(book.say(topic, value=value.text), value, value.text)
    return _from_thread(topic, context, book) or _without_value(topic, book, known=bool(numbers))


def _from_thread(topic: str, context: Context, book: Phrasebook) -> Answer | None:
    """Repeat, as a quote, what we ourselves wrote on this topic earlier; newest first."""
    for item in reversed(context.evidence):
        if item.source != "graph:message:ours":
            continue
        for sentence in _SENTENCE.findall(item.text):
            quote = sentence.strip()
            if book.patterns[topic].search(quote) and _DIGIT.search(quote):
                said = book.say("earlier", date=item.title[:10], value=quote)
                return _stated(said, item, quote)
    return None


def _without_value(topic: str, book: Phrasebook, *, known: bool) -> Answer:
    acknowledged = book.say("acknowledge", topic=book.topics[topic])
    return Answer(acknowledged if known else f"{acknowledged} {book.phrases['ask_number']}")


def _stated(sentence: str, item: Evidence, quote: str) -> Answer:
    return Answer(sentence, (Claim(text=sentence, evidence_id=item.id, quote=quote),))


def _deals(context: Context) -> Sequence[str]:
    """Return the names of the deals in evidence, in order, once each."""
    fields = (e for e in context.evidence if e.kind is EvidenceKind.CRM_FIELD)
    return list(dict.fromkeys(e.title for e in fields))


def _numbers_given(context: Context) -> frozenset[str]:
    """Return the order numbers the customer wrote, in this mail or before."""
    theirs = (
        e.text
        for e in context.evidence
        if e.kind is EvidenceKind.INBOUND or e.source == "graph:message:theirs"
    )
    return frozenset(number for text in theirs for number in _ORDER_NUMBER.findall(text))


def _value(deal: str, column: str, evidence: Iterable[Evidence]) -> Evidence | None:
    source = f"monday:deal:{column}"
    return next((e for e in evidence if e.title == deal and e.source == source), None)
