"""What every sink is: a name, and a way to be told."""

from typing import Protocol

from swarm.errors import RemoteRefusedError
from swarm.watchman.messages import Notice


class MessageRefusedError(RemoteRefusedError):
    """The sink works, and will not have this very message."""


class Sink(Protocol):
    """One way of telling. Used by one thread at a time."""

    @property
    def name(self) -> str:
        """The same for ever: what was told to whom is kept under it."""
        ...

    def tell(self, message: Notice) -> None:
        """Tell it.

        Raises ``MessageRefusedError`` for this message alone, ``RateLimitedError`` when it asks us
        to wait, ``RemoteUnavailableError`` or ``RemoteRefusedError`` when it takes nothing now.
        """
        ...

    def close(self) -> None:
        """Let its connections go."""
        ...
