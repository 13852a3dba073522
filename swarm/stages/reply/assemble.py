"""A specialist's proposal becomes the final bytes of a draft, by deterministic code.

Recipients, subject, greeting, closing, signature, mark-up and the marker line are set here, each
exactly once. Text is escaped; no link, image or other active content is ever made (ES-10, ES-11).
"""

import html
from collections.abc import Sequence

from swarm.models import Draft
from swarm.patterns import linear
from swarm.publishing.ledger.marker import draft_marker
from swarm.specialists.answers import answer_missing
from swarm.specialists.phrasebook import Phrasebook, phrasebook
from swarm.specialists.protocol import Brief, Proposal
from swarm.stages.enrichment.addressing import answer_to, copied, recipients, reply_subject
from swarm.stages.enrichment.labels import plain_label
from swarm.stages.reply.judging import JudgementError, judged
from swarm.stages.services import Services

_CONTROL = linear(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_BLANK_LINES = linear(r"\n\s{0,400}\n")
_GREETING_LIMIT = 80  # a first line longer than this is no greeting


def propose_draft(
    brief: Brief, previous: Draft | None, findings: Sequence[str], services: Services
) -> Draft:
    """Return a draft, or a withheld one when none could be had (ES-05)."""
    author = services.thinker
    try:
        proposal = judged(
            lambda: services.specialist.propose(brief, previous, findings),
            brief.received.work_order.key,
            services,
        )
    except JudgementError as error:
        return withheld(f"no reply could be had: {error}", brief, author)
    revision = previous.revision + 1 if previous else 0
    return assemble(proposal, brief, author=author, revision=revision)


def withheld(reason: str, brief: Brief, author: str) -> Draft:
    """Return the draft that is none."""
    return Draft(withheld=reason, language=brief.received.language, author=author)


def declined(why: str, brief: Brief, author: str, *, objected: bool = False) -> Draft:
    """Return the draft that is none because nothing here can answer.

    ``why`` is a specialist's own words and stays in the draft. After a reviewer's objection it is
    no mere lack of an answer: that stays an escalation (ES-05).
    """
    none = withheld(why, brief, author)
    missing = None if objected else answer_missing(brief.received)
    return none.model_copy(update={"declined": missing, "unanswered": brief.received.asks})


def assemble(proposal: Proposal, brief: Brief, *, author: str, revision: int) -> Draft:
    """Return the draft with its final bytes, or a withheld one saying why there is none."""
    book = phrasebook(proposal.language)
    target = recipients(brief.received.work_order, brief.context)
    if proposal.decline is not None:
        return declined(proposal.decline, brief, author, objected=revision > 0)
    if book is None:
        return withheld(f"nobody here writes the language {proposal.language}", brief, author)
    if not target:
        return withheld("nobody can be answered at the address to answer to (ES-10)", brief, author)
    paragraphs = _paragraphs(proposal.body_text, brief, book)
    return Draft(
        subject=reply_subject(brief.received.work_order.subject),
        body_text="\n\n".join(paragraphs),
        body_html="".join(_html_paragraph(p) for p in paragraphs),
        language=proposal.language,
        to=target,
        cc=copied(brief.received, brief.context),
        claims=proposal.claims,
        answered=proposal.answered,
        unanswered=_unanswered(proposal, brief),
        revision=revision,
        author=author,
    )


def _unanswered(proposal: Proposal, brief: Brief) -> tuple[str, ...]:
    """Return the asks the reply names as open, or does not take up at all."""
    asks = brief.received.asks
    return tuple(a for a in asks if a in proposal.unanswered or a not in proposal.answered)


def _paragraphs(body: str, brief: Brief, book: Phrasebook) -> list[str]:
    order = brief.received.work_order
    said = [p.strip() for p in _BLANK_LINES.split(_clean(body)) if p.strip()]
    return [
        book.greet(plain_label(answer_to(order).name), answer_to(order).address),
        *_without_frame(said, book, brief.signature),
        f"{book.closing}\n{brief.signature}",
        draft_marker(order.key),
    ]


def _clean(text: str) -> str:
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def _without_frame(said: list[str], book: Phrasebook, signature: str) -> list[str]:
    """Drop a greeting or closing the specialist wrote although it was told not to."""
    opening = book.phrases["greeting"].rstrip(",:").split()[0].casefold()
    if said and _is_greeting(said[0], opening):
        said = said[1:]
    frame = (book.closing.casefold(), signature.casefold())
    while said and said[-1].casefold().startswith(frame) and len(said[-1]) <= _GREETING_LIMIT:
        said = said[:-1]
    return said


def _is_greeting(paragraph: str, opening: str) -> bool:
    short = len(paragraph) <= _GREETING_LIMIT and paragraph.endswith((",", ":", "!"))
    return short and paragraph.casefold().startswith(opening)


def _html_paragraph(text: str) -> str:
    lines = (html.escape(line, quote=True) for line in text.split("\n"))
    return f"<p>{'<br>'.join(lines)}</p>"
