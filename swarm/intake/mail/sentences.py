"""Whether a line is something said, or only says who: the shape of a sentence, in any language.

Said is what runs on in small letters, ends like a sentence, or speaks of "I" and "you". Lists hold
only the closed class of pronouns, and verbs whose ending is the pronoun.
"""

# ruff: noqa: E501 - word lists of many languages, one group a line

import re

from swarm.patterns import linear

LOOK = 2000  # characters of a line that patterns see
_FEWEST = 4  # words of a line that ends like a sentence
_RUN = 4  # words in a row that begin with a small letter

_WORD = linear(r"[^\W\d_][\w'\u2019-]{0,60}")
_ABBREVIATION = linear(r"(?:^|[\s.,(])(?:[^\W\d_]{1,4}|[^\W\d_]{1,20}\d|[\w.]{1,6}\.[^\W\d_])\.$")
_ENDS = linear(r"[.!?\u2026\u3002\uff01\uff1f][\s\"'\u201d\u2019)*_]{0,9}$")
_PIECE = linear(r"(?:[^.!?]|[.!?](?=\S)){1,2000}[.!?]{0,5}")
_PLACE = linear(
    r"\S{1,200}@\S{1,200}|(?:https?://|www\.)\S{1,300}|\b[\w-]{2,60}\.(?:com|net|org|de|co\.uk|eu|example)\b"
)

# Italian "I dati" is no English "I"; "EU" and "Mon" are no Portuguese and French pronouns.
_SELF = linear(
    r"\b(?:(?-i:I)(?!\s[^\W\d_]{1,20}i\b)|i[\u2019'](?:m|ll|ve|d)|i (?:am|was|will|have|had|want|need|would|can|cannot|could|did|do|don[\u2019']?t|think|know|got|demand|expect)"
    r"|me|my|mine|myself|ich|mich|mir|meine?[rmns]?|je|j[\u2019'](?=\w)|moi|(?-i:mon|ma|mes|mi|io|eu)|m[\u2019'](?=\w)|yo|mis|mí|conmigo|mio|mia|miei|mie"
    r"|ik|mij|mijn|meu|minha|meus|minhas|mim)\b",
    re.IGNORECASE,
)
_WILL = linear(
    r"\b(?:we|wir|nous|nosotros|noi|wij|nós|on behalf of|hereby)\b.{0,40}\b(?:request|demand|sue|expect|insist|require|fordern|verlangen|klagen|verklagen|bestehen|demandons|exigeons"
    r"|exigimos|solicitamos|reclamamos|denunciamos|chiediamo|esigiamo|pretendiamo|eisen|verzoeken|klagen aan|pedimos)\b"
    r"|\b(?:solicito|exijo|pido|quiero|reclamo|ejerzo|ejerceré|denuncio|denunciaré|demandaré|espero|necesito|chiedo|richiedo|esigo|voglio|pretendo|denuncio|denuncerò|farò|vorrei|esercito"
    r"|peço|quero|preciso|denunciarei|processarei|gostaria|exijo|tengo|tenho|sono stat[oa]|estoy|estou|he sido|fui)\b",
    re.IGNORECASE,
)
_YOU = linear(
    r"\b(?:you|your|yours|u|ur|sie|ihr|ihre[rmns]?|ihnen|dich|dir|dein(?:e[rmns]?)?|euch|euer|eure|vous|votre|vos|toi|ton|usted|ustedes|tu|tus|vosotros|vuestr[oa]s?|voi|vostr[oaie]|lei"
    r"|suo|jij|je|jullie|uw|você|vocês|vós|vosso|vossa)\b",
    re.IGNORECASE,
)


def words(line: str) -> list[str]:
    """Return the words of a line; addresses and links hold none."""
    return _WORD.findall(_PLACE.sub(" ", line[:LOOK]))


def speaks_of_self(text: str) -> bool:
    """Whether somebody says "I", or what only the one who writes can want."""
    return bool(_SELF.search(text) or _WILL.search(text))


def is_said(line: str) -> bool:
    """Whether a line is said: a question, a sentence, or more small words in a row than a title."""
    line = line.strip()
    if line.endswith(("?", "\uff1f")):
        return True
    found = words(line)
    if any(_is_sentence(piece) for piece in _PIECE.findall(line[:LOOK])):
        return True
    return is_personal(line) or _longest_small_run(found) >= _RUN


def is_personal(line: str) -> bool:
    """Whether a line of more than two words speaks of "I" or "you"."""
    more = len(words(line)) > 2  # noqa: PLR2004 - "My Ltd"
    return more and bool(_SELF.search(line[:LOOK]) or _YOU.search(line[:LOOK]))


def _is_sentence(piece: str) -> bool:
    piece, found = piece.strip(), words(piece)
    return len(found) >= _FEWEST and _ends_like_a_sentence(piece, found)


def _ends_like_a_sentence(line: str, found: list[str]) -> bool:
    if not _ENDS.search(line[-12:]) or _ABBREVIATION.search(line[-30:]):
        return False
    return any(word[0].islower() and len(word) > 1 for word in found[1:]) or line.endswith("!")


def _longest_small_run(found: list[str]) -> int:
    longest = run = 0
    for word in found:
        run = run + 1 if word[0].islower() else 0
        longest = max(longest, run)
    return longest
