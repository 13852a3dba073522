"""What stands around a mail's text, judged: its addresses, its labels, its attachments.

The tier stage adds this to what the detectors say of the text itself; nothing here takes anything
away. Pure: what the attachments say was read by the stage ``thread``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from swarm.intake.mail.language import language_of
from swarm.models import (
    LONGEST_JUDGED,
    EscalationClass,
    Reason,
    Received,
    TextSpan,
    Thread,
    Tier,
)
from swarm.ourselves import Ourselves
from swarm.patterns import linear
from swarm.safety.detectors import detect
from swarm.safety.detectors.detection import COVERED, named_classes
from swarm.safety.enclosures import attachment_texts, unread_enclosures, unread_files
from swarm.safety.envelope import envelope_reasons
from swarm.safety.injection import scan
from swarm.stages.enrichment.addressing import answer_to
from swarm.stages.enrichment.labels import disguises, plain_label

_UNKNOWN = (EscalationClass.UNKNOWN,)
_FILES_JUDGED = 200  # names; so many files are no honest mail, and none of them is read
_JOINS = linear(r"[_.\-+]")
_UNDECIDED = "und"  # tables and lists are in no language


@dataclass(frozen=True, slots=True)
class Around:
    """What was found. ``injected``: instruction-like places of attachments and labels."""

    tier: Tier
    reasons: tuple[Reason, ...]
    injected: tuple[TextSpan, ...]

    @property
    def classes(self) -> tuple[EscalationClass, ...]:
        """The classes of the reasons."""
        return tuple(dict.fromkeys(c for reason in self.reasons for c in reason.classes))


def judge_around(received: Received, thread: Thread | None, ours: Ourselves) -> Around:
    """Judge everything but the text of a mail. Without ``thread`` no attachment counts as read."""
    order = received.work_order
    texts = attachment_texts(thread)
    names = [plain_label(each.name) for each in order.attachments[:_FILES_JUDGED]]
    reasons = (
        *envelope_reasons(order, answer_to(order), received.text, ours),
        *_disguised(received),
        *unread_enclosures(order, thread, received.text),
        *(reason for text in texts for reason in _said(text, received)),
        *(reason for name in names for reason in _named(name)),
    )
    subject = plain_label(order.subject, LONGEST_JUDGED)
    injected = tuple(span for text in (subject, *names, *texts) for span in scan(text))
    doubtful = bool(reasons) or unread_files(order, thread) > 0
    return Around(Tier.REVIEW if doubtful else Tier.ROUTINE, reasons, injected)


def _disguised(received: Received) -> Iterator[Reason]:
    places = dict.fromkeys(span.label.partition(":")[0] for span in disguises(received.work_order))
    for place in places:
        detail = f"signs that disguise the {place} were taken out of it"
        yield Reason(rule="ES-13", detail=detail, classes=_UNKNOWN)


def _named(file: str) -> Iterator[Reason]:
    """Yield the classes that the name of a file names: "Kuendigung_2026.pdf"."""
    words = _JOINS.sub(" ", file.rpartition(".")[0] or file)
    for reason in named_classes(words):
        yield reason.model_copy(update={"detail": f"in the name of a file: {reason.detail}"})


def _said(text: str, received: Received) -> Iterator[Reason]:
    """Yield the classes of an attachment's text, found as they are in a mail's own.

    Whether it is judgeable is asked otherwise than of a mail: a price list has no sentences.
    """
    language = language_of(text)
    bare = received.work_order.model_copy(
        update={"subject": "", "attachments": (), "unread": (), "truncated": False, "body_html": ""}
    )
    detection = detect(Received(work_order=bare, text=text, language=language))
    for reason in detection.reasons:
        if reason.classes and reason.classes != _UNKNOWN:
            yield reason.model_copy(update={"detail": f"in an attachment: {reason.detail}"})
    if language not in COVERED and language != _UNDECIDED:
        detail = f"cannot be judged: an attachment in a language ({language}) nobody reads here"
        yield Reason(rule="ES-01", detail=detail, classes=_UNKNOWN)
