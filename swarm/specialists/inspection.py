"""What the rules specialist looks for in a draft. Pure; findings are for people.

The hard rules are ``swarm.safety``'s and are asked besides; here is only what makes a reply a good
one: one greeting, one closing, a calm voice, the right language, every ask taken up.
"""

import re
from collections.abc import Iterator

from swarm.models import Draft
from swarm.patterns import linear
from swarm.specialists.phrasebook import phrasebook
from swarm.specialists.protocol import Brief

_SHOUTED = linear(r"\b[^\W\d_a-zà-ÿß]{6,200}\b")
_PLACEHOLDER = linear(
    r"\{\w{0,200}\}|\[[^\]\n]{0,400}\]|<[^>\n]{0,400}>|\bTODO\b|\bXX{1,40}\b|lorem ipsum",
    re.IGNORECASE,
)
_FIGURE = linear(r"\d[\d.,:/-]{0,200}\d|\d")
_LONGEST_REPLY = 6000  # characters; a page and a half


def tone_findings(brief: Brief, draft: Draft) -> Iterator[str]:
    """Greeting, closing, language and voice."""
    if draft.language != brief.received.language:
        yield f"the reply is in {draft.language}, the mail in {brief.received.language}"
    book = phrasebook(draft.language)
    if book is None:
        yield f"there are no phrases for the language {draft.language}"
    else:
        if _count(draft.body_text, book.closing) != 1:
            yield "the reply does not have exactly one closing"
        if _count(draft.body_text, book.phrases["greeting"].rstrip(",:")) != 1:
            yield "the reply does not have exactly one greeting"
    known = brief.received.text + " " + " ".join(claim.quote for claim in draft.claims)
    if any(word not in known for word in _SHOUTED.findall(_said(draft))):
        yield "words are written in capitals"
    if "!!" in draft.body_text or "??" in draft.body_text:
        yield "punctuation is doubled"


def fact_findings(brief: Brief, draft: Draft) -> Iterator[str]:
    """Every figure stands in a claim, every claim in the body, every quote in its evidence."""
    texts = {item.id: item.text for item in brief.context.evidence}
    for number, claim in enumerate(draft.claims, 1):
        if claim.text not in draft.body_text:
            yield f"claim {number} does not occur in the reply"
        if not claim.quote or claim.quote not in texts.get(claim.evidence_id, ""):
            yield f"claim {number} is not carried by its evidence"
    carried = " ".join(claim.quote for claim in draft.claims) + " " + brief.signature
    given = brief.received.text
    for figure in _FIGURE.findall(_said(draft)):
        if figure not in carried and figure not in given:
            yield "a figure in the reply has no evidence"
            return


def qa_findings(brief: Brief, draft: Draft) -> Iterator[str]:
    """Every ask is taken up, nothing is left unfinished."""
    missed = [ask for ask in brief.received.asks if ask not in draft.answered]
    if missed:
        yield f"{len(missed)} of {len(brief.received.asks)} asks are not taken up"
    if not draft.body_text.strip():
        yield "the reply is empty"
    if len(draft.body_text) > _LONGEST_REPLY:
        yield "the reply is longer than a page and a half"
    if _PLACEHOLDER.search(draft.body_text):
        yield "a placeholder was left in the reply"


def _said(draft: Draft) -> str:
    """Return the body without its last line, the technical marker."""
    return draft.body_text.rpartition("\n")[0]


def _count(text: str, phrase: str) -> int:
    pattern = rf"(?m)^{re.escape(phrase)}(?=[\s,:]|$)"
    return len(linear(pattern).findall(text))
