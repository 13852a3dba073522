"""The eight stages as production has them today: a handful of keyword rules over a JSON line.

Independent of the new path on purpose (nothing of ``swarm.stages`` or ``swarm.safety`` is used), so
that a comparison of the two means something. Pure functions: a work-order line in, a record out.
What lives elsewhere: reading and writing files (``pipeline_daemon``), posting (``publish_sender``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

from swarm.markup import made_to_exhaust, tags_dropped
from swarm.patterns import linear

Line = Mapping[str, object]

POLICY_VERSION = "legacy-1"

_ESCALATE = {
    "legal": r"\b(lawyer|attorney|lawsuit|sue|court|solicitor|anwalt|klage|avocat|abogado)\b",
    "safety": r"\b(injur|suicid|(hospital|burn(ed|t)|bleeding|electric shock|verletzt)\b)",
    "fraud": r"\b(fraud|(scam|stolen card|identity theft|phishing|betrug)\b)",
    "privacy": r"\b(gdpr|dsgvo|personal data|delete my data|erase my data|data protection)\b",
    "press": r"\b(journalist|newspaper|reporter|press enquiry|press inquiry)\b",
    "complaint": r"\b(complain|(ombudsman|regulator|unacceptable|beschwerde)\b)",
    "money_dispute": r"\b(chargeback|double charged|charged twice|overcharged|refund)\b",
    "human_requested": r"\b(real person|speak to (a|someone)|human being|manager|supervisor)\b",
}
_BLANK_LINES = linear(r"\n{3,}")
_NUMBER = linear(r"\d+")
_PATTERNS = {name: linear(pattern, re.IGNORECASE) for name, pattern in _ESCALATE.items()}
_QUESTION = linear(r"[^.!?\n]{3,300}\?")
_QUOTE = linear(r"^(?:>|(?:On .{5,200} wrote:|Am .{5,200} schrieb.{0,200}:)$)", re.MULTILINE)
_GERMAN = linear(r"\b(und|ich|nicht|bitte|meine|wann|danke|lieferung)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the legacy path made of a work order: a draft, or an escalation with its reasons."""

    work_order_id: str
    reasons: tuple[str, ...]
    subject: str
    body_text: str
    recipient: str

    @property
    def escalated(self) -> bool:
        """Whether no draft is offered."""
        return bool(self.reasons)


def process(line: Line, signature: str) -> Outcome:
    """Run tier, context, draft, tone, fact, qa and policy over one work-order line."""
    text = context(line)
    body = tone(draft(line, text, signature))
    reasons = (*tier(f"{line.get('subject', '')}\n{text}"), *fact(body, text), *qa(body))
    return policy(line, body, reasons)


def tier(text: str) -> tuple[str, ...]:
    """Name the topics that production hands to a person."""
    return tuple(name for name, pattern in _PATTERNS.items() if pattern.search(text))


def context(line: Line) -> str:
    """Return the text above the first quoted line; of a mail that is only HTML, its page's text."""
    text = str(line.get("body_text") or "").strip() or page_text(str(line.get("body_html") or ""))
    quote = _QUOTE.search(text)
    return (text[: quote.start()] if quote else text).strip()


def page_text(page: str) -> str:
    """Return what an HTML page says, hidden text too: rather one reason more than one unread."""
    if made_to_exhaust(page):
        return tags_dropped(page)
    tree = LexborHTMLParser(page)
    tree.strip_tags(["head", "style", "script"])
    body = tree.body
    return body.text(separator="\n", strip=True) if body is not None else ""


def draft(line: Line, text: str, signature: str) -> str:
    """Frame the one reply production has with greeting, closing and signature."""
    greeting, closing = _GERMAN_FRAME if german(text) else _ENGLISH_FRAME
    return f"{greeting}\n\n{reply(text)}\n\n{closing}\n{signature}\n"


def reply(text: str) -> str:
    """Thank, and list what was asked: all that production says by itself."""
    thanks, asked = _GERMAN_REPLY if german(text) else _ENGLISH_REPLY
    listed = "".join(f"\n- {question}" for question in questions(text))
    return f"{thanks}{asked}{listed}" if listed else thanks


def questions(text: str) -> tuple[str, ...]:
    """Return at most five sentences that end with a question mark."""
    return tuple(question.strip() for question in _QUESTION.findall(text)[:5])


def german(text: str) -> bool:
    """Tell German from everything else, which is answered in English."""
    return len(_GERMAN.findall(text)) >= 3  # noqa: PLR2004 - fewer are often names or loan words


_ENGLISH_FRAME = ("Hello,", "Kind regards")
_GERMAN_FRAME = ("Guten Tag,", "Mit freundlichen Grüßen")
_ENGLISH_REPLY = (
    "thank you for your message. A colleague is looking into it and will come back to you.",
    "\n\nYou asked:",
)
_GERMAN_REPLY = (
    "vielen Dank für Ihre Nachricht. Wir kümmern uns darum und melden uns bei Ihnen.",
    "\n\nSie haben gefragt:",
)


def tone(body: str) -> str:
    """Collapse blank lines; production does no more."""
    return _BLANK_LINES.sub("\n\n", body)


def fact(body: str, text: str) -> tuple[str, ...]:
    """Refuse a draft with a number that the customer did not write."""
    invented = set(_NUMBER.findall(body)) - set(_NUMBER.findall(text))
    return ("fact: number not in the mail",) if invented else ()


def qa(body: str) -> tuple[str, ...]:
    """Refuse an empty or oversized draft."""
    return () if 20 <= len(body) <= 20_000 else ("qa: length",)  # noqa: PLR2004


def policy(line: Line, body: str, reasons: Sequence[str]) -> Outcome:
    """Decide: any reason escalates."""
    sender = line.get("sender")
    recipient = str(sender.get("address", "")) if isinstance(sender, Mapping) else ""
    missing = () if "@" in recipient else ("policy: no recipient",)
    if line.get("unread"):
        missing = (*missing, "policy: a part of the mail could not be read")
    subject = str(line.get("subject") or "")
    return Outcome(
        work_order_id=str(line["id"]),
        reasons=(*reasons, *missing),
        subject=subject if subject.lower().startswith("re:") else f"Re: {subject}".strip(),
        body_text=body,
        recipient=recipient,
    )
