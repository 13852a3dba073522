"""In which languages a draft's own words are written: measured, whatever its writer says.

The house's frame is left out, and so is what is quoted from evidence: a record may be in another
language than the mail. The whole is measured, and each paragraph long enough to tell.
"""

from functools import lru_cache

from swarm.intake.mail.language import language_of
from swarm.models import Draft
from swarm.safety.drafts.parts import parts_of

_ENOUGH = 90  # letters; shorter paragraphs are told apart too rarely
_UNKNOWN = "und"


def spoken_in(draft: Draft, key: str) -> tuple[str, ...]:
    """Return the languages of the draft's own words, each once; none where none can be told."""
    said = parts_of(draft.body_text, key).said
    for claim in draft.claims:
        said = said.replace(claim.quote, " ") if claim.quote.strip() else said
    pieces = [said, *(p for p in said.split("\n\n") if len(p) >= _ENOUGH)]
    codes = (_measured(piece) for piece in dict.fromkeys(pieces))
    return tuple(sorted({code for code in codes if code != _UNKNOWN}))


@lru_cache(maxsize=256)
def _measured(text: str) -> str:
    """One draft is asked about at several stages of one run."""
    return language_of(text)
