"""Keeps URLs out of logs. The httpx INFO logger writes every URL it calls (measured, 0.28.1), and
our URLs hold a secret (the Catch Hook) or name a mailbox and a conversation (Graph).

What lives elsewhere: what our own messages say, ``http_failures``.
"""

import logging

_LOGGERS = (
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)


class _WarningsOnly(logging.Filter):
    """Drops what is below WARNING, even when somebody sets the logger to DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


_FILTER = _WarningsOnly()


def silence_http_loggers() -> None:
    """Make httpx and httpcore say nothing below WARNING; calling it again changes nothing.

    A filter instead of a level, because levels are what people raise while they debug.
    """
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
