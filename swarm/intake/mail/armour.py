"""Machine-made blocks in a mail's text: signatures and keys in armour, data pasted as text.

Line by line: only what is encoded goes, so that no sentence hides between the marks of a block.
"""

from swarm.patterns import linear

_FEWEST = 20  # characters of an encoded line; a word is shorter
_MARK = linear(r"-----(?:BEGIN|END) [A-Z0-9 ]{3,60}-----\s{0,9}")
_HEADER = linear(r"(?:Hash|Charset|Version|MessageID): {0,3}[\w .,()+/-]{1,60}")
_ENCODED = linear(r"[A-Za-z0-9+/]{1,9999}={0,2}\s{0,9}")
_CHECKSUM = linear(r"=[A-Za-z0-9+/]{4}\s{0,9}")
_DATA = linear(
    r"data:[\w.+-]{1,40}/[\w.+-]{1,80}(?:;[\w=.+-]{1,80}){0,4};base64,\s{0,3}[A-Za-z0-9+/=]+"
)


def split_armour(text: str) -> tuple[str, str]:
    """Return the text without armour, and the armour; dashes that armour had escaped are undone."""
    armoured = "-----BEGIN " in text
    if not armoured and ";base64," not in text:
        return text, ""
    kept: list[str] = []
    found: list[str] = []
    inside = False
    for line in text.split("\n"):
        if _MARK.fullmatch(line):
            inside = "BEGIN" in line
            found.append(line)
        elif inside and _is_encoded(line, found[-1] if found else ""):
            found.append(line)
        else:
            rest = _without_data(line, found)
            inside = (inside and not line.strip()) or rest != line
            kept.append(rest[2:] if armoured and rest.startswith("- -") else rest)
    return "\n".join(kept).strip("\n"), "\n".join(found)


def _is_encoded(line: str, above: str) -> bool:
    if _HEADER.fullmatch(line) or _CHECKSUM.fullmatch(line):
        return True
    if _ENCODED.fullmatch(line) is None:
        return False
    long = len(line.strip()) >= _FEWEST
    last = len(above) >= 2 * _FEWEST and any(sign.isdigit() or sign in "+/=" for sign in line)
    return long or last


def _without_data(line: str, found: list[str]) -> str:
    if ";base64," not in line:
        return line
    found.extend(match.group() for match in _DATA.finditer(line))
    return _DATA.sub(" ", line)
