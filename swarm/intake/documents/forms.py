"""What was filled into the fields of a PDF's form: it stands on no page.

Every value there is, is read or said to be unread. Not pypdf's ``get_fields``: of two fields of one
name it knows the last.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from swarm.charsets import decode_bytes

_MOST_FIELDS = 10_000
MORE_FIELDS = "its form has more fields than are read"
ODD_FIELD = "a field of its form cannot be read"


def filled(catalog: Mapping[str, Any]) -> tuple[list[str], str]:
    """Return what was filled in, field by field, and why not all of it is here."""
    texts, problem = list[str](), ""
    for number, (kind, value) in enumerate(_fields(catalog)):
        if number >= _MOST_FIELDS:
            return texts, MORE_FIELDS
        for said in _said(kind, value):
            if said is None:
                problem = ODD_FIELD
            else:
                texts.append(said)
    return texts, problem


def _fields(catalog: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield kind and value of each field in order, those within others too, each once."""
    waiting = [("", _held(catalog, "/AcroForm"))]
    seen: dict[int, Any] = {}  # by identity; held, or another could get a number that was used
    while waiting:
        kind, node = waiting.pop()
        if not isinstance(node, Mapping) or id(node) in seen:
            continue
        seen[id(node)] = node
        said = _held(node, "/FT")
        kind = said if isinstance(said, str) else kind  # or what the one around it says
        yield kind, _held(node, "/V")
        within = _held(node, "/Fields" if "/Fields" in node else "/Kids")
        if isinstance(within, list):
            waiting += [(kind, each.get_object()) for each in reversed(within)]


def _held(node: Any, name: str) -> Any:
    value: Any = node.get(name) if isinstance(node, Mapping) else None
    return value.get_object() if hasattr(value, "get_object") else value


def _said(kind: str, value: Any) -> Iterator[str | None]:
    """Yield what a value says; None where it cannot be read."""
    from pypdf.generic import NameObject, NullObject, StreamObject  # noqa: PLC0415 - behind limits

    empty = value is None or isinstance(value, NullObject)
    if empty or kind == "/Sig" or (kind == "/Btn" and isinstance(value, NameObject)):
        return  # nothing, a seal, or a box that is ticked
    if isinstance(value, list):
        for each in value:
            yield from _said(kind, each.get_object())
    elif isinstance(value, StreamObject):
        yield _decoded(value.get_data())
    elif isinstance(value, bytes):
        yield _decoded(value)
    elif isinstance(value, NameObject):
        yield value.removeprefix("/")
    else:
        yield str(value) if isinstance(value, str | int | float) else None


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xfe\xff", b"\xff\xfe")):
        return data.decode("utf-16", "replace")
    return decode_bytes(data, None)
