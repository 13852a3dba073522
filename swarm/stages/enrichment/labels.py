"""Short foreign texts that are shown or repeated: a subject, a name, a file's name.

Signs that nobody sees, or that turn the reading direction ("exe.fdp" shown as "pdf.exe"), are taken
out of them before anybody reads them; that they stood there is told to the tier.
"""

from collections.abc import Iterator

from swarm.intake.mail.invisible import strip_invisible
from swarm.models import TextSpan, WorkOrder
from swarm.patterns import linear

_CONTROL = linear(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]{1,1000}")
_TURNING = ("direction_override", "tag_characters")


def plain_label(text: str, limit: int = 1000) -> str:
    """Return a label as the eye sees it, on one line."""
    return " ".join(_CONTROL.sub(" ", strip_invisible(text[: 4 * limit])[0]).split())[:limit]


def disguises(order: WorkOrder) -> tuple[TextSpan, ...]:
    """Return the signs in subject, names and file names that show them as what they are not."""
    return tuple(
        span.model_copy(update={"label": f"{where}: {span.label}"})
        for where, text in _labels(order)
        for span in strip_invisible(text)[1]
        if span.label in _TURNING
    )


def _labels(order: WorkOrder) -> Iterator[tuple[str, str]]:
    yield "subject", order.subject
    for person in (order.sender, *order.reply_to, *order.cc[:50]):
        yield "name", person.name
    for attachment in order.attachments[:50]:
        yield "file name", attachment.name
