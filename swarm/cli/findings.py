"""What ``swarm doctor`` finds: one line each. What lives elsewhere: looking (``diagnosis``)."""

from enum import StrEnum
from typing import Final, Literal, TypeAlias, get_args

from swarm.models import Noun

Area: TypeAlias = Literal["machine", "settings", "clock", "services", "watch"]
"""Which part of the diagnosis a finding belongs to, in the order they are printed."""

AREAS: Final[tuple[Area, ...]] = get_args(Area)


class Health(StrEnum):
    """How a finding stands: only ``bad`` keeps the system from working."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


class Finding(Noun):
    """One line of the diagnosis. ``detail`` never holds a value of a secret; ``helps`` says what
    to do about it.
    """

    area: Area
    name: str
    health: Health
    detail: str
    helps: str = ""
