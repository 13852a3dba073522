"""What counts as "a judgement could not be had", and what does not (ES-05).

A specialist that fails is an ERROR and thereby an escalation. Our own database failing is not a
judgement: that is retried by the queue.
"""

from collections.abc import Callable
from typing import TypeVar

from swarm.errors import (
    DatabaseUnavailableError,
    MalformedInputError,
    RefusedError,
    RemoteRefusedError,
    TransientError,
)

T = TypeVar("T")


class JudgementError(Exception):
    """No judgement could be had; the message says why and carries no mail text."""


def judged(ask: Callable[[], T]) -> T:
    """Ask a specialist; raises ``JudgementError`` in place of every error of its thinking."""
    try:
        return ask()
    except DatabaseUnavailableError:
        raise
    except (TransientError, MalformedInputError, RemoteRefusedError, RefusedError) as error:
        raise JudgementError(error.message) from error
