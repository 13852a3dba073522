"""A work order's mail as a person would read it: the stage ``received`` calls :func:`receive`.

Pure and deterministic: same mail, same result, no I/O, linear time on hostile bodies. The steps
live in ``html_text``, ``invisible``, ``apart``, ``language`` and ``asks``; what the conversation
says about the history comes later, in ``provenance``.
"""

from swarm.intake.mail.apart import taken_apart
from swarm.intake.mail.asks import asks_in
from swarm.intake.mail.html_text import read_html
from swarm.intake.mail.invisible import MAX_SPANS, strip_invisible
from swarm.intake.mail.language import language_of_mail
from swarm.models import Received, TextSpan, WorkOrder


def receive(work_order: WorkOrder) -> Received:
    """Return what the sender wrote now, apart from history, signature, footers and hidden text.

    The HTML body counts where there is one, because that is what a person sees; the plain
    alternative is read only when the HTML shows nothing. Raises nothing for any work order.
    """
    body, hidden = _visible(work_order)
    apart = taken_apart(body, work_order.sender)
    return Received(
        work_order=work_order,
        text=apart.text,
        set_aside=apart.parts,
        hidden=hidden[:MAX_SPANS],
        language=language_of_mail(apart.text, work_order.subject),
        asks=asks_in(apart.text, work_order.subject),
    )


def _visible(work_order: WorkOrder) -> tuple[str, tuple[TextSpan, ...]]:
    hidden: tuple[TextSpan, ...] = ()
    body = ""
    if work_order.body_html.strip():
        page = read_html(work_order.body_html)
        body, hidden = page.text, page.hidden
    text, unseen = strip_invisible(body or work_order.body_text)
    return text, (*hidden, *unseen)
