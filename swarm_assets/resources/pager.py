"""Where alerts go. The default writes them to the log of the process; a real pager takes its place.

An alert carries a kind, an opaque key and a sentence of ours, never mail text.
"""

import logging
from typing import Protocol

import dagster as dg

from swarm.store.alerts import Alert

_log = logging.getLogger("swarm.alerts")


class Pager(Protocol):
    """Takes one alert; raises ``TransientError`` when it cannot, and is asked again later."""

    def __call__(self, alert: Alert) -> None:
        """Deliver."""
        ...


def log_alert(alert: Alert) -> None:
    """Write the alert as one log line."""
    times = f" ({alert.count} times)" if alert.count > 1 else ""
    _log.error("ALERT %s %s: %s%s", alert.kind, alert.subject, alert.detail, times)


@dg.resource(description="Where alerts go; the log is the pager of last resort.")
def pager(_context: dg.InitResourceContext) -> Pager:
    """Return the sink."""
    return log_alert
