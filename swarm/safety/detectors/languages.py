"""Which languages the lexicons can judge, and whether a text is in one of them.

The language tag of a mail comes from intake and is a guess on short texts; frequent little words
are a second opinion. Only when both say "not a language we read" is a mail unjudgeable.
"""

from collections.abc import Sequence

from swarm.safety.lexicon import word_class
from swarm.safety.words import Word

COVERED = frozenset({"en", "de", "fr", "es", "it", "nl", "pt"})
ENOUGH_WORDS = 6
_SHARE = 0.15

_LITTLE_WORDS = frozenset(word_class("little", "languages"))


def readable(language: str, words: Sequence[Word]) -> bool:
    """Whether the lexicons can judge these words at all (ES-01: else it is unknown)."""
    if len(words) < ENOUGH_WORDS:
        return language in COVERED or language == "und"
    if language in COVERED:
        return True
    familiar = sum(word.text in _LITTLE_WORDS for word in words)
    return familiar >= _SHARE * len(words)
