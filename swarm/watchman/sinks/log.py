"""The sink of last resort: one line in the log of the watchman, where nothing else is set."""

import logging
from typing import Final

from swarm.watchman.messages import Course, Notice

_log = logging.getLogger("swarm.alerts")


class LogSink:
    """Writes what it is told; never fails."""

    name: Final = "log"

    def tell(self, message: Notice) -> None:
        """Write one line."""
        level = logging.ERROR if message.course is Course.FIRING else logging.INFO
        _log.log(level, "ALERT %s %s", message.kind, " | ".join((message.headline, *message.lines)))

    def close(self) -> None:
        """Nothing is open."""
