"""A ticket system's mark: "##- Please type your reply above this line -##".

Seen by its shape in any language, a sentence between rules; or by its words, in the languages that
are read. With a mark that is made of the words of such a request alone, in one language, nobody
says anything else.
"""

# ruff: noqa: E501 - word lists of many languages, one a line

from swarm.patterns import linear

_LONGEST = 400  # characters
_FEWEST_WORDS = 4
_WIDE = 0x2E80  # from here on scripts set no blanks
_RULES = "-_=~#\u2013\u2014 \t"
_BETWEEN_RULES = linear(r"\A[-_=~#\u2013\u2014]{2}(.{1,380})[-_=~#\u2013\u2014]{2}\Z")
_FIGURE = linear(r"\d")

_WORD = linear(r"[^\W\d_]{1,30}(?:-[^\W\d_]{1,30})?")
_PLAIN = linear(r"[\s.,:;!()'\u2019\"-]*")

# The words of a mark, a language a line: the line, where above it, and what else a request is made
# of. None of them deletes, ends or denies anything.
_MARKS = """
line | above over | please kindly type write enter add put reply respond answer your a response comment comments message to this the email e-mail ticket text by
zeile linie | oberhalb über | bitte schreiben tippen antworten beantworten sie ihre eine antwort nachricht dieser diese
ligne | au-dessus dessus | veuillez merci de répondre écrire saisir taper votre réponse message cette la
línea linea | encima arriba | por favor escriba escribe responda responder conteste su tu una respuesta mensaje de esta la
riga linea | sopra | si prega per favore di scrivere scriva scrivi rispondere risponda rispondi la sua tua vostra risposta messaggio al questa
regel lijn | boven bovenaan | gelieve graag aub alstublieft typ typen schrijf schrijven antwoord antwoorden reageer reageren uw je reactie bericht te deze de
linha | acima | por favor escreva digite responda a sua resposta mensagem desta da
"""
_LANGUAGES = tuple(
    tuple(frozenset(words.split()) for words in language.split("|"))
    for language in _MARKS.strip().splitlines()
)


def between_rules(line: str) -> str:
    """Return what a line says between rules ("-- so --"); empty: no rules stand around it, or it
    is longer than a line of a mail that anybody reads.
    """
    line = line.strip()
    found = _BETWEEN_RULES.match(line) if len(line) <= _LONGEST else None
    return found[1].strip(_RULES) if found else ""


def reply_above(line: str) -> bool:
    """Whether a sentence stands between rules, as ticket systems ask to reply above a line.

    A heading is shorter, or capitalised; figures make it a heading, too. Not so where it says no
    more than a mark does.
    """
    said = between_rules(line)
    words = said.split()
    lowered = sum(not word[:1].isupper() for word in words)
    wide = any(ord(letter) > _WIDE for letter in said) and len(said) >= 2 * _FEWEST_WORDS
    sentence = 2 * lowered >= len(words) and not _FIGURE.search(said)
    return (sentence and (wide or len(words) >= _FEWEST_WORDS)) or says_no_more(line)


def says_no_more(line: str) -> bool:
    """Whether a line between rules asks in its own few words to reply above it."""
    said = between_rules(line).casefold()
    words = frozenset(_WORD.findall(said))
    if not _PLAIN.fullmatch(_WORD.sub("", said)):
        return False
    return any(
        words <= place | above | request and words & place and words & above
        for place, above, request in _LANGUAGES
    )
