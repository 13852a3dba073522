"""Which languages the lexicons can judge, and whether a text is in one of them.

The language tag of a mail comes from intake and is a guess on short texts; frequent little words are
a second opinion. Only when both say "not a language we read" is a mail unjudgeable.
"""

from collections.abc import Sequence

from swarm.safety.words import Word

COVERED = frozenset({"en", "de", "fr", "es", "it", "nl", "pt"})
ENOUGH_WORDS = 6
_SHARE = 0.15

_LITTLE_WORDS = frozenset(
    # en
    "the a to and of in is it for my i you on that have not with me this was at be are but your what "
    "how can do am hi hello thanks thank please why when no yes from so we they has had will if "
    # de
    "der die das und ich nicht ist ein eine zu mit auf fur wir sie es den dem von haben bitte mein "
    # fr
    "le la les de des et je vous est un une pas pour que mon ma nous sur avec dans ce bonjour merci "
    # es
    "el los las y en que no un una por mi con se su para es lo hola gracias favor usted "
    # it
    "il lo gli di e che non un per mi ho con sono del della buongiorno grazie si da "
    # nl
    "de het een en ik niet is van dat op te met voor mijn u jullie heb naar aan bedankt "
    # pt
    "o os as e do da que nao um uma para meu minha com se em por ola obrigado voce".split()
)


def readable(language: str, words: Sequence[Word]) -> bool:
    """Whether the lexicons can judge these words at all (ES-01: what cannot be judged is unknown)."""
    if len(words) < ENOUGH_WORDS:
        return language in COVERED or language == "und"
    if language in COVERED:
        return True
    familiar = sum(word.text in _LITTLE_WORDS for word in words)
    return familiar >= _SHARE * len(words)
