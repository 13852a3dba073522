"""The deterministic half of the tier stage: which escalation classes a mail belongs to (ES-01).

Phrases are in ``lexicon/``, how they are found is in ``swarm.safety.matching``. A class is given
when the weights of its distinct reasons reach one: a statement alone, or two words that are only
topics, or one such word in a sentence that leans. What cannot be judged is UNKNOWN, never nothing.
What is meant and not named is found by the learned detector (``swarm.safety.learned``), sentence by
sentence; it adds, too. A model may add classes elsewhere; none takes one away.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from swarm.models import (
    LONGEST_JUDGED,
    NESTED_TOO_DEEP,
    EscalationClass,
    Noun,
    Reason,
    Received,
    SetAside,
    SetAsideKind,
    TextSpan,
    Tier,
    WorkOrder,
)
from swarm.safety import injection, learned
from swarm.safety.detectors.aside import lines_to_skim, orders_of, parts_to_judge
from swarm.safety.detectors.disguise import is_disguised
from swarm.safety.lexicon import load, word_class
from swarm.safety.matching import Hit, Matcher
from swarm.safety.words import Word, words_of
from swarm.sorting.page import shows_picture

LEXICONS = (
    "complaint",
    "foreign_objects",
    "fraud",
    "human_requested",
    "legal",
    "money_dispute",
    "press",
    "privacy",
    "safety",
    "vulnerable",
)
DETECTORS: Mapping[str, str] = {
    "lexicon": "1",
    "learned": learned.version(),
    "injection": injection.VERSION,
    "judgeable": "2",
}
COVERED = frozenset({"en", "de", "fr", "es", "it", "nl", "pt"})
ENOUGH_WORDS = 6
_SHARE = 0.5

_LITTLE_WORDS = frozenset(word_class("little", "languages"))
_POINTER_WORDS = 12  # "see the picture, please answer": the matter stands elsewhere
_EXCERPT = 120


class Detection(Noun):
    """What the detectors say about one mail; spans are places in ``received.text``."""

    tier: Tier
    classes: tuple[EscalationClass, ...] = ()
    reasons: tuple[Reason, ...] = ()
    spans: tuple[TextSpan, ...] = ()
    detectors: Mapping[str, str] = DETECTORS


def detect(received: Received) -> Detection:
    """Judge a mail by code alone; the same mail always gives the same answer.

    The subject, and what was set aside and may be the customer's words, are judged too, without
    spans. A mail whose history was not compared with the conversation is judged with all of it.
    """
    if too_long := _too_long(received):
        return _unread(too_long)
    words = words_of(received.text)
    own = _matcher().hits(words)
    subject = received.work_order.subject
    around = _matcher().hits(words_of(subject))
    orders = orders_of(received)
    parts = parts_to_judge(received)
    beside = [_matcher().hits(words_of(part.text)) for part in parts]
    skimmed = [
        (line, hits)
        for line in lines_to_skim(received)
        if (hits := _matcher().hits(words_of(line[1])))
    ]
    # All at once: what was heard of a mail is remembered as one.
    heard, heard_in_subject, *others = learned.listen(
        (received.text, subject, *(part.text for part in parts), *(line[1] for line, _ in skimmed)),
        tuple(map(_topics, (own, around, *beside, *(hits for _, hits in skimmed)))),
    )
    heard_beside, heard_alone = others[: len(parts)], others[len(parts) :]
    reasons = (
        *_class_reasons(_weighed(own, heard), _weighed(around, heard_in_subject)),
        *_learned_reasons((*heard.rings, *heard_in_subject.rings)),
        *(
            why
            for part, hits, told in zip(parts, beside, heard_beside, strict=True)
            for why in _beside(part, hits, told)
        ),
        *(
            _told_of(why, f"its {kind}")
            for ((kind, _, titled), hits), told in zip(skimmed, heard_alone, strict=True)
            for why in _named_alone(hits, told)
            if not titled or EscalationClass.SAFETY in why.classes
        ),
        *(
            _told_of(why, "hidden text")
            for span in received.hidden
            for why in named_classes(span.excerpt)
        ),
        *_unjudgeable(received, words, orders),
        *_not_read_whole((heard, heard_in_subject, *others)),
    )
    doubtful = _has_weak((*own, *around)) or bool(orders or received.hidden)
    classes = tuple(sorted({c for reason in reasons for c in reason.classes}))
    return Detection(
        tier=Tier.ESCALATE if classes else Tier.REVIEW if doubtful else Tier.ROUTINE,
        classes=classes,
        reasons=reasons,
        spans=(
            *(_span(hit, received.text) for hit in own),
            *(span for ring in heard.rings for span in (ring.span, *ring.why)),
        ),
    )


def _topics(hits: Iterable[Hit]) -> tuple[int, ...]:
    return tuple(sorted({hit.start for hit in hits if hit.phrase.weight < 1}))


def _beside(part: SetAside, hits: Iterable[Hit], heard: learned.Heard) -> Iterator[Reason]:
    """Judge one part that stood beside the text, by itself."""
    found = (
        *_class_reasons(_weighed(hits, heard)),
        *_learned_reasons(heard.rings),
    )
    for reason in found:
        # Words of law, privacy and fraud are what footers are made of; words of harm are not.
        if part.judged or EscalationClass.SAFETY in reason.classes:
            yield _told_of(reason, f"its {part.kind}")


def _named_alone(hits: Sequence[Hit], heard: learned.Heard) -> tuple[Reason, ...]:
    """What a line by itself names: "Lawyer informed" is too short to be heard beside a name. Topics
    count in full where they lean, and where there are two of any kind.
    """
    several = len({hit.start for hit in hits}) > 1
    return _class_reasons((hit, 1.0 if several else told) for hit, told in _weighed(hits, heard))


def _told_of(reason: Reason, where: str) -> Reason:
    return reason.model_copy(update={"detail": f"{reason.detail} (in {where})"})


def lexicon_is_silent(text: str) -> bool:
    """Whether no phrase of any class, weak ones included, occurs in a text."""
    return not _matcher().hits(words_of(text))


def rings_the_lexicon(text: str) -> bool:
    """Whether the lexicon alone would give a text any class."""
    return bool(named_classes(text))


def named_classes(text: str) -> tuple[Reason, ...]:
    """Return what the lexicon alone finds in a text."""
    hits = _matcher().hits(words_of(text))
    return _class_reasons((hit, hit.phrase.weight) for hit in hits)


def _too_long(received: Received) -> str | None:
    """Say what is too long to be read in time; nothing of it is judged, and nothing cut away."""
    history = sum(len(p.text) for p in received.set_aside if p.kind is SetAsideKind.HISTORY)
    everything = sum(len(p.text) for p in received.set_aside)
    for name, length in (
        ("text", len(received.text)),
        ("subject", len(received.work_order.subject)),
        ("quoted history", history),
        ("signature and footers", everything - history),
    ):
        if length > LONGEST_JUDGED:
            return f"its {name} has more than {LONGEST_JUDGED} characters"
    return None


def _unread(why: str) -> Detection:
    reason = _unknown(why)
    return Detection(tier=Tier.ESCALATE, classes=reason.classes, reasons=(reason,))


@cache
def _matcher() -> Matcher:
    return Matcher(load(*LEXICONS))


def _weighed(hits: Iterable[Hit], heard: learned.Heard) -> Iterator[tuple[Hit, float]]:
    """A word that is only a topic ("lawyer", "hospital") counts half, and in full where the learned
    detector leans to danger: a lawyer may as well buy a desk.
    """
    for hit in hits:
        yield hit, 1.0 if heard.leans(hit.start) else hit.phrase.weight


def _class_reasons(*texts: Iterable[tuple[Hit, float]]) -> tuple[Reason, ...]:
    weights: dict[str, dict[str, float]] = {}
    for hits in texts:
        topics: dict[tuple[str, int], str] = {}
        for hit, weight in hits:
            labels = weights.setdefault(hit.phrase.family, {})
            key = hit.phrase.label if weight >= 1 else _topic(hit, topics)
            labels[key] = max(labels.get(key, 0.0), weight)
    return tuple(
        Reason(
            rule="ES-03" if family == EscalationClass.HUMAN_REQUESTED else "ES-01",
            detail=f"{family}: {', '.join(sorted(labels))}",
            classes=(EscalationClass(family),),
        )
        for family, labels in sorted(weights.items())
        if sum(labels.values()) >= 1
    )


def _topic(hit: Hit, topics: dict[tuple[str, int], str]) -> str:
    """Name a topic. "Tribunal" is a word of four languages' lists, and one topic: what one of them
    was called at its place all are called. Phrases of several words are each their own.
    """
    if sum(map(len, hit.phrase.parts)) > 1:
        return hit.phrase.source
    return topics.setdefault((hit.phrase.family, hit.start), hit.phrase.source)


def _learned_reasons(rings: Iterable[learned.Ring]) -> tuple[Reason, ...]:
    """One reason a kind. The sentence that rang, and the words that told, are among the spans."""
    kinds = dict.fromkeys((ring.kind, ring.escalation) for ring in rings)
    return tuple(
        Reason(
            rule="ES-03" if desk is EscalationClass.HUMAN_REQUESTED else "ES-01",
            detail=f"learned: a sentence that means {kind.replace('_', ' ')}",
            classes=(desk,),
        )
        for kind, desk in kinds
    )


def _not_read_whole(heard: Iterable[learned.Heard]) -> tuple[Reason, ...]:
    if all(each.whole for each in heard):
        return ()
    return (_unknown("it has more sentences worth reading than are read in time"),)


def _unknown(why: str) -> Reason:
    unknown = (EscalationClass.UNKNOWN,)
    return Reason(rule="ES-01", detail=f"cannot be judged: {why}", classes=unknown)


def _has_weak(hits: Iterable[Hit]) -> bool:
    return any(hit.phrase.weight < 1 for hit in hits)


def _unjudgeable(
    received: Received, words: tuple[Word, ...], orders: tuple[TextSpan, ...]
) -> tuple[Reason, ...]:
    work_order = received.work_order
    attached = any(not attachment.inline for attachment in work_order.attachments)
    pictured = _shows_pictures(work_order)
    causes = {
        "the body was cut at intake": work_order.truncated,
        f"the intake could not read: {', '.join(work_order.unread)}": bool(work_order.unread),
        "its HTML is nested too deep to be read": _nested_too_deep(received),
        f"its language ({received.language}) is none the detectors read": not readable(
            received.language, words
        ),
        "what it quotes is in a language none of the detectors reads": any(
            part.judged and part.language and not readable(part.language, words_of(part.text))
            for part in received.set_aside
        ),
        "it is written so that only people can read it": is_disguised(received.text, words),
        "it has no text, only attachments": not words and attached,
        "it is only a picture, which nobody read": pictured and _points_to_it(received, words),
        "it has no text at all": not (words or attached or pictured or work_order.subject.strip()),
        "it carries instructions to a machine": any(map(injection.is_certain, orders)),
        "it hides text that instructs a machine": _hides_instructions(received),
    }
    return tuple(_unknown(why) for why, applies in causes.items() if applies)


def _shows_pictures(work_order: WorkOrder) -> bool:
    inline = any(attachment.inline for attachment in work_order.attachments)
    return inline or shows_picture(work_order.body_html)


def _points_to_it(received: Received, words: tuple[Word, ...]) -> bool:
    """Whether the matter can stand in the picture alone: no text, or a few words that ask nothing.

    A logo below a short question is no such picture.
    """
    return not words or (len(words) < _POINTER_WORDS and not received.asks)


def _nested_too_deep(received: Received) -> bool:
    return any(span.label == NESTED_TOO_DEEP for span in received.hidden)


def _hides_instructions(received: Received) -> bool:
    return any(
        injection.scan(span.excerpt) or len(words_of(span.excerpt)) > 2 * ENOUGH_WORDS
        for span in received.hidden
    )


def _span(hit: Hit, text: str) -> TextSpan:
    return TextSpan(
        start=hit.start,
        end=hit.end,
        label=f"{hit.phrase.family}: {hit.phrase.label}",
        excerpt=text[hit.start : hit.end][:_EXCERPT],
    )


def readable(language: str, words: Sequence[Word]) -> bool:
    """Whether the lexicons can judge these words at all (ES-01: else it is unknown).

    The language tag comes from intake, measured on the words; frequent little words are a second
    opinion on what it could not tell. Look-alikes share some of them, so half must be such words.
    """
    if len(words) < ENOUGH_WORDS:
        return language in COVERED or language == "und"
    if language in COVERED:
        return True
    familiar = sum(word.text in _LITTLE_WORDS for word in words)
    return familiar >= _SHARE * len(words)
