"""The addresses of a raw header: whose they are, and nobody's where that cannot be told.

An address is parsed before anything is decoded: what an encoded word or quotes hold is a name or a
remark, whatever signs of an address are in it (RFC 2047, 5 and 6.2). So these are veiled first, and
looked into only where no place for an address stands outside. An address counts whole or not at
all: a part of a longer one is somebody else's.
"""

import re
from dataclasses import dataclass, field
from email.utils import getaddresses

from swarm.legacy.mime_headers import ENCODED_WORD, decode_header, unfolded
from swarm.patterns import linear

LONGEST_ADDRESS = 320  # RFC 5321
_MOST_ADDRESSES = 500

_SHAPE = linear(r"(?:\"[^\"\r\n\x00]{1,80}\"|[^\s<>\"@\x00]{1,80})@[^\s<>\"@\x00]{1,255}")
_BARE = linear(r"[\w.+%'-]{1,64}@[\w.-]{1,255}")
_APART = linear(r"[\s,;:()\[\]{}<>\"]")
_ROUND_SIGNS = linear(r"[ \t]{0,40}([@.])[ \t]{0,40}")
_PLACES = linear(r"([,;:<>])")
_ITEMS = linear(r"[,;]")
_HIDDEN = linear(
    ENCODED_WORD.pattern
    + r"|\\(?P<escaped>[\\\"])"
    + r"|\"(?P<quoted>(?:[^\"\\]|\\.){0,4000})\"(?P<local>[ \t]{0,9}@)?"
    + r"|\((?P<remark>(?:[^()\\]|\\.){0,4000})\)"
    + r"|(?P<torn>\")"
)
_ESCAPE = linear(r"\\(.)")
_MARK = linear(r"\x00(\d{1,5})\x00")  # no cleaned text holds a NUL
_MARKED_REMARK = linear(r"\((\x00\d{1,5}\x00)\)")

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Veil:
    """What is hidden of a text; each piece left a mark, which the grammar takes for a word."""

    hidden: list[str] = field(default_factory=list)

    def hide(self, said: str) -> str:
        """Return the mark that stands for this."""
        self.hidden.append(self.lifted(said))
        return f"\x00{len(self.hidden) - 1}\x00"

    def lifted(self, text: str) -> str:
        """Return a text with what was hidden of it."""
        return _MARK.sub(lambda mark: self.hidden[int(mark[1])], text)

    def read(self, text: str) -> str:
        """Return a text as a person reads it."""
        return decode_header(self.lifted(text))


def addresses(value: str, charset: str | None = None) -> Pairs:
    """Return the (name, address) pairs of a raw header, names decoded.

    Only where no sign of an address stands outside of encoded words and quotes is one looked for
    inside them: some programs encode the whole of "Ada <ada@example.org>".
    """
    veil = _Veil()
    text = _veiled(unfolded(value, charset), veil)
    found = _outside(text, veil)
    if not (found or any(sign in text for sign in "<>@")):
        found = [pair for item in _ITEMS.split(text) for pair in _inside(item, veil)]
    return tuple(found[:_MOST_ADDRESSES])


def _veiled(text: str, veil: _Veil) -> str:
    """Hide encoded words, quotes and remarks; of quotes that never end, only the words."""
    torn = any(found["torn"] for found in _HIDDEN.finditer(text))
    if torn:
        text = ENCODED_WORD.sub(lambda word: veil.hide(word[0]), text)
    else:
        text = _HIDDEN.sub(lambda found: _hidden(found, veil), text)
    return _placed(text, veil)


def _hidden(found: re.Match[str], veil: _Veil) -> str:
    if found["local"]:  # the first half of an address, which may be quoted
        return found[0]
    if (remark := found["remark"]) is not None:
        return "(" + veil.hide(_ESCAPE.sub(r"\1", remark)) + ")"
    if (quoted := found["quoted"]) is not None:
        return veil.hide(_ESCAPE.sub(r"\1", quoted))
    return veil.hide(found["escaped"] or found[0])


def _placed(text: str, veil: _Veil) -> str:
    """Hide what looks like an address beside a place for one; show what fills such a place."""
    pieces = ["", *_PLACES.split(text), ""]
    for at in range(1, len(pieces), 2):
        before, said, after = pieces[at - 1], pieces[at], pieces[at + 1]
        if (before, after) == ("<", ">"):
            within = veil.read(said)
            pieces[at] = within if _is_one(within) else said
        elif before == ">" or after in ("<", ":"):  # a name, or that of a group
            pieces[at] = veil.hide(said) if said.lstrip().find("@") > 0 else said
    return "".join(pieces)


def _outside(text: str, veil: _Veil) -> list[tuple[str, str]]:
    """Return what the grammar finds, or else what stands where an address should."""
    # The grammar also joins what blanks part: "ada@x.example Kern" to "ada@x.exampleKern".
    closed = _ROUND_SIGNS.sub(r"\1", _MARKED_REMARK.sub("", text))
    found = getaddresses([text])[: 2 * _MOST_ADDRESSES] if text else []
    pairs = [
        (veil.read(name), address.strip())
        for name, address in found
        if _is_one(address.strip()) and address.strip() in closed
    ]
    if pairs:
        return pairs
    said = _in_brackets(text, veil) if "<" in text else _bare(text)
    return [("", address) for address in dict.fromkeys(said)]


def _in_brackets(text: str, veil: _Veil) -> list[str]:
    """Return what the brackets hold; nothing where one of them holds no address."""
    opened = [piece.partition(">") for piece in text.split("<")[1:]]
    held = [said for said, end, _ in opened if end] or [opened[-1][0]]
    found = [veil.read(said) for said in held]
    return found if all(_is_one(said) for said in found) else []


def _bare(text: str) -> list[str]:
    """Return the addresses among the words; nothing where one with the sign is none."""
    found = [word.strip("'") for word in _APART.split(text) if "@" in word]
    return found if all(_BARE.fullmatch(word) for word in found) else []


def _is_one(said: str) -> bool:
    return len(said) <= LONGEST_ADDRESS and _SHAPE.fullmatch(said) is not None


def _inside(item: str, veil: _Veil) -> list[tuple[str, str]]:
    """Look into what is hidden: it is an address, a name with one, or a remark that holds one."""
    said = veil.read(item)
    whole = not _MARK.sub("", item).strip()
    if whole and _is_one(said):
        return [("", said)]
    # Some programs encode only from the first letter on that is not ASCII.
    if "<" in said and (whole or veil.lifted(item).rstrip().endswith("?=")):
        below = _Veil()
        found = _outside(_veiled(said, below), below)
    else:
        remarks = (veil.read(remark) for remark in _MARKED_REMARK.findall(item))
        found = [("", address) for remark in remarks for address in _bare(remark)]
    return found if len(found) == 1 else []
