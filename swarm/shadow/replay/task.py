"""What a replaying process is told, and what it tells: lines of JSON on its two pipes.

To it: one ``ReplayTask``, one key a line, an empty line; again when it has ``finished``. From it:
``begin`` before each work order, ``stored`` when results are in the database. No mail text on
either way.
"""

from typing import Final, Literal

from pydantic import Field

from swarm.models import Noun
from swarm.stages.house import HouseSettings

DATABASE_AWAY: Final = 3
OTHER_ENGINE: Final = 4
"""Exit codes that are nobody's poison."""


class ReplayTask(Noun):
    """What is to be done with some work orders."""

    parent: int = Field(description="Process id of who started it and reads what it says")
    house: HouseSettings
    engine: str = Field(description="Which engine the parent is; another one replays nothing")
    what: Literal["replay", "compare"] = "replay"
    number: Literal[1, 2] = Field(default=1, description="2: once more, for the noise floor")
    budget: float = Field(default=0.0, ge=0, description="What new model calls may cost in all")
    ask_sources: bool = Field(
        default=False, description="Read Graph and monday for history that recorded neither"
    )

    @property
    def fresh(self) -> bool:
        """Whether the model is asked anew: twice the same answer would show no noise."""
        return self.number == 2 and self.budget > 0  # noqa: PLR2004


class Progress(Noun):
    """One line of a replaying process."""

    begin: str = ""
    stored: tuple[str, ...] = ()
    paid: float = 0.0
    other_engine: str = ""
    finished: bool = False
