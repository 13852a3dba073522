"""When a style makes text invisible to a person: a little CSS, no layout engine (ES-13)."""

from collections.abc import Iterator
from dataclasses import dataclass

from swarm.patterns import linear

_EMPTY_RECT = linear(r"rect\(\s{0,40}0[^)]{0,200}\)")
_HEX_COLOUR = linear(r"#([0-9a-f]{6}|[0-9a-f]{3})(?![0-9a-f])")
_RGB = linear(
    r"rgba?\(\s{0,40}(\d{1,3})\D{1,4}(\d{1,3})\D{1,4}(\d{1,3})"
    r"(?:\s{0,4}[,/]\s{0,4}(?P<alpha>[\d.]{1,9})%?)?"
)
_NOTHING = linear(r"0{1,4}(?:\.0{0,4})?|\.0{1,4}")
_BRACE = linear(r"([{}])")
_MARKS = linear(r"<!--|-->|@(?:import|charset)[^;{}]{0,500};")
_DECLARATION = linear(r"([a-z-]{1,40})\s{0,40}:\s{0,40}([^;]{1,200})")
_SIMPLE_SELECTOR = linear(r"[a-z0-9]{0,40}[.#][\w-]{1,80}|[a-z][a-z0-9]{0,20}")
_NUMBER = linear(r"(-?\d{0,6}(?:\.\d{1,4})?)\s*(px|pt|em|rem|ex|ch|vw|vh|%|cm|mm|in)?")
_FAR = 300.0  # pixels outside of the page
_TINY = {"px": 2.0, "pt": 1.5, "em": 0.15, "rem": 0.15, "%": 15.0, "": 0.0}
_CLOSE = 24  # colour steps per channel that no eye tells apart on a screen

_NAMED = {
    "white": (255, 255, 255),
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "whitesmoke": (245, 245, 245),
    "black": (0, 0, 0),
}

_COLOURS = ("color", "background", "background-color", "background-image")

Colour = tuple[int, int, int]
PAGE: Colour = (255, 255, 255)


def declarations(style: str) -> dict[str, str]:
    """Read an inline style; the last of two equal properties wins, as in a browser."""
    return {
        name: value.replace("!important", "").strip()
        for name, value in _DECLARATION.findall(style[:4000].lower())
    }


FONT_SIZE_ZERO = "font_size_zero"


def sets_a_size(style: dict[str, str]) -> bool:
    """Whether text gets a size of its own, whatever it would inherit: "13px", not "1em"."""
    found = _NUMBER.match(style.get("font-size", ""))
    return found is not None and found[2] in ("px", "pt", "rem") and not _tiny_font(style)


def hidden_by(style: dict[str, str]) -> str | None:
    """Return which trick hides an element and everything in it; None for none."""
    for label, test in _TRICKS:
        if test(style):
            return label
    return None


def _value(style: dict[str, str], name: str) -> float | None:
    found = _NUMBER.match(style.get(name, ""))
    if found is None or found[1] in ("", "-", "."):
        return None
    return float(found[1])


def _tiny_font(style: dict[str, str]) -> bool:
    found = _NUMBER.match(style.get("font-size", ""))
    if found is None or found[1] in ("", "-", "."):
        return False
    return float(found[1]) <= _TINY.get(found[2] or "", 0.0)


def _off_screen(style: dict[str, str]) -> bool:
    places = ("text-indent", "left", "top", "right", "bottom", "margin-left", "margin-top")
    return any((_value(style, name) or 0.0) <= -_FAR for name in places)


def _clipped(style: dict[str, str]) -> bool:
    sizes = [_value(style, name) for name in ("height", "max-height", "width", "max-width")]
    no_room = any(size == 0.0 for size in sizes) and "hidden" in style.get("overflow", "")
    return no_room or _EMPTY_RECT.match(style.get("clip", "")) is not None


_TRICKS = (
    (
        "display_none",
        lambda s: s.get("display", "").startswith("none") or "all" in s.get("mso-hide", ""),
    ),
    ("visibility_hidden", lambda s: s.get("visibility", "") in ("hidden", "collapse")),
    (FONT_SIZE_ZERO, _tiny_font),
    ("transparent", lambda s: _value(s, "opacity") == 0.0 or s.get("color") == "transparent"),
    ("off_screen", _off_screen),
    ("clipped", _clipped),
)


def colour(value: str) -> Colour | None:
    """Read a colour: names near white and black, #rgb, #rrggbb, rgb(); None for anything else."""
    value = value.strip().lower()
    if value in _NAMED:
        return _NAMED[value]
    if found := _HEX_COLOUR.match(value):
        digits = found[1] if len(found[1]) == 6 else "".join(c * 2 for c in found[1])  # noqa: PLR2004
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found := _RGB.match(value):
        return int(found[1]), int(found[2]), int(found[3])
    return None


def background(style: dict[str, str], around: Colour | None) -> Colour | None:
    """Return what text stands on; None when that is a picture or a colour nobody here can read."""
    plain = style.get("background-color") or style.get("background") or ""
    found = _HEX_COLOUR.search(plain) or _RGB.search(plain)
    if found and _NOTHING.fullmatch(found.groupdict().get("alpha") or "1"):
        return around  # "rgba(0, 0, 0, 0)" is what browsers call none
    if "url(" in plain or "gradient" in plain or style.get("background-image", "none") != "none":
        return None
    if found:  # anywhere: "none repeat scroll 0 0 #036"
        return colour(found.group())
    if plain.split(" ")[0] in ("", "none", "transparent", "inherit", "initial", "unset"):
        return around
    return colour(plain)


def same_to_the_eye(one: Colour, other: Colour) -> bool:
    """Whether text in one colour on the other cannot be read."""
    return all(abs(a - b) <= _CLOSE for a, b in zip(one, other, strict=True))


@dataclass(frozen=True, slots=True)
class StyleSheets:
    """What style sheets say of simple selectors: ``.class``, ``#id``, ``tag``, ``tag.class``.

    ``found``: the trick that hides; ``coloured``: colours and backgrounds, to read text on them.
    """

    found: dict[str, str]
    coloured: dict[str, dict[str, str]]

    def label(self, names: list[str]) -> str | None:
        """Return the trick that hides an element with these names; None for none."""
        return next((self.found[name] for name in names if name in self.found), None)

    def colours(self, names: list[str]) -> dict[str, str]:
        """Return the declarations about colour of an element; the narrower selector wins."""
        said: dict[str, str] = {}
        for name in names:
            said.update(self.coloured.get(name, {}))
        return said

    def names(self, tag: str, identity: str, classes: str) -> list[str]:
        """Return the selectors an element answers to, the wider ones first."""
        if not self.found and not self.coloured:
            return []
        each = classes.split()[:20]
        wide = [tag, *(f".{one}" for one in each), *(f"{tag}.{one}" for one in each)]
        return [*wide, f"#{identity}", f"{tag}#{identity}"]


def read_sheets(sheets: list[str]) -> StyleSheets:
    """Read style sheets for what hides or colours; ``@media`` rules speak of other screens."""
    found: dict[str, str] = {}
    coloured: dict[str, dict[str, str]] = {}
    for sheet in sheets[:10]:
        plain = _MARKS.sub(" ", sheet[:100_000].lower())
        flat = _without_media(plain)
        for selectors, body in _rules(flat):
            said = declarations(body)
            label = hidden_by(said)
            colours = {name: said[name] for name in _COLOURS if name in said}
            for selector in selectors.split(",") if label or colours else ():
                name = selector.strip()
                if _SIMPLE_SELECTOR.fullmatch(name) is None:
                    continue
                if label:
                    found[name] = label
                coloured.setdefault(name, {}).update(colours)
    return StyleSheets(found, coloured)


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield selectors and body of each innermost ``selectors { body }``."""
    parts = _BRACE.split(sheet)
    for at in range(1, len(parts) - 2, 2):
        if parts[at] == "{" and parts[at + 2] == "}":
            yield parts[at - 1], parts[at + 1]


def _without_media(sheet: str) -> str:
    """Cut ``@media ... { ... }`` blocks by counting braces."""
    kept: list[str] = []
    depth = skip_from = 0
    for part in _BRACE.split(sheet):
        if part == "{":
            depth += 1
        elif part == "}":
            depth = max(0, depth - 1)
            if skip_from and depth < skip_from:
                skip_from = 0
                continue
        elif "@" in part and not skip_from:
            kept.append(part.split("@")[0])
            skip_from = depth + 1
        if not skip_from:
            kept.append(part)
    return "".join(kept)
