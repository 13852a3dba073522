"""What was filled into the fields of a PDF's form: it stands on no page.

Every value there is, is read or said to be unread. Not pypdf's ``get_fields``: of two fields of one
name it knows the last.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from swarm.charsets import decode_bytes

_MOST_VALUES = 10_000
_MOST_NODES = 50_000  # fields, and what is drawn on pages
_MOST_REFERENCES = 8  # one behind the other
# Pages, too: a field that is drawn on one may stand in no form, and its value in what is around it.
_WITHIN = ("/Fields", "/Kids", "/Annots", "/Parent")
MORE_FIELDS = "its form has more fields than are read"
ODD_FIELD = "a field of its form cannot be read"
XFA_FORM = "its form is of a kind that is not read"

_ODD = object()  # stands for what cannot be read


def filled(catalog: Mapping[str, Any]) -> tuple[list[str], str]:
    """Return what was filled in, field by field, and why not all of it is here."""
    nodes = _nodes(catalog)
    values = (said for kind, node in islice(nodes, _MOST_NODES) for said in _said(kind, node))
    texts, problems = list[str](), dict[str, None]()
    if not _empty(_held(_held(catalog, "/AcroForm"), "/XFA")):
        problems[XFA_FORM] = None
    for said in values:
        if said is None:
            problems[ODD_FIELD] = None
        elif len(texts) == _MOST_VALUES:
            problems[MORE_FIELDS] = None
            break
        else:
            texts.append(said)
    if next(nodes, None) is not None:
        problems[MORE_FIELDS] = None
    return texts, "; ".join(problems)


def _nodes(catalog: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield kind and node of each field in order, those within others too, each once."""
    waiting = [_each("", [_held(catalog, name)]) for name in ("/Pages", "/AcroForm")]
    seen: dict[int, Any] = {}  # by identity; held, or another could get a number that was used
    while waiting:
        if (following := next(waiting[-1], None)) is None:
            waiting.pop()
            continue
        kind, node = following
        if id(node) in seen or id(found := _resolved(node)) in seen:
            continue
        seen |= {id(node): node, id(found): found}
        if isinstance(found, list):
            waiting.append(_each(kind, found))
        elif isinstance(found, Mapping):
            said = _held(found, "/FT")
            kind = said if isinstance(said, str) else kind  # or what the one around it says
            yield kind, found
            waiting.append(_each(kind, [found.get(name) for name in _WITHIN]))
        elif not _empty(found):
            yield kind, _ODD


def _each(kind: str, nodes: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((kind, node) for node in nodes)


def _held(node: Any, name: str) -> Any:
    return _resolved(node.get(name)) if isinstance(node, Mapping) else None


def _resolved(value: Any) -> Any:
    """Return what a reference leads to."""
    for _ in range(_MOST_REFERENCES):
        found = _asked(value.get_object) if hasattr(value, "get_object") else value
        if found is value:
            return value
        value = found
    return _ODD


def _asked(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception:  # noqa: BLE001 - pypdf raises what it meets: one bad field, not a bad file
        return _ODD


def _empty(value: Any) -> bool:
    from pypdf.generic import NullObject  # noqa: PLC0415 - behind limits

    return value is None or isinstance(value, NullObject)


def _said(kind: str, node: Any) -> Iterator[str | None]:
    """Yield what the value of a field says; None where it cannot be read."""
    value = _held(node, "/V")
    if node is _ODD or (_empty(value) and not _empty(_held(node, "/RV"))):
        yield None  # nothing but a text with marks in it
        return
    waiting, seen = [value], dict[int, Any]()
    while waiting:
        value = _resolved(waiting.pop())
        if not isinstance(value, list):
            yield from _one_said(kind, value)
        elif id(value) in seen:  # within itself, or one of very many
            yield None
        else:
            seen[id(value)] = value
            waiting += reversed(value)


def _one_said(kind: str, value: Any) -> Iterator[str | None]:
    from pypdf.generic import NameObject, StreamObject  # noqa: PLC0415 - behind limits

    seal = kind == "/Sig" and isinstance(value, Mapping) and not isinstance(value, StreamObject)
    ticked = kind == "/Btn" and isinstance(value, NameObject)
    if _empty(value) or seal or ticked:
        return
    if isinstance(value, StreamObject):
        value = _asked(value.get_data)
    if isinstance(value, bytes):
        yield _decoded(value)
    elif isinstance(value, NameObject):
        yield value.removeprefix("/")
    else:
        yield str(value) if isinstance(value, str | int | float) else None


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xfe\xff", b"\xff\xfe")):
        return data.decode("utf-16", "replace")
    return decode_bytes(data, None).removeprefix("\ufeff")
