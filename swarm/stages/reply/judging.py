"""What counts as "a judgement could not be had", and what does not (ES-05).

A specialist that fails is an ERROR and thereby an escalation. Our own database failing is not a
judgement: that is retried by the queue. Nor is a model that answers nobody: the work order waits
for it, and only when it has waited too long does a person get the mail.
"""

from collections.abc import Callable
from typing import TypeVar

from swarm.errors import (
    DatabaseUnavailableError,
    MalformedInputError,
    ModelUnavailableError,
    RefusedError,
    RemoteRefusedError,
    TransientError,
)
from swarm.stages.services import Services

T = TypeVar("T")


class JudgementError(Exception):
    """No judgement could be had; the message says why and carries no mail text."""


def judged(ask: Callable[[], T], key: str, services: Services) -> T:
    """Ask a specialist; raises ``JudgementError`` in place of every error of its thinking.

    Raises ``ModelUnavailableError`` while the work order may still wait for the model.
    """
    try:
        return ask()
    except DatabaseUnavailableError:
        raise
    except ModelUnavailableError as error:
        waited = services.store.waited(key)
        if waited < services.model_patience_seconds:
            raise
        raise JudgementError(_in_vain(waited, error)) from error
    except (TransientError, MalformedInputError, RemoteRefusedError, RefusedError) as error:
        raise JudgementError(error.message) from error


def _in_vain(waited: float, error: ModelUnavailableError) -> str:
    if waited < 1:  # whoever has no patience at all, like `swarm run-once`
        return error.message
    minutes = round(waited / 60)
    long = f"{minutes} minutes" if minutes > 1 else f"{waited:.0f} seconds"
    return f"the model gave no answer for {long}: {error.message}"
