"""Where an earlier mail begins: attribution lines, titles, blocks of mail headers.

By shape first, which is the same in every language: an address, a date and a colon; labels with
values one below the other. Lists of words are the second way in, for heads that show no address or
no date. The marks of ticket systems are in ``reply_mark``; what follows from a head is ``quoting``'s.
"""

# ruff: noqa: E501, RUF001 - word lists of many languages, one group a line

import re
from collections.abc import Sequence
from functools import lru_cache

from swarm.intake.mail.reply_mark import between_rules
from swarm.patterns import linear

WINDOW = 4  # an attribution ("On ... wrote:") is wrapped over at most this many lines
LONGEST_ATTRIBUTION = 320
HEADER_WINDOW = 8  # From/Sent/To/Cc/Subject, some of them wrapped
LOOK = 400  # characters of a line that patterns see
RULE = linear(r"[-_=*~\u2013\u2014#\s]{3,}")

_FEWEST_LABELS = 3
_SENDER_WITHIN = 2  # lines of a header block; the address of who wrote it stands first
_MOST_LABEL_WORDS = 4

_ADDRESS = linear(r"[^\s<>@:;,()\[\]]{1,64}@[\w-]{1,63}\.[\w.-]{1,63}")
_BRACKETED = linear(r"[<\[(](?:mailto:)?\s?[^<>\s@]{1,64}@[^<>\s@]{2,80}[>\])]")
_NUMBERS = linear(r"\d{1,12}")
_NUMERIC_DATE = linear(r"(?<!\d)\d{1,4}[-/.]\s?\d{1,2}[-/.]\s?\d{1,4}(?!\d)")
_CLOCK = linear(r"(?<!\d)\d{1,2}\s?[:.h時时시]\s?\d\d(?!\d)")
_YEAR = 4  # digits

# --- "On Monday, Ada wrote:" ----------------------------------------------------------------------

_WROTE = (
    r"wrote|writes|schrieb|geschrieben|a écrit|escribi[oó]|ha scritto|scriveva|schreef|skrev|skreiv"
    r"|napisał(?:a|\(a\))?|pisze|escreveu|написала?|написал\(а\)|пишет|написав|napsal(?:a|\(a\))?"
    r"|kirjoitti|yazdı|írta|a scris|έγραψε|menulis|va escriure|je napisao|napísal|đã viết"
    r"|写道|寫道|のメール|書きました|작성"
)
_ENDS_WITH_VERB = linear(
    rf"(?:^|\W|님이 )(?:{_WROTE})[\s*_\xa0]{{0,3}}[:：]?[\s*_]{{0,3}}$", re.IGNORECASE
)
_HAS_VERB = linear(rf"(?:^|\W)(?:{_WROTE})(?:\W|$)", re.IGNORECASE)
_FIRST_PERSON = linear(r"\b(?:I|ich|j[\u2019']ai|ik)\b")  # "On 2 May I wrote:" is said
_ENDS_IN_ADDRESS = linear(r"<\s?[^<>\s]{2,80}@[^<>\s]{2,80}>:?\s{0,3}$")
_ENDINGS = (":", "：", ">", "--")
_MAY_BEGIN = linear(r"[\d@<\[]")


def attribution(lines: Sequence[str], index: int, *, quote_follows: bool = False) -> int:
    """Return how many lines from here form an attribution; 0 for none.

    ``quote_follows`` is what the caller knows of the lines below a head of one line: there a name
    and a date are enough.
    """
    first = lines[index][:LOOK]
    if not first.strip():
        return 0
    many = WINDOW if _MAY_BEGIN.search(first) else 1
    for length in range(1, many + 1):
        joined = _wrapped(lines, index, length)
        if joined is None:
            return 0
        if _is_attribution(joined, quote_follows=quote_follows):
            return 0 if _begins_later(lines, index, length) else length
    return 0


def _wrapped(lines: Sequence[str], index: int, length: int) -> str | None:
    part = lines[index : index + length]
    if len(part) < length or any(not line.strip() for line in part):
        return None
    joined = " ".join(line.strip() for line in part)
    return joined if len(joined) <= LONGEST_ATTRIBUTION else None


def _begins_later(lines: Sequence[str], index: int, length: int) -> bool:
    """Whether the attribution begins below: the line above it is the sender's own."""
    return any(
        (rest := _wrapped(lines, index + skipped, length - skipped)) is not None
        and _dated(rest)
        and _is_attribution(rest, quote_follows=False)
        for skipped in range(1, length)
    )


def _is_attribution(text: str, *, quote_follows: bool) -> bool:
    ends = text.rstrip("*_ \xa0")
    if not ends.endswith(_ENDINGS):
        return False
    dated, colon = _dated(text), ends.endswith((":", "："))
    if dated and _BRACKETED.search(text) and (colon or _ENDS_IN_ADDRESS.search(text)):
        return True
    if _FIRST_PERSON.search(text):
        return False
    if dated and colon and (quote_follows or _HAS_VERB.search(text)):
        return True
    dashed = text.startswith("--") and ends.endswith("--")
    known = _ENDS_WITH_VERB.search(text[-80:].rstrip("-")) is not None
    return known and (dashed or colon) and (dated or bool(_MAY_BEGIN.search(text)))


def _dated(text: str) -> bool:
    """Whether a date stands here: figures like 2/11/2026, or a year and a day."""
    bare = _ADDRESS.sub(" ", text)
    if _NUMERIC_DATE.search(bare):
        return True
    lengths = [len(number) for number in _NUMBERS.findall(bare)]
    return _YEAR in lengths and any(length < _YEAR - 1 for length in lengths)


# --- "-----Original Message-----" -----------------------------------------------------------------

_TITLE = linear(
    r"^\W{0,60}(?:original (?:message|e-?mail)|forwarded message|begin forwarded message"
    r"|ursprüngliche (?:nachricht|e-?mail)|originalnachricht|weitergeleitete nachricht"
    r"|anfang der weitergeleiteten|message (?:d'|d’)origine|message transféré|courriel original"
    r"|mensaje (?:original|reenviado)|messaggio (?:originale|inoltrato)|mensagem (?:original|encaminhada)"
    r"|oorspronkelijk bericht|doorgestuurd bericht|ursprungligt meddelande|vidarebefordrat meddelande"
    r"|oprindelig meddelelse|opprinnelig melding|videresendt|wiadomość oryginalna|oryginalna wiadomość"
    r"|přeposlaná zpráva|původní zpráva|alkuperäinen viesti|исходное сообщение|пересылаемое сообщение"
    r"|原始邮件|转发的邮件|元のメッセージ|転送されたメッセージ|원본 메시지)\W{0,60}$",
    re.IGNORECASE,
)


def title(line: str) -> bool:
    """Whether this line says in known words that a mail follows: "-----Original Message-----"."""
    line = line[:LOOK].strip()
    found = _TITLE.match(line) is not None
    return found and bool(line[0] in "-_=>*" or line.endswith(":") or between_rules(line))


def names_a_mail(line: str) -> bool:
    """Whether the words of such a title stand in this line, however they are set."""
    return _TITLE.search(line[:LOOK]) is not None


# --- "From: ... Sent: ..." ------------------------------------------------------------------------

_LABELS = {
    "from": "from|message du|von|de|da|van|från|fra|od|lähettäjä|от|от кого|від|差出人|发件人|寄件者|보낸 사람|kimden|feladó",
    "date": "sent|date|gesendet|datum|envoyé|enviado|enviada em|fecha|data|inviato|verzonden|skickat|sendt"
    "|dato|wysłano|odesláno|дата|отправлено|lähetetty|päiväys|送信日時|日付|发送时间|日期|보낸 날짜|gönderildi|elküldve",
    "to": "to|an|à|para|a|aan|till|til|do|komu|кому|vastaanottaja|宛先|收件人|받는 사람|kime|címzett|cc|kopie",
    "subject": "subject|betreff|objet|sujet|asunto|assunto|oggetto|onderwerp|ämne|emne|temat|předmět|тема|aihe"
    "|件名|主题|제목|konu|tárgy",
    "reply": "reply-to|antwort an|risposta|répondre à|responder a",
}
_KNOWN_LABEL = linear(
    r"\A[\s>*_]{0,6}(?:"
    + "|".join(f"(?P<{kind}>{words})" for kind, words in _LABELS.items())
    + r")\s?[*_]{0,2}\s?[:：][*_]{0,2}(?:\s|$|\S)",
    re.IGNORECASE,
)


_ANY_LABEL = linear(r"\A[\s>*_|]{0,6}([^\W\d_][^:：\n]{0,30})[:：]")


@lru_cache(maxsize=64)  # windows overlap: each line is asked about up to eight times
def label(line: str) -> str | None:
    """Return which of the known headers this line is; None for none."""
    found = _KNOWN_LABEL.match(line[:LOOK])
    return found.lastgroup if found else None


def header_block(lines: Sequence[str], index: int, own_address: str = "") -> bool:
    """Whether a block of mail headers begins here, in any language.

    ``own_address`` is the sender's: a form the sender filled in has labels and a date, too.
    """
    block = lines[index : index + HEADER_WINDOW]
    if not _any_label(block[0]):
        return False
    if label(block[0]) in ("from", "date", "subject") and _known_block(block):
        return True
    return _shaped_block(block, own_address.lower())


def _known_block(block: Sequence[str]) -> bool:
    """Three kinds of known label, or sender and date."""
    kinds: set[str] = set()
    for line in block:
        kind = label(line)
        if kind is None and not line.strip() and len(kinds) > 1:
            break
        if kind is not None:
            kinds.add(kind)
    return len(kinds) >= _FEWEST_LABELS or kinds >= {"from", "date"}


def _shaped_block(block: Sequence[str], own_address: str) -> bool:
    """Labels one below the other, of which one of the first holds an address, another a date."""
    labelled: list[str] = []
    for line in block:
        if not line.strip():
            break
        if _any_label(line):
            labelled.append(line[:LOOK])
    if len(labelled) < _FEWEST_LABELS or not any("@" in line for line in labelled):
        return False
    timed = any(_CLOCK.search(line.partition(":")[2]) and _dated(line) for line in labelled)
    if not timed:
        return False
    sender = next((a[0] for line in labelled[:_SENDER_WITHIN] if (a := _ADDRESS.search(line))), "")
    return bool(sender) and sender.lower() != own_address


@lru_cache(maxsize=64)
def _any_label(line: str) -> bool:
    found = _ANY_LABEL.match(line[:LOOK])
    return found is not None and len(found[1].split()) <= _MOST_LABEL_WORDS
