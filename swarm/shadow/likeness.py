"""How alike two texts of an answer are: the one definition that everybody uses.

*Normalised*: Unicode NFC; invisible characters dropped; our reference line dropped; a closing line
that is the house's own signature dropped; white space joined to one blank.

*Likeness* of two normalised texts: their tokens (words and single marks, case folded) compared by
the Indel similarity of rapidfuzz, ``1 - (insertions + deletions) / (tokens of both)``, which is
twice the longest common subsequence over the sum of both lengths. 1.0: the same tokens in the same
order; 0.0: none in common; two empty texts are alike. At most the first 5,000 tokens are compared.

*Act*: unchanged when the normalised texts are the same; edited from 0.8 on; rewritten below. Pure.
"""

import unicodedata
from typing import Final

from swarm.patterns import linear
from swarm.shadow.models import Act

EDITED: Final = 0.8
"""From this likeness on, what was sent counts as the draft with light edits."""

_MOST_TOKENS: Final = 5_000
_TOKEN = linear(r"\w{1,200}|[^\w\s]")
_REFERENCE = linear(r"Ref: SW-[A-Z2-7]{8}")


def normalised(text: str, signature: str = "") -> str:
    """Return a text without what does not count: reference line, signature, ways of spacing."""
    seen = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) != "Cf")
    lines = [" ".join(line.split()) for line in seen.splitlines()]
    kept = [line for line in lines if line and not _REFERENCE.fullmatch(line)]
    if kept and signature and kept[-1] == " ".join(signature.split()):
        kept.pop()
    return " ".join(kept)


def likeness(one: str, other: str, signature: str = "") -> float:
    """Return how alike two texts are, from 0 to 1."""
    from rapidfuzz.distance import Indel  # noqa: PLC0415 - only who compares pays for it

    mine, theirs = _tokens(normalised(one, signature)), _tokens(normalised(other, signature))
    return float(Indel.normalized_similarity(mine, theirs))


def act_of(offered: str, sent: str, signature: str = "") -> tuple[Act, float]:
    """Say what a person did with an offered text, and how like it is what was sent."""
    if normalised(offered, signature) == normalised(sent, signature):
        return Act.SENT_UNCHANGED, 1.0
    alike = likeness(offered, sent, signature)
    return (Act.SENT_EDITED if alike >= EDITED else Act.REWRITTEN), alike


def _tokens(text: str) -> list[str]:
    found = (match.group().casefold() for match in _TOKEN.finditer(text))
    return [token for token, _ in zip(found, range(_MOST_TOKENS), strict=False)]
