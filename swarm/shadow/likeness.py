"""When a sent text is the draft that was offered, and how alike two replies are. Pure.

**Own part**: quoted history, our reference line and the signature are taken off, as the intake does
for a customer's mail. **Same**: the own parts are equal letter by letter once all white space is
left out (mail programs wrap and indent as they like) and characters are composed (NFC). **Alike**:
words and numbers in order, case folded, compared as tokens by rapidfuzz' normalised Indel
similarity: 2 x (longest common subsequence) / (tokens of both), 1.0 for the same tokens, 0.0 for no
token in common. An inserted or removed token counts once, a replaced one twice. Punctuation does
not count; so "alike 1.0" may still not be "same". At most 5,000 tokens of each are compared.
**Act**: unchanged when they are the same, edited from 0.8 on, rewritten below.
"""

import unicodedata
from typing import Final

from swarm.intake.mail.quoting import split_quotes
from swarm.intake.mail.signature import split_signature
from swarm.patterns import linear
from swarm.shadow.models import Act

EDITED: Final = 0.8
"""At least so alike, a sent text is the draft with edits; below it was written anew."""

_MOST = 100_000  # characters of a text that are looked at
_REFERENCE: Final = linear(r"Ref: SW-[A-Z2-7]{8}")
_BLANK: Final = linear("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_UNSTORABLE: Final = linear("[\x00\ud800-\udfff]")
_TOKEN: Final = linear(r"\w+")
_MOST_TOKENS: Final = 5_000


def plain(text: str) -> str:
    """Return a text cut to what is looked at, composed, with every kind of blank as a space, and
    without what nobody sees or Postgres cannot keep.
    """
    storable = unicodedata.normalize("NFC", _UNSTORABLE.sub("", text[:_MOST]))
    return _BLANK.sub(" ", "".join(c for c in storable if unicodedata.category(c) != "Cf"))


def own_part(text: str, signature: str = "") -> str:
    """Return what the writer says: without history, reference line and signature.

    ``signature`` is the house's; a person's own is known by its shape.
    """
    said = split_quotes(plain(text)).text
    lines = [line for line in said.split("\n") if not _REFERENCE.fullmatch(line.strip())]
    # The house's name below what is there: a closing that a person left bare is one all the same.
    signed = "\n".join((*lines, signature)).strip()
    kept = split_signature(signed, signature).text.strip().split("\n")
    return "\n".join(kept[:-1] if signature and kept[-1] == signature else kept).strip()


def names_a_work_order(text: str) -> bool:
    """Whether a reply's own part carries a reference line."""
    said = split_quotes(plain(text)).text
    return any(_REFERENCE.fullmatch(line.strip()) for line in said.split("\n"))


def same(one: str, other: str, signature: str = "") -> bool:
    """Whether two replies say the same, letter by letter."""
    return _letters(own_part(one, signature)) == _letters(own_part(other, signature))


def alike(one: str, other: str, signature: str = "") -> float:
    """Return how alike two replies are, between 0 and 1."""
    from rapidfuzz.distance import Indel  # noqa: PLC0415 - not for processes that compare nothing

    mine, theirs = _tokens(one, signature), _tokens(other, signature)
    return float(Indel.normalized_similarity(mine, theirs))


def act_of(offered: str, sent: str, signature: str = "") -> tuple[Act, float]:
    """Say what a person did with an offered text, and how alike to it is what was sent."""
    if same(offered, sent, signature):
        return Act.SENT_UNCHANGED, 1.0
    likeness = alike(offered, sent, signature)
    return (Act.SENT_EDITED if likeness >= EDITED else Act.REWRITTEN), likeness


def _tokens(text: str, signature: str) -> list[str]:
    return _TOKEN.findall(own_part(text, signature).casefold())[:_MOST_TOKENS]


def _letters(text: str) -> str:
    return "".join(text.split())
