"""Why a model gave no answer, in our words: who is at fault, and what helps.

The model libraries raise what they like; what they agree on is the HTTP status. Their texts may
quote what was sent and never leave this module; which of our parameters they name is read from
them. What lives elsewhere: what follows from it (``swarm.specialists.model_calls``, the queue).
"""

from collections.abc import Iterator, Sequence

import httpx

from swarm.clients.bounded_client import BrokenOffError, WebPageError
from swarm.clients.http_failures import retry_after_seconds
from swarm.errors import MalformedInputError, ModelUnavailableError, RemoteRefusedError, SwarmError
from swarm.specialists.chat.deadline import OutOfBoundsError, OutOfTimeError

_MOST_WORDS = 2000
# A longer explanation may quote the mail, and a mail may say anything.
_LONGEST_PLAIN = 600
_ASK_AGAIN = frozenset({408, 409, 425, 429})
_FORM = frozenset({400, 415, 422, 501})
_UNAUTHORIZED, _PAYMENT, _FORBIDDEN, _NOT_FOUND = 401, 402, 403, 404
_TOO_LARGE, _TOO_MANY = 413, 429
_REDIRECTS, _CLIENT_ERRORS, _SERVER_ERRORS = 300, 400, 500
# What providers say that answer 400 or 429 where 401, 402 or 404 were meant.
_NO_KEY = ("api key not valid", "api key expired", "invalid api key", "incorrect api key",
           "api_key_invalid", "invalid_api_key")  # fmt: skip
_NO_MODEL = ("model not exist", "model_not_found", "model does not exist", "unknown model",
             "no such model", "not a valid model")  # fmt: skip
_UNPAID = ("insufficient_quota", "insufficient balance", "credit balance is too low")
_TOO_LONG = ("context length", "context size", "context window", "prompt is too long",
             "input is too long", "too many input tokens", "reduce the length")  # fmt: skip
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
    if any(isinstance(each, WebPageError) for each in causes):
        return ModelUnavailableError("the model's endpoint answers with a web page", hint=_MEND)
    status = next((s for each in causes if (s := _status(each)) is not None), None)
    if status is not None:
        return _by_status(status, causes)
    return _without_status(causes, seconds)


def _by_status(status: int, causes: tuple[BaseException, ...]) -> SwarmError:
    answered = f"(HTTP {status})"
    words = _words(causes)
    if (meant := _meant(status, words)) is not None:
        return ModelUnavailableError(f"{_lasting(meant)} {answered}", for_good=True, hint=_MEND)
    if status in _ASK_AGAIN or status >= _SERVER_ERRORS:
        what = "asks us to wait" if status == _TOO_MANY else "fails"
        return ModelUnavailableError(
            f"the model's endpoint {what} {answered}",
            patient=True,
            retry_after=_retry_after(causes),
        )
    if status == _TOO_LARGE or (status in _FORM and _says(words, _TOO_LONG)):
        return MalformedInputError("the mail is too long for the model")
    if status in _FORM or (status == _NOT_FOUND and _says(words, ("support tool", "tools"))):
        return WayRefusedError(words)
    return ModelUnavailableError(f"{_lasting(status)} {answered}", for_good=True, hint=_MEND)


def _words(causes: Sequence[BaseException]) -> str:
    """What an endpoint said, and the body it said it in: libraries show the one or the other."""
    bodies = (getattr(each, "body", None) for each in causes)
    return " ".join((str(causes[0]), *(str(body) for body in bodies if body)))[:_MOST_WORDS]


def _says(words: str, any_of: Sequence[str]) -> bool:
    said = words.casefold()
    return any(each in said for each in any_of)


def _meant(status: int, words: str) -> int | None:
    """Return the status that a short refusal should have had; None: the one it has."""
    if status not in (*_FORM, _TOO_MANY) or len(words) > _LONGEST_PLAIN:
        return None
    told = {_PAYMENT: _UNPAID, _UNAUTHORIZED: _NO_KEY, _NOT_FOUND: _NO_MODEL}
    return next((meant for meant, said in told.items() if _says(words, said)), None)


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
    if any(isinstance(each, BrokenOffError) for each in causes):
        return ModelUnavailableError("the model's answer broke off on its way")
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
    # Of an error told in a body with status 200 LangChain makes a ValueError of that body.
    told = error.args[0] if isinstance(error, ValueError) and error.args else None
    if isinstance(told, dict) and isinstance(code := told.get("code"), int) and code >= _REDIRECTS:
        return code
    for holder in (error, getattr(error, "response", None)):
        found = getattr(holder, "status_code", None)
        if isinstance(found, int) and found >= _REDIRECTS:
            return found
    return None


def _retry_after(causes: tuple[BaseException, ...]) -> float:
    for each in causes:
        response = getattr(each, "response", None)
        if isinstance(response, httpx.Response):
            return retry_after_seconds(response) or 0.0
    return 0.0
