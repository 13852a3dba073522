"""Foreign bytes to characters: what is said of them, what they look like, cp1252 in the end.

For mails and for the text files attached to them. What a text then says is asked elsewhere.
"""

import codecs

from charset_normalizer import from_bytes

FEWEST = 48  # bytes; below, the detector finds EBCDIC in "Größe"
SAMPLE = 16_384  # bytes shown to the charset detector, which takes about 1 s per MB

# Browsers and mail programs read these as their Windows supersets (WHATWG encoding standard).
_WIDER = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252",
          "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949",
          "euc-kr": "cp949", "iso-8859-8-i": "iso-8859-8", "x-sjis": "cp932", "shift_jis": "cp932",
          "iso-8859-9": "cp1254", "unicode-1-1-utf-7": "utf-7"}  # fmt: skip

_MAIL_CHARSETS = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r",
    "cp932", "euc_jp", "gb18030", "big5", "cp949",
)  # fmt: skip

# Codecs of Python that nobody writes a mail in; the first takes the square of the time.
_NO_TEXT = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape"})

_WIDE = ("utf-16", "utf16", "utf-32", "utf32", "ucs-")


def decode_bytes(data: bytes, declared: str | None, *, guess: bool = True) -> str:
    """Decode with UTF-8, the declared charset, the detector, then cp1252: whichever fits first.

    Text that happens to be valid UTF-8 beyond ASCII is UTF-8, whatever the mail says, unless it
    says it in a multi-byte charset of its own. Without ``guess`` the detector is not asked.
    """
    name = (declared or "").strip().strip("\"'").lower()
    if name.startswith(_WIDE) and 0 not in data:  # a line end alone would have a zero byte
        name = ""
    multibyte = name.startswith(("utf-", "iso-2022", "euc", "gb", "big5", "shift", "ks_c", "hz"))
    order = [name, "utf-8"] if multibyte else ["utf-8", name]
    if data.isascii() and name not in ("", "us-ascii", "ascii", "utf-8"):
        order = [name, "utf-8"]
    for charset in order:
        try:
            return data.decode(_codec(_WIDER.get(charset, charset) or "utf-8"))
        except (LookupError, ValueError):
            continue
    return data.decode(_detected(data) if guess else "cp1252", "replace")


def _codec(charset: str) -> str:
    """Return Python's name of a charset; raises ``LookupError`` for what is none."""
    name = codecs.lookup(charset).name
    if name.replace("_", "-") in _NO_TEXT:
        raise LookupError(charset)
    return name


def _detected(data: bytes) -> str:
    """Ask the detector among charsets that mail is written in; few bytes are no evidence."""
    if len(data) < FEWEST:
        return "cp1252"
    guess = from_bytes(data[:SAMPLE], cp_isolation=list(_MAIL_CHARSETS)).best()
    return guess.encoding if guess is not None else "cp1252"


def clean(text: str) -> str:
    """Drop what no text column can hold: U+0000 and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
