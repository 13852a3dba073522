"""How a page is made: templates with every value escaped, times and spans in words, nothing hidden.

Whatever comes out of a mail is text: it is escaped by the template engine, its control characters
are dropped and what turns reading direction around is made visible. What lives elsewhere: what
stands on a page (``app``, ``story``).
"""

from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from swarm.observe.glossary import glossary
from swarm.observe.review.words import (
    age_in_words,
    classes_in_words,
    lookup_in_words,
    reason_in_words,
    source_in_words,
)

_FOLDER = Path(str(resources.files("swarm.desk")))
STYLE = (_FOLDER / "desk.css").read_text("utf-8")

_KEPT = frozenset("\n\t")
_DROPPED = frozenset("\u200e\u200f\u061c\ufeff\u00ad")  # marks that change nothing one reads
_TURNING = dict.fromkeys((*range(8234, 8239), *range(8294, 8298)), "�")
_LONGEST = 30_000  # characters of one value; a mail may have a million


def readable(text: str) -> str:
    """Return foreign text as it may be shown: bounded, without control characters, in its order."""
    shown = text[:_LONGEST].translate(_TURNING)
    if not shown.isprintable():
        shown = "".join(c for c in shown if c in _KEPT or (c not in _DROPPED and _prints(c)))
    return shown


def _prints(letter: str) -> bool:
    return letter.isprintable() or letter == "\N{ZERO WIDTH JOINER}" or letter.isspace()


class Pages:
    """The templates of the desk. ``prefix`` stands before every link to a page of ours."""

    def __init__(self, *, zone: str, prefix: str) -> None:
        self._zone = ZoneInfo(zone)
        self._engine = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_finalized,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._engine.globals.update(prefix=prefix, zone=zone, glossary=glossary())
        self._engine.filters.update(
            age=age_in_words,
            clock=self._clock,
            lookup=lookup_in_words,
            moment=self._moment,
            reason=reason_in_words,
            source=source_in_words,
        )
        self._engine.globals.update(classes_in_words=classes_in_words)

    def render(self, template: str, values: Mapping[str, object]) -> str:
        """Return the HTML of a page."""
        return self._engine.get_template(template).render(values)

    def _moment(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M}"

    def _clock(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%H:%M:%S}"


def _finalized(value: object) -> object:
    """Make every value readable but what the engine itself has made HTML of."""
    if value is None:
        return ""
    return readable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
