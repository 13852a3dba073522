"""Why a model gave no answer, in our words: who is at fault, and what helps.

The model libraries raise what they like; what they agree on is the HTTP status. Their texts may
quote what was sent and never leave this module; which of our parameters they name is read from
them. What lives elsewhere: what follows from it (``swarm.specialists.model_calls``, the queue).
"""

from collections.abc import Iterator

import httpx

from swarm.clients.http_failures import asked_wait
from swarm.errors import MalformedInputError, ModelUnavailableError, RemoteRefusedError, SwarmError
from swarm.specialists.chat.deadline import OutOfBoundsError, OutOfTimeError

_MOST_WORDS = 2000
_ASK_AGAIN = frozenset({408, 409, 425, 429})
_FORM = frozenset({400, 415, 422, 501})
_UNAUTHORIZED, _PAYMENT, _FORBIDDEN, _NOT_FOUND, _TOO_LARGE = 401, 402, 403, 404, 413
_REDIRECTS, _CLIENT_ERRORS, _SERVER_ERRORS = 300, 400, 500
_MEND = "check MODEL_NAME, MODEL_BASE_URL and MODEL_API_KEY; `swarm doctor` asks once"


class WayRefusedError(RemoteRefusedError):
    """The endpoint does not take the request in this form; ``words`` are its own, for nobody."""

    def __init__(self, words: str) -> None:
        super().__init__("the model's endpoint refuses the request (HTTP 400)")
        self.words = words


def failure(error: Exception, seconds: float) -> SwarmError | None:
    """Return what to raise for an error of a model library; None: an answer came, a broken one."""
    from langchain_core.exceptions import ContextOverflowError  # noqa: PLC0415 - loaded by now

    causes = tuple(_causes(error))
    if any(isinstance(each, ContextOverflowError) for each in causes):
        return MalformedInputError("the mail is too long for the model")
    status = next((s for each in causes if (s := _status(each)) is not None), None)
    if status is not None:
        return _by_status(status, error, causes)
    return _without_status(causes, seconds)


def _by_status(status: int, error: Exception, causes: tuple[BaseException, ...]) -> SwarmError:
    answered = f"(HTTP {status})"
    words = str(error)[:_MOST_WORDS]
    if status in _ASK_AGAIN or status >= _SERVER_ERRORS:
        what = "asks us to wait" if status == 429 else "fails"  # noqa: PLR2004 - beside its words
        return ModelUnavailableError(
            f"the model's endpoint {what} {answered}",
            patient=True,
            retry_after=_retry_after(causes),
        )
    if status in _FORM or (status == _NOT_FOUND and "tool" in words.casefold()):
        return WayRefusedError(words)
    if status == _TOO_LARGE:
        return MalformedInputError("the mail is too long for the model")
    return ModelUnavailableError(f"{_lasting(status)} {answered}", for_good=True, hint=_MEND)


def _lasting(status: int) -> str:
    if status in (_UNAUTHORIZED, _FORBIDDEN):
        return "the model's endpoint refuses our key"
    if status == _PAYMENT:
        return "the model's endpoint wants to be paid first"
    if status == _NOT_FOUND:
        return "the model's endpoint does not know this model, or is none"
    if status < _CLIENT_ERRORS:
        return "the model's endpoint leads elsewhere, and nothing is sent there"
    return "the model's endpoint refuses us"


def _without_status(causes: tuple[BaseException, ...], seconds: float) -> SwarmError | None:
    from langchain_core import exceptions as lc  # noqa: PLC0415 - loaded by now

    slow = (OutOfTimeError, lc.ModelTimeoutError, httpx.TimeoutException, TimeoutError)
    if any(isinstance(each, slow) for each in causes):
        return ModelUnavailableError(f"the model gave no whole answer in {seconds:g} s")
    large = any("too large" in str(each) for each in causes if isinstance(each, httpx.ReadError))
    if large or any(isinstance(each, OutOfBoundsError) for each in causes):
        return ModelUnavailableError("the model's answer is larger than any honest one")
    away = (lc.ModelConnectionError, lc.ModelAPIError, httpx.TransportError, OSError)
    if any(isinstance(each, away) for each in causes):
        return ModelUnavailableError("the model's endpoint cannot be reached", patient=True)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(8):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int | None:
    for holder in (error, getattr(error, "response", None)):
        found = getattr(holder, "status_code", None)
        if isinstance(found, int) and found >= _REDIRECTS:
            return found
    return None


def _retry_after(causes: tuple[BaseException, ...]) -> float:
    for each in causes:
        headers = getattr(getattr(each, "response", None), "headers", None) or {}
        try:
            if (wait := asked_wait(float(headers.get("retry-after", "")))) is not None:
                return wait
        except ValueError:
            continue
    return 0.0
