"""An approved answer of the house, in each language it is written in."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from swarm.models import Noun

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt")
SOURCE = "knowledge:"  # before the id: the source of its evidence

LONGEST_TEXT = 2000  # characters in one language; a reply has room for two or three of them
LONGEST_LINE = 200  # of a title, a name, an example wording
MOST_QUESTIONS = 20


class Snippet(Noun):
    """What the house says about one thing, who approved it, and until which day it may be said."""

    id: str
    title: str
    approved_by: str
    valid_until: date
    texts: Mapping[str, str]
    questions: tuple[str, ...] = ()
    file: str

    @property
    def source(self) -> str:
        """How evidence names it."""
        return f"{SOURCE}{self.id}"

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages it is written in."""
        return tuple(sorted(self.texts))

    def valid_at(self, moment: datetime) -> bool:
        """Whether it may be said at a moment: its last day ends at midnight UTC."""
        return moment.astimezone(UTC).date() <= self.valid_until


class SnippetProblem(Noun):
    """Why a file is not used. ``line`` 0 is the file as a whole."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.reason}"
