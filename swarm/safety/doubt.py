"""Words that leave open what follows: "whether it was shipped" states nothing.

Some are another word in another language: "of" doubts in Dutch and means possession in English,
"als" compares in German, "se" and "si" are reflexive. Those doubt only before a word that follows
them as a conjunction; read otherwise, "the refund of your order was approved" would state nothing.
"""

from collections.abc import Sequence
from typing import Final

from swarm.safety.lexicon import word_class
from swarm.safety.words import Word

_SOURCE: Final = "doubt"
_ALWAYS: Final = frozenset(word_class("doubt", _SOURCE))
_BEFORE: Final = {
    name: frozenset(word_class(f"doubts-{name}", _SOURCE)) for name in ("of", "als", "se", "si")
}


def doubts(words: Sequence[Word], at: int) -> bool:
    """Whether the word at ``at`` leaves open what follows it."""
    said = words[at].text
    if said in _ALWAYS:
        return True
    return at + 1 < len(words) and words[at + 1].text in _BEFORE.get(said, ())
