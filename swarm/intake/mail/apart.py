"""A body taken apart: what the sender says now, and each passage that is something else.

Every visible line ends in one of them, in its own words; nothing vanishes. The steps live in
``armour``, ``boilerplate``, ``quoting`` and ``signature``. What of it is judged is said here, part
by part: in doubt it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from swarm.intake.mail.armour import split_armour
from swarm.intake.mail.boilerplate import Footer, footers_inside, split_banner, split_footers
from swarm.intake.mail.language import language_of
from swarm.intake.mail.quoting import split_marks, split_quotes, without_marks
from swarm.intake.mail.signature import split_signature
from swarm.models import Address, SetAside, SetAsideKind

UNPROVED = "quoted, or below the head of an earlier mail; no message of the conversation proves it"
_MEASURED = 8000  # characters of history whose language is measured
_ARMOUR = "encoded by a machine"
_BANNER = "a warning of a mail system about mail from outside, by its shape"
_MARK = "a ticket system's request to reply above a line, and no other word"
_PLAIN = "names, titles and ways to reach somebody"
_SIGNATURE = "the end of the mail, below its closing or the sender's name"
_DOUBTFUL = "stands in a footer and bears no mark of one"


@dataclass(frozen=True, slots=True)
class Apart:
    """``text``: what is said; ``parts``: what else stood there."""

    text: str
    parts: tuple[SetAside, ...] = ()


def taken_apart(body: str, sender: Address) -> Apart:
    """Take a whole body apart."""
    unarmoured, armour = split_armour(body)
    below, banner = split_banner(unarmoured)
    split = split_quotes(below, sender.address)
    end = said_apart(split.text, sender)
    quoted, marks = split_marks(split.quoted)
    if not end.text and not split.quoted:
        return Apart(body)
    return Apart(
        end.text,
        (
            *_part(SetAsideKind.BANNER, _BANNER, banner, judged=False),
            *end.parts,
            *history_parts(quoted),
            *_part(SetAsideKind.BANNER, _MARK, marks, judged=False),
            *_part(SetAsideKind.ARMOUR, _ARMOUR, armour, judged=False),
        ),
    )


def said_apart(text: str, sender: Address) -> Apart:
    """Take signature and footers off what somebody says."""
    signed = split_signature(text, sender.name)
    if signed.signature:  # below a signature fewer marks are enough
        rest, footers = split_footers(signed.below, signed=True)
        said = f"{signed.text.removesuffix(signed.below).rstrip()}\n\n{rest}".strip()
    else:
        said, footers = split_footers(text)
        signed = split_signature(said, sender.name) if footers else signed
        said = signed.text
    return Apart(
        said,
        (
            *_part(
                SetAsideKind.SIGNATURE,
                _PLAIN if signed.plain else _SIGNATURE,
                signed.signature,
                judged=not signed.plain,
            ),
            *_footer_parts(footers),
        ),
    )


def history_parts(quoted: str, *, reason: str = UNPROVED) -> Iterator[SetAside]:
    """Yield history that has to be judged, without the footers of its mails."""
    history, footers = footers_inside(quoted)
    for part in _part(SetAsideKind.HISTORY, reason, history):
        bare = "\n".join(without_marks(line) for line in history[:_MEASURED].split("\n"))
        yield part.model_copy(update={"language": language_of(bare)})
    yield from _footer_parts(footers)


def _footer_parts(footers: Sequence[Footer]) -> Iterator[SetAside]:
    """All footers are one part; what in them bears no mark of one is another, and judged."""
    kinds = dict.fromkeys(kind for footer in footers for kind in footer.kinds)
    reason = f"a footer by its shape: {', '.join(kinds)}"
    text = "\n\n".join(footer.text for footer in footers)
    yield from _part(SetAsideKind.FOOTER, reason, text, judged=False)
    doubtful = "\n".join(footer.doubtful for footer in footers)
    yield from _part(SetAsideKind.FOOTER, _DOUBTFUL, doubtful)


def _part(kind: SetAsideKind, reason: str, text: str, *, judged: bool = True) -> Iterator[SetAside]:
    if text.strip():
        yield SetAside(kind=kind, reason=reason, text=text.strip("\n"), judged=judged)
