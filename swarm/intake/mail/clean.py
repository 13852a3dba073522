"""A work order's mail as a person would read it: the stage ``received`` calls :func:`receive`.

Pure and deterministic: same mail, same result, no I/O, linear time on hostile bodies. The steps
live in ``html_text``, ``invisible``, ``quoting``, ``signature``, ``language`` and ``asks``.
"""

from swarm.intake.mail.asks import asks_of
from swarm.intake.mail.html_text import read_html
from swarm.intake.mail.invisible import MAX_SPANS, strip_invisible
from swarm.intake.mail.language import language_of
from swarm.intake.mail.quoting import split_quotes
from swarm.intake.mail.signature import split_signature
from swarm.models import LONGEST_JUDGED, Received, TextSpan, WorkOrder


def receive(work_order: WorkOrder) -> Received:
    """Return what the sender wrote now, apart from history, signature and hidden text.

    The HTML body counts where there is one, because that is what a person sees; the plain
    alternative is read only when the HTML shows nothing. Raises nothing for any work order.
    """
    body, hidden = _visible(work_order)
    split = split_quotes(body)
    text, signature = split_signature(split.text, work_order.sender.name)
    return Received(
        work_order=work_order,
        text=text,
        quoted=split.quoted,
        signature=signature,
        hidden=hidden[:MAX_SPANS],
        language=language_of(
            text if len(text) > len(work_order.subject) else f"{work_order.subject}. {text}"
        ),
        asks=_asks(text, work_order.subject),
    )


def _asks(text: str, subject: str) -> tuple[str, ...]:
    """A text too long to be judged goes to a person whole; nobody drafts an answer to it."""
    if max(len(text), len(subject)) > LONGEST_JUDGED:
        return ()
    return asks_of(text) or asks_of(subject)


def _visible(work_order: WorkOrder) -> tuple[str, tuple[TextSpan, ...]]:
    hidden: tuple[TextSpan, ...] = ()
    body = ""
    if work_order.body_html.strip():
        page = read_html(work_order.body_html)
        body, hidden = page.text, page.hidden
    text, unseen = strip_invisible(body or work_order.body_text)
    return text, (*hidden, *unseen)
