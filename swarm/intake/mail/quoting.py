"""What the sender wrote now, apart from the history quoted below or between. Plain text in and out.

A line scanner of our own: it looks at each line a bounded number of times, so hostile input costs
linear time. The libraries that do this backtrack for seconds on 1 MB of ``>`` (numbers: README.md).
"""

# ruff: noqa: E501, RUF001 - word lists of many languages, one group a line

import re
from dataclasses import dataclass

from swarm.patterns import linear

WINDOW = 4  # an attribution ("On ... wrote:") is wrapped over at most this many lines
LONGEST_ATTRIBUTION = 320
HEADER_WINDOW = 8  # From/Sent/To/Cc/Subject, some of them wrapped
LOOK = 400  # characters of a line that patterns see


@dataclass(frozen=True, slots=True)
class Split:
    """A body in two: ``text`` by the sender, ``quoted`` from earlier mails."""

    text: str
    quoted: str


def split_quotes(body: str) -> Split:
    """Take quoted history out. A body that is nothing but history is the text itself (a forward)."""
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    own, quoted = _divide(lines)
    text = _joined(own)
    if not text and (inner := _joined(_without_headers(quoted))):
        return Split(inner, "")
    return Split(text, _joined(quoted))


# --- scanning -------------------------------------------------------------------------------------


def _divide(lines: list[str]) -> tuple[list[str], list[str]]:
    own: list[str] = []
    quoted: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        if _is_quoted(line):
            quoted.append(line)
            index += 1
        elif length := _attribution(lines, index):
            quoted.extend(lines[index : index + length])
            index += length
            if not _next_is_quoted(lines, index) and _has_text(own):
                quoted.extend(lines[index:])
                break
        elif _starts_history(lines, index):
            _hand_over_separators(own, quoted)
            quoted.extend(lines[index:])
            break
        else:
            own.append(line)
            index += 1
    return own, quoted


def _joined(lines: list[str]) -> str:
    return _MANY_BREAKS.sub("\n\n\n", "\n".join(line.rstrip() for line in lines)).strip()


def _has_text(lines: list[str]) -> bool:
    return any(line.strip() for line in lines)


def _hand_over_separators(own: list[str], quoted: list[str]) -> None:
    """A rule drawn right above the history belongs to the history."""
    moved: list[str] = []
    while own and (not own[-1].strip() or _RULE.fullmatch(own[-1].strip()[:LOOK])):
        moved.append(own.pop())
    quoted.extend(reversed(moved))


def _is_quoted(line: str) -> bool:
    return _QUOTE_PREFIX.match(line[:LOOK]) is not None


def _next_is_quoted(lines: list[str], index: int) -> bool:
    for line in lines[index : index + WINDOW]:
        if line.strip():
            return _is_quoted(line)
    return False


def _without_headers(lines: list[str]) -> list[str]:
    """The body of a forwarded mail: without quote marks, separators and its header block."""
    bare = [_QUOTE_MARKS.sub("", line) if _is_quoted(line) else line for line in lines]
    index = 0
    while index < len(bare):
        line = bare[index].strip()
        wrapped = (
            index > 0 and bool(bare[index - 1].strip()) and _label(bare[index - 1]) is not None
        )
        heading = not line or wrapped or _label(line) or _RULE.fullmatch(line[:LOOK])
        if not heading and not _TITLE.search(line[:LOOK]) and not _attribution(bare, index):
            break
        index += 1
    return bare[index:]


# --- "On Monday, Ada wrote:" ----------------------------------------------------------------------

_MANY_BREAKS = linear(r"\n{4,}")
_QUOTE_MARKS = linear(r"^[\s>|]{1,40}")
_FIGURE_OR_ADDRESS = linear(r"\d|@")
_QUOTE_PREFIX = linear(r"\s{0,3}(?:>|\|(?:\s|$)|[A-Z]{1,3}>(?:\s|$))")

_WROTE = (
    r"wrote|writes|schrieb|geschrieben|a écrit|escribi[oó]|ha scritto|scriveva|schreef|skrev|skreiv"
    r"|napisał(?:a|\(a\))?|pisze|escreveu|написала?|написал\(а\)|пишет|написав|napsal(?:a|\(a\))?"
    r"|kirjoitti|yazdı|írta|a scris|έγραψε|menulis|va escriure|je napisao|napísal|đã viết"
    r"|写道|寫道|のメール|書きました|작성"
)
_INTRO = (
    r"on|am|le|el|il|op|em|no dia|på|den|dnia|w dniu|dne|dňa|den|ma|em|a|tra|το|στις|pada|vào|kl"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so)[.,]"
    r"|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|w|в"
)
_STARTS_ATTRIBUTION = linear(rf"\A[\s*_>-]{{0,4}}(?:(?:{_INTRO})\b|\d{{1,4}}\D)", re.IGNORECASE)
_ENDS_WITH_VERB = linear(
    rf"(?:^|\W|님이 )(?:{_WROTE})[\s*_\xa0]{{0,3}}[:：]?[\s*_]{{0,3}}$", re.IGNORECASE
)
_HAS_VERB = linear(rf"(?:^|\W)(?:{_WROTE})(?:\W|$)", re.IGNORECASE)
_DATED_ADDRESS = linear(
    r"\A(?=[^<]{0,150}\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\D|[^<]{0,150}\d{1,2}:\d\d\D[^<]{0,60}\d{4}\D"
    r"|[^<]{0,150}\d{4}\D[^<]{0,60}\d{1,2}:\d\d\D)[^<]{3,200}<\s?[^<>\s]{2,80}@[^<>\s]{2,80}>:?\s{0,3}$"
)


_ENDINGS = (":", "：", ">", "--")


def _attribution(lines: list[str], index: int) -> int:
    """Return how many lines from here form an attribution; 0 for none."""
    first = lines[index][:LOOK]
    if not first.strip():
        return 0
    many = WINDOW if _STARTS_ATTRIBUTION.match(first) else 1
    joined = ""
    for length, line in enumerate(lines[index : index + many], start=1):
        if not line.strip() or len(joined) + len(line) > LONGEST_ATTRIBUTION:
            return 0
        joined = f"{joined} {line.strip()}".strip()
        if line.rstrip("*_ \xa0").endswith(_ENDINGS) and _is_attribution(
            joined, wrapped_start=many > 1
        ):
            return length
    return 0


def _is_attribution(text: str, *, wrapped_start: bool) -> bool:
    if not _FIGURE_OR_ADDRESS.search(text):
        return False
    ends = text.rstrip("*_ \xa0")
    dashed = text.startswith("--") and ends.endswith("--")
    if _ENDS_WITH_VERB.search(text[-80:].rstrip("-")) and (dashed or ends.endswith((":", "："))):
        return True
    if wrapped_start and ends.endswith(":") and _HAS_VERB.search(text):
        return True
    return _DATED_ADDRESS.match(text) is not None


# --- "-----Original Message-----" and "From: ... Sent: ..." ---------------------------------------

_RULE = linear(r"[-_=*~\u2013\u2014#\s]{3,}")
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
_LABELS = {
    "from": "from|message du|von|de|da|van|från|fra|od|lähettäjä|от|от кого|від|差出人|发件人|寄件者|보낸 사람|kimden|feladó",
    "date": "sent|date|gesendet|datum|envoyé|enviado|enviada em|fecha|data|inviato|verzonden|skickat|sendt"
    "|dato|wysłano|odesláno|дата|отправлено|lähetetty|päiväys|送信日時|日付|发送时间|日期|보낸 날짜|gönderildi|elküldve",
    "to": "to|an|à|para|a|aan|till|til|do|komu|кому|vastaanottaja|宛先|收件人|받는 사람|kime|címzett|cc|kopie",
    "subject": "subject|betreff|objet|sujet|asunto|assunto|oggetto|onderwerp|ämne|emne|temat|předmět|тема|aihe"
    "|件名|主题|제목|konu|tárgy",
    "reply": "reply-to|antwort an|risposta|répondre à|responder a",
}
_LABEL = linear(
    r"\A[\s>*_]{0,6}(?:"
    + "|".join(f"(?P<{kind}>{words})" for kind, words in _LABELS.items())
    + r")\s?[*_]{0,2}\s?[:：][*_]{0,2}(?:\s|$|\S)",
    re.IGNORECASE,
)


def _label(line: str) -> str | None:
    found = _LABEL.match(line[:LOOK])
    return found.lastgroup if found else None


def _starts_history(lines: list[str], index: int) -> bool:
    line = lines[index][:LOOK].strip()
    if not line:
        return False
    if _TITLE.match(line) and (line[0] in "-_=>*" or line.endswith(":") or _RULE_SIDES.match(line)):
        return True
    return _label(line) in ("from", "date", "subject") and _header_block(lines, index)


_RULE_SIDES = linear(r"\A[-_=]{2}.{1,380}[-_=]{2}$")


def _header_block(lines: list[str], index: int) -> bool:
    """Whether a block of mail headers begins here: three kinds of label, or sender and date."""
    kinds: set[str] = set()
    for line in lines[index : index + HEADER_WINDOW]:
        kind = _label(line)
        if kind is None and not line.strip() and len(kinds) > 1:
            break
        if kind is not None:
            kinds.add(kind)
    return len(kinds) >= 3 or kinds >= {"from", "date"}  # noqa: PLR2004 - as the docstring says
