"""Loads our GraphQL documents from ``queries/``, each with the fragments it uses. No I/O after
import time of the caller: the texts are read once.
"""

from functools import cache
from importlib.resources import files

_FRAGMENT = "item.fragment"


@cache
def document(name: str) -> str:
    """Return the text of ``queries/<name>.graphql`` including the item fragment if it is used."""
    text = _read(name)
    return f"{text}\n{_read(_FRAGMENT)}" if "...ItemWithColumns" in text else text


def names() -> tuple[str, ...]:
    """Return the names of all documents, fragments apart."""
    found = (files(__package__) / "queries").iterdir()
    stems = (each.name.removesuffix(".graphql") for each in found if each.name.endswith(".graphql"))
    return tuple(sorted(stem for stem in stems if stem != _FRAGMENT))


def _read(name: str) -> str:
    return (files(__package__) / "queries" / f"{name}.graphql").read_text("utf-8")
