"""What ``swarm doctor`` finds: one line each. What lives elsewhere: looking (``diagnosis``)."""

from enum import StrEnum

from swarm.models import Noun


class Health(StrEnum):
    """How a finding stands: only ``bad`` keeps the system from working."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


class Finding(Noun):
    """One line of the diagnosis. ``detail`` never holds a value of a secret; ``helps`` says what
    to do about it.
    """

    area: str
    name: str
    health: Health
    detail: str
    helps: str = ""
