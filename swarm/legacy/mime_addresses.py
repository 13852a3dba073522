"""The addresses of a raw header: whose they are, and nobody's where that cannot be told.

An address is looked for before anything is decoded: what an encoded word or quotes hold is a name
or a remark, whatever signs of an address are in it (RFC 2047, 5 and 6.2). So these are veiled
first, and looked into only where no place for an address stands outside. An address counts whole or
not at all: a part of a longer one is somebody else's. Not ``email.utils.getaddresses``: it joins
what remarks part, takes parts of what it cannot read, and recurses over every open parenthesis.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from swarm.legacy.mime_headers import ENCODED_WORD, MAX_HEADER, decode_header, unfolded
from swarm.patterns import linear

_LONGEST_ADDRESS = 320  # RFC 5321
_MOST_ADDRESSES = 500

_PLAIN = r"[^\s<>\"@\x00;:,()\[\]\\]"
_HOST = r"[^\s<>\"@\x00;:,()\[\]\\?/=!#$%&*+{}|~^`']"
_SHAPE = linear(
    rf"(?:\"[^\"\r\n\x00]{{1,80}}\"|{_PLAIN}{{1,80}})@(?:{_HOST}{{1,255}}|\[[\w.:]{{1,60}}\])"
)
_BARE = linear(r"[\w.+%='-]{1,64}@[\w.-]{1,255}")
_SCHEME = linear(r"(?:mailto|smtp):", re.IGNORECASE)
_ROUTE = linear(r"@[^:<>\s]{1,320}:")
_ROUND_SIGNS = linear(r"[ \t]{0,40}([@.])[ \t]{0,40}")
_PARTED_DOT = linear(r"[ \t]{1,40}\.[ \t]{0,40}|\.[ \t]{1,40}")
_ITEMS = linear(r"[,;]")
_COULD_BE_ONE = linear(r"[^\s@]@[^\s@]")
_HIDDEN = linear(
    ENCODED_WORD.pattern
    + r"|\\(?P<escaped>.)"
    + r"|(?P<quotes>\"(?P<quoted>(?:[^\"\\]|\\.){0,4000})\")(?P<local>[ \t]{0,9}@)?"
    + r"|\((?P<remark>(?:[^()\\]|\\.){0,4000})\)"
    + r"|(?P<torn>\")"
)
_ESCAPE = linear(r"\\(.)")
_MARK = linear(r"\x00(\d{1,5})\x00")  # no cleaned text holds a NUL
_REMARK = linear(r"\((\x00\d{1,5}\x00)\)")
_TORN = "\x00"  # stands in no address
# One between two halves joins nothing.
_LOOSE_REMARK = linear(r"(?<!\S)\(\x00\d{1,5}\x00\)|\(\x00\d{1,5}\x00\)(?!\S)")

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ReadAddresses:
    """Who stands in a header; ``doubtful``: somebody else may stand there who cannot be told."""

    pairs: Pairs = ()
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class _Veil:
    """What is hidden of a text; each piece left a mark, which stands for a word."""

    hidden: list[str] = field(default_factory=list)

    def hide(self, said: str) -> str:
        """Return the mark that stands for this."""
        self.hidden.append(said)
        return f"\x00{len(self.hidden) - 1}\x00"

    def lifted(self, text: str) -> str:
        """Return a text with what was hidden of it."""
        return _MARK.sub(lambda mark: self.hidden[int(mark[1])], text)

    def read(self, text: str) -> str:
        """Return a text as a person reads it."""
        return decode_header(self.lifted(text))


def addresses(value: str, charset: str | None = None) -> Pairs:
    """Return the (name, address) pairs of a raw header that can be told, names decoded."""
    return addresses_and_doubt(value, charset).pairs


def addresses_and_doubt(value: str, charset: str | None = None) -> ReadAddresses:
    """Return the pairs, and whether there is more in the header that cannot be told.

    Only where no sign of an address stands outside of encoded words and quotes is one looked for
    inside them: some programs encode the whole of "Ada <ada@example.org>".
    """
    cut = len(value) > MAX_HEADER
    text = unfolded(value, charset)
    if cut:  # who stands at the cut is not there in full
        text = text[: max(text.rfind(","), text.rfind(";"), 0)]
    veil = _Veil()
    text = _veiled(text, veil)
    if any(sign in text for sign in "<>@"):
        found = tuple(islice(_outside(text, veil), 2 * _MOST_ADDRESSES))
    else:
        found = tuple(pair for item in _ITEMS.split(text) for pair in _inside(item, veil))
    told = tuple(pair for pair in found if pair is not None)
    return ReadAddresses(told[:_MOST_ADDRESSES], cut or len(told) < len(found))


def one_address(said: str) -> str | None:
    """Return the address that this is, without what some programs put around one."""
    said = said.strip()
    for opened, closed in ("[]", "''"):
        if said.startswith(opened) and said.endswith(closed):
            said = said[1:-1]
    said = _SCHEME.sub("", said, count=1) if _SCHEME.match(said) else said
    return said if _is_one(said) else None


def _is_one(said: str) -> bool:
    return (
        len(said) <= _LONGEST_ADDRESS
        and _SHAPE.fullmatch(said) is not None
        and said.isprintable()  # what nobody sees would make it another one
        and not said.startswith("/")  # a path within Exchange
        and not said.endswith(".")
    )


def _veiled(text: str, veil: _Veil) -> str:
    """Hide encoded words, quotes and remarks; of quotes that never end, only the words."""
    if any(found["torn"] for found in _HIDDEN.finditer(text)):
        return ENCODED_WORD.sub(lambda word: veil.hide(word[0]), text)
    return _HIDDEN.sub(lambda found: _hidden(found, veil), text)


def _hidden(found: re.Match[str], veil: _Veil) -> str:
    if (remark := found["remark"]) is not None:
        return "(" + veil.hide(_ESCAPE.sub(r"\1", remark)) + ")"
    if found["local"]:  # the first half of an address, which may be quoted
        return veil.hide(found["quotes"]) + found["local"]
    if (quoted := found["quoted"]) is not None:
        return veil.hide(_ESCAPE.sub(r"\1", quoted))
    return veil.hide(found["escaped"] or found[0])


def _outside(text: str, veil: _Veil) -> Iterator[tuple[str, str] | None]:
    """Yield who stands in brackets or without any, in order; None for who cannot be told."""
    before, *opened = text.split("<")
    placed = False  # whether a place for an address stands before
    for number, piece in enumerate(opened, 1):
        held, closed, behind = piece.partition(">")
        if not closed and number < len(opened):  # "Ada <3 Kern <ada@example.org>"
            before += f"<{piece}"
            continue
        *others, name = _ITEMS.split(before)
        yield from _listed(others, veil, placed=placed)
        if (address := _held(held, veil)) is not None:
            yield _name(name, veil), address
        elif held.strip():
            yield None
        before, placed = behind, True
    yield from _listed(_ITEMS.split(before), veil, placed=placed)


def _listed(items: list[str], veil: _Veil, *, placed: bool) -> Iterator[tuple[str, str] | None]:
    """Yield who stands between the commas; ``placed``: the first stands behind brackets."""
    for item in items[placed:]:
        yield from _bare(item, veil)
    if placed and items and _COULD_BE_ONE.search(items[0]):
        yield None


def _name(text: str, veil: _Veil) -> str:
    """Return a name without that of the group it stands in."""
    return " ".join(veil.read(text.rpartition(": ")[2].strip("<> ")).split())


def _held(place: str, veil: _Veil) -> str | None:
    """Return the address that brackets hold: all of it hidden, or nothing but a quoted half."""
    said = _closed(_ROUTE.sub("", place, count=1) if place.startswith("@") else place)
    if not said.startswith("\x00"):
        return one_address(said)
    if _MARK.sub("", said).strip():
        return _quoted_half(said, veil)
    return one_address(veil.read(said))


def _closed(text: str) -> str:
    """Return a text without the remarks and blanks that may stand in an address.

    A blank beside a dot stands in one only behind the sign, and where there is nothing else:
    elsewhere the dot may as well end what stands before ("Dr. ada@example.org").
    """
    text = _LOOSE_REMARK.sub(" ", text)
    closed = _ROUND_SIGNS.sub(r"\1", text).strip()
    if not _PARTED_DOT.search(text):
        return closed
    mine = " " not in closed and not _PARTED_DOT.search(text.partition("@")[0])
    return closed if mine else _PARTED_DOT.sub(_TORN, text)


def _quoted_half(said: str, veil: _Veil) -> str | None:
    """Return an address whose first half, and nothing else of it, is hidden in quotes."""
    mark = _MARK.match(said)
    if mark is None or not veil.lifted(mark[0]).startswith('"'):
        return None
    domain = said[mark.end() :]
    return one_address(veil.lifted(said)) if "\x00" not in domain else None


def _bare(item: str, veil: _Veil) -> Iterator[tuple[str, str] | None]:
    """Yield the addresses among the words; None alone where one with the sign is none."""
    alone = item.rpartition(": ")[2]  # without the name of a group
    words = _closed(alone).replace("<", " ").replace(">", " ").split()
    signed = [word for word in words if "@" in word]
    if not signed and not _MARK.sub("", alone).strip():
        hidden = one_address(veil.read(alone))
        yield from [("", hidden)] if hidden is not None else []
        return
    found = [_word(word, veil, alone=len(words) == 1) for word in signed]
    told = [address for address in found if address is not None]
    if len(told) == len(found):
        name = " ".join(veil.read(remark) for remark in _REMARK.findall(alone))
        yield from ((name, address) for address in dict.fromkeys(told))
    elif any(_COULD_BE_ONE.search(word) for word in signed):
        yield None


def _word(word: str, veil: _Veil, *, alone: bool) -> str | None:
    if word.startswith("\x00"):
        return _quoted_half(word, veil) if alone else None
    address = one_address(word)
    return address if address is not None and (alone or _BARE.fullmatch(address)) else None


def _inside(item: str, veil: _Veil) -> tuple[tuple[str, str] | None, ...]:
    """Look into what is hidden: it is an address, a name with one, or a remark that holds one."""
    said = veil.read(item)
    whole = not _MARK.sub("", item).strip()
    if whole and (address := one_address(said)) is not None:
        return (("", address),)
    # Some programs encode only from the first letter on that is not ASCII.
    if "<" in said and (whole or veil.lifted(item).rstrip().endswith("?=")):
        below = _Veil()
        found = tuple(_outside(_veiled(said, below), below))
    else:
        remarks = (veil.read(remark) for remark in _REMARK.findall(item))
        found = tuple(pair for remark in remarks for pair in _bare(remark, _Veil()))
    return found if len(found) == 1 else ()
