"""One greeting, one closing, no subject line: the house sets its frame itself, exactly once."""

import re
from collections.abc import Iterator

from swarm.patterns import linear
from swarm.safety.detectors.detection import rings_the_lexicon
from swarm.safety.drafts.parts import Parts
from swarm.safety.facts import facts, is_a_word_of_time

_GREETINGS = "|".join(
    (
        r"hello|hi|hey|dear|good (?:morning|afternoon|evening|day)|greetings",
        r"to whom it may concern|hallo|guten (?:tag|morgen|abend)|sehr geehrte[rs]?|moin",
        r"liebe[rs]? (?:frau|herr|kund\w{0,5})|gr\u00fc(?:\u00df|ss) gott|bonjour|bonsoir|salut",
        r"ch(?:er|\u00e8re) (?:client\w?|madame|monsieur|m\.|mme)|hola|estimad[oa]s?|querid[oa]",
        r"buen(?:os d\u00edas|as tardes|as noches)|buongiorno|buonasera|gentile|egregi[oa]|ciao",
        r"salve|spettabile|goede(?:ndag|morgen|middag|navond)|geachte|ol\u00e1|prezad[oa]",
        r"beste (?:klant|heer|mevrouw)|dag (?:meneer|mevrouw)|car[oa] (?:client\w|senhor\w?)",
        r"ex\.?m[oa]|bom dia|boa (?:tarde|noite)",
        r"madame, monsieur|mesdames(?:, messieurs)?|messieurs",
        r"dames en heren|meine damen und herren|se\u00f1ore?s|signor[ie]",
    )
)
_CLOSINGS = "|".join(
    (
        r"(?:(?:with )?(?:kind|best|warm|many)(?:est)? )?regards|(?:yours )?sincerely|best wishes",
        r"yours (?:faithfully|truly)|all the best|cheers|respectfully|warmly|mfg|lg",
        r"mit (?:freundlichen|besten|herzlichen) gr(?:\u00fc|ue)(?:\u00df|ss)en|hochachtungsvoll",
        r"(?:viele|beste|liebe|herzliche|freundliche|sch\u00f6ne) gr(?:\u00fc|ue)(?:\u00df|ss)e",
        r"(?:bien )?cordialement|bien \u00e0 vous|sinc\u00e8res salutations",
        r"salutations distingu\u00e9es|veuillez agr\u00e9er[^\n]{0,120}|atentamente",
        r"(?:un )?saludos?(?: cordial(?:es)?)?|(?:un )?cordial saludo|cordialmente",
        r"(?:cordiali|distinti|un cordiale|cari) salut[io]|hoogachtend|atenciosamente",
        r"(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?|com os meus cumprimentos",
        r"(?:com os )?(?:melhores )?cumprimentos",
        r"saluti|groet(?:en|jes)|best|abra\u00e7os?|abrazos?",
        r"(?:your|the|ihr|votre|su|il|uw|a sua) [^\n]{0,20}(?:team|\u00e9quipe|equipo|equip[ea])",
    )
)
# At the start of a line, and followed by a name ("Ms. Smith") and a mark, or by nothing.
_GREETING = linear(
    rf"^[ \t*_#>]{{0,8}}(?:{_GREETINGS})\b(?!-)(?:[^\n,!:.;?]{{1,12}}\.[\w ])?"
    r"(?:[^\n,!:.;?]{0,60}[,!:]|[^\n,!:.;?]{0,40}\.?$)",
    re.IGNORECASE | re.MULTILINE,
)
# "Dear Anna," or "Liebe Anna," alone on a line: with words that also begin ordinary sentences.
_SHORT_GREETING = linear(
    r"^[ \t]{0,8}(?:liebe[rs]?|lieve|beste|cher|ch\u00e8re|car[oa]|dag)"
    r" (?-i:[A-Z\u00c0-\u00de])[^\n,!:.;?]{0,40}[,!:][ \t]{0,8}$",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSING = linear(
    rf"^[ \t*_]{{0,8}}(?:{_CLOSINGS})[ \t*_]{{0,8}}(?:[,.!][^\n,.!?]{{0,40}})?$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADER = linear(
    r"^[ \t*_>]{0,8}(?:subject|subject line|betref(?:f|t)|betr\.?|objet|sujet|concerne|asunto"
    r"|oggetto|onderwerp|assunto|re|aw"
    r"|fwd?|wg|from|sent|to|cc|bcc|von|gesendet|de|\u00e0|para|da|aan)[ \t*_]{0,8}:"
    r"[ \t*_]{0,8}\S",
    re.IGNORECASE | re.MULTILINE,
)
_MOST_NAMES = 5


def frame(parts: Parts) -> Iterator[str]:
    """Say what stands in the reply that belongs to its frame."""
    if _GREETING.search(parts.said) or _SHORT_GREETING.search(parts.said):
        yield "the reply greets a second time"
    if _CLOSING.search(parts.said):
        yield "the reply closes a second time"
    if _HEADER.search(parts.said):
        yield "a subject line or header stands in the reply"
    if not parts.greeting:
        yield "the reply has no frame of greeting and closing"
    elif not _greets_a_name(parts.greeting):
        yield "what is greeted does not look like a name"


def _greets_a_name(greeting: str) -> bool:
    """A display name is the sender's own text: it may insult, state or promise."""
    harmless = not rings_the_lexicon(greeting)
    # "Domenica" and "April" are names, too; whether this one is the customer's, ES-07 asks.
    stated = [f for f in facts(greeting) if not is_a_word_of_time(f, greeting)]
    return harmless and not stated and len(greeting.split()) <= _MOST_NAMES + 2
