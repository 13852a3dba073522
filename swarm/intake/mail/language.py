"""Which language a mail is written in; 'und' where a guess would be one."""

from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from swarm.patterns import linear

LANGUAGES = (
    "en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da", "no", "fi", "cs", "sk", "hu", "ro",
    "tr", "ru", "uk", "el", "ar", "he", "ja", "zh", "ko",
)  # fmt: skip
SHORTEST = 16  # letters; below, one borrowed word decides
SURE = 0.6  # of 800 English tickets cut to 30 letters: 3 wrong, 108 "und"; at 0.85: 0 and 213
LOOK = 4000  # characters are enough to tell

_NO_LETTERS = linear(r"https?://\S{1,300}|\S{1,100}@\S{1,100}|[\d\W_]+")


def language_of(text: str) -> str:
    """Return an ISO 639-1 code of ``LANGUAGES``, or 'und' when too short or too uncertain."""
    words = _NO_LETTERS.sub(" ", text[:LOOK]).strip()
    wide = any(ord(letter) > 0x2E80 for letter in words[:200])  # noqa: PLR2004 - CJK says more per letter
    if len(words) < (SHORTEST // 4 if wide else SHORTEST):
        return "und"
    code, probability = _identifier().classify(words)
    return str(code) if probability >= SURE else "und"


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    """The model is read once per process, at first use: 0.3 s."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier
