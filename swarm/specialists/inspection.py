"""What the rules specialist looks for in a draft. Pure; findings are for people.

What holds for every draft, whoever wrote it, is ``swarm.safety``'s and is asked besides (one frame,
finished, the language of the mail, claims carried by evidence); here is only what makes a reply a
good one: a calm voice, no loose figure, every ask taken up.
"""

from collections.abc import Iterator

from swarm.models import Draft
from swarm.patterns import linear
from swarm.safety.enclosures import ATTACHED
from swarm.specialists.protocol import Brief

_SHOUTED = linear(r"\b[^\W\d_a-zà-ÿß]{6,200}\b")
_FIGURE = linear(r"\d[\d.,:/-]{0,200}\d|\d")


def tone_findings(brief: Brief, draft: Draft) -> Iterator[str]:
    """Voice: nobody is shouted at."""
    known = brief.received.text + " " + " ".join(claim.quote for claim in draft.claims)
    if any(word not in known for word in _SHOUTED.findall(_said(draft))):
        yield "words are written in capitals"
    if "!!" in draft.body_text or "??" in draft.body_text:
        yield "punctuation is doubled"


def fact_findings(brief: Brief, draft: Draft) -> Iterator[str]:
    """Every figure, also one that is no fact of its own ("PO-20417"), stands in some source."""
    texts = [*(claim.quote for claim in draft.claims), *(claim.text for claim in draft.claims)]
    attached = [item.text for item in brief.context.evidence if item.source == ATTACHED]
    given = [brief.signature, brief.received.work_order.subject, brief.received.text, *attached]
    known = " ".join([*texts, *given])
    if any(figure not in known for figure in _FIGURE.findall(_said(draft))):
        yield "a figure in the reply has no evidence"


def qa_findings(brief: Brief, draft: Draft) -> Iterator[str]:
    """Every ask is taken up."""
    missed = [ask for ask in brief.received.asks if ask not in draft.answered]
    if missed:
        yield f"{len(missed)} of {len(brief.received.asks)} asks are not taken up"


def _said(draft: Draft) -> str:
    """Return the body without its last line, the technical marker."""
    return draft.body_text.rpartition("\n")[0]
