"""What is wrong right now, as a look at it shows: the noun that watch and status share."""

from typing import NamedTuple


class Trouble(NamedTuple):
    """A condition that holds at the moment of looking.

    ``kind`` and ``subject`` are those of the alert it becomes when it lasts. ``mark`` is what would
    have to stay the same for it to be the same trouble (a place in a file that nobody reads on).
    """

    kind: str
    subject: str
    detail: str
    mark: str = ""
