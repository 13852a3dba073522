"""Text that speaks to a machine: overrides, role play, hidden or encoded orders, canaries (ES-13).

``certain`` findings make a mail unjudgeable and escalate it; every other finding raises the tier to
REVIEW. Phrases are in ``detectors/lexicon/injection.txt``; here are the shapes no phrase shows:
chat delimiters, flooding, encodings (decoded once and read again), invisible characters.
Taking hidden text out of a mail is intake's work; whether it is hidden is not asked here.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from urllib.parse import unquote

from swarm.models import LONGEST_JUDGED, TextSpan
from swarm.patterns import linear
from swarm.safety.lexicon import load
from swarm.safety.matching import Matcher
from swarm.safety.words import words_of

VERSION = "1"
_EXCERPT = 120
_CERTAIN = "certain"
_REMEMBERED = 64  # texts: what stands in a mail is asked about ten times on its way

_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("certain: chat delimiter", linear(
        r"<\|[^|<>\n]{1,40}\|?>|\[/?INST\]|<</?SYS>>|<start_of_turn>|\|im_(?:start|end)\||"
        r"##\s{0,4}\(?(?:system|instruction|assistant|user|human|response|end)(?:\b|_)|"
        r"</?(?:system|instructions?|information|assistant|prompt|user_input|data|document)\s{0,4}>|"
        r"^\s{0,8}(?:system|assistant|instruction|user|human|ai|pre-instructions?)\s{0,4}:|"
        r"%%%|=====\s{0,4}(?:end|begin|system)|\[\s{0,4}system\b|---\s{0,4}(?:end|begin)\b",
        re.IGNORECASE | re.MULTILINE,
    )),
    ("certain: active or data-bearing mark-up to repeat", linear(
        r"!\[[^\]\n]{0,80}\]\(|javascript:|onerror\s{0,4}=|<script|<img\b|"
        r"[?&]\w{1,20}=(?:\[|\{|%7b|QUERY|DATA|SECRET)", re.IGNORECASE,
    )),
    ("certain: template slot", linear(
        r"\{\{[^{}\n]{1,60}\}\}|\{(?:canary|query|secret|prompt)\}")),
    ("likely: flooding", linear(r"(\S{1,12})(?:[ \t\n]{1,4}\1){19}")),
    ("likely: bracket flooding", linear(r"(?:[\])}>\"'`;/*|][ \t]{0,3}){24}")),
    ("certain: invisible tag characters", linear("[\U000e0001-\U000e007f]{2}")),
    ("likely: hidden writing direction", linear("[\u202a\u202b\u202d\u202e\u2066-\u2068]")),
    ("likely: invisible characters", linear("(?:[\u200b\u200c\u200d\u2060\ufeff]\\S?){4}")),
    ("likely: a note to whoever processes this", linear(r"^\s{0,8}TODO\s{0,4}:", re.MULTILINE)),
    ("likely: box drawing", linear("[\u2550-\u256c]{10}")),
)  # fmt: skip

_HEX_SPACING = linear(r"[ :]")
_CODE = linear(r"\\(?:u|x)([0-9a-fA-F]{2,4})")
_BASE64 = linear(r"[A-Za-z0-9+/]{24,4096}={0,2}")
_HEX = linear(r"(?:[0-9a-fA-F]{2}[ :]?){16,2048}")
_ESCAPES = linear(r"(?:\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}){6,2048}")
_ADDRESS = linear(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,63}|https?://")
_END_OF_LATIN = "\u0250"
_PERCENT = linear(r"(?:[\w.~-]{0,40}%[0-9a-fA-F]{2}){4,512}")


@lru_cache(maxsize=_REMEMBERED)
def scan(text: str) -> tuple[TextSpan, ...]:
    """Find instruction-like places of ``text``; labels start with ``certain:`` or ``likely:``.

    A text too long to be read in time is one such place: what it says is not known.
    """
    if len(text) > LONGEST_JUDGED:
        return (_span(text, 0, len(text), "certain: too long to be judged"),)
    spans = [*_phrases(text), *_shapes(text), *_encoded(text), *_foreign_script(text)]
    return tuple(sorted(spans, key=lambda span: (span.start, span.end, span.label)))


def certain(text: str) -> bool:
    """Whether some place of ``text`` is instruction-like beyond doubt."""
    return any(is_certain(span) for span in scan(text))


def is_certain(span: TextSpan) -> bool:
    """Whether a finding of :func:`scan` is beyond doubt."""
    return span.label.startswith(_CERTAIN)


@cache
def _matcher() -> Matcher:
    return Matcher(load("injection"))


def _phrases(text: str) -> Iterator[TextSpan]:
    for hit in _matcher().hits(words_of(text)):
        yield _span(text, hit.start, hit.end, f"{hit.phrase.family}: {hit.phrase.label}")


def _shapes(text: str) -> Iterator[TextSpan]:
    for label, shape in _SHAPES:
        found = shape.search(text)
        if found:
            yield _span(text, found.start(), found.end(), label)


def _foreign_script(text: str) -> Iterator[TextSpan]:
    """An address in a script no lexicon reads: where something should go, but not what."""
    address = _ADDRESS.search(text)
    letters = sum(c.isalpha() for c in text)
    latin = sum(c.isalpha() and c < _END_OF_LATIN for c in text)
    if address and latin < letters - latin:
        yield _span(text, address.start(), address.end(), "likely: an address in unread script")


def _encoded(text: str) -> Iterator[TextSpan]:
    """Decode what looks encoded and read it once; a blob inside a blob is not chased."""
    for shape, decode in (
        (_BASE64, _from_base64),
        (_HEX, _from_hex),
        (_ESCAPES, _from_escapes),
        (_PERCENT, unquote),
    ):
        for blob in shape.finditer(text):
            plain = decode(blob.group())
            if plain != blob.group() and any(_phrases(plain)):
                yield _span(text, blob.start(), blob.end(), "certain: encoded instructions")


def _from_base64(blob: str) -> str:
    try:
        return base64.b64decode(blob + "=" * (-len(blob) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _from_hex(blob: str) -> str:
    digits = _HEX_SPACING.sub("", blob)
    return bytes.fromhex(digits).decode("utf-8", "replace")


def _from_escapes(blob: str) -> str:
    codes = _CODE.findall(blob)
    return "".join(chr(int(code, 16)) for code in codes)


def _span(text: str, start: int, end: int, label: str) -> TextSpan:
    return TextSpan(start=start, end=end, label=label, excerpt=text[start:end][:_EXCERPT])
