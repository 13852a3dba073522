"""What monday means by an error: three shapes of body, five things to do about it.

Application errors arrive as HTTP 200 with ``errors``, often beside partial ``data``. Shapes: (1)
GraphQL errors with ``extensions.code``; (2) since 2025-07 the same with
``extensions.retry_in_seconds``; (3) legacy, ``error_code`` and ``error_message`` at top level.
Pure functions; the waiting is done in ``monday_http``.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Annotated

import httpx
from pydantic import BeforeValidator, Field, JsonValue

from swarm.clients.http_failures import asked_wait, retry_after_seconds, safe_code
from swarm.clients.json_answers import read_json
from swarm.clients.lenient import Lenient
from swarm.patterns import linear


class Remedy(Enum):
    """What helps against an error."""

    WAIT = auto()
    TOMORROW = auto()
    PAUSE = auto()
    START_OVER = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True)
class MondayFault:
    """The gravest error of an answer: monday's code, what helps, how long to wait."""

    code: str
    remedy: Remedy
    retry_in: float | None = None
    request_id: str = ""
    column_only: bool = False


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _errors(value: object) -> list[object]:
    """A list of errors, whatever stands for one; a null in it is an error that says nothing."""
    return value if isinstance(value, list) else [value]


_Text = Annotated[str, BeforeValidator(_text)]
_Object = Annotated[dict[str, JsonValue], BeforeValidator(_object)]


class MondayAnswer(Lenient):
    """Any body monday sends, read leniently: an odd part of an error must not hide the error."""

    data: JsonValue = None
    errors: Annotated[list[JsonValue], BeforeValidator(_errors)] = Field(default=[])
    error_code: _Text = ""
    error_message: _Text = ""
    error_data: _Object = Field(default={})
    extensions: _Object = Field(default={})

    @property
    def request_id(self) -> str:
        """What monday's support asks for."""
        return safe_code(self.extensions.get("request_id"))


# Compared in lower case without spaces, hyphens and underscores: monday uses all spellings.
_REMEDIES: tuple[tuple[str, Remedy], ...] = (
    ("dailylimit", Remedy.TOMORROW),
    ("temporarilyblocked", Remedy.PAUSE),
    ("cursorexpired", Remedy.START_OVER),
    ("cursorexception", Remedy.START_OVER),
    ("complexitybudgetexhausted", Remedy.WAIT),
    ("complexityexception", Remedy.WAIT),
    ("minutelimit", Remedy.WAIT),
    ("ratelimitexceeded", Remedy.WAIT),
    ("concurrency", Remedy.WAIT),
    ("fieldlimitexceeded", Remedy.WAIT),
    ("internalservererror", Remedy.WAIT),
    ("idempotencyconflict", Remedy.WAIT),
)
_GRAVEST = (Remedy.NONE, Remedy.TOMORROW, Remedy.PAUSE, Remedy.START_OVER, Remedy.WAIT)
_PLAIN_SECONDS = linear(r"[0-9]{1,300}(?:\.[0-9]{1,300})?")
_SEPARATORS = linear(r"[\s_-]")
_EXHAUSTED = linear(r";\s{0,8}r=0\b")
_RESET = linear(r";\s{0,8}t=([0-9]{1,300})")
_SECONDS = linear(r"reset in ([0-9]{1,300}) second", re.IGNORECASE)


def read_answer(response: httpx.Response) -> MondayAnswer | None:
    """Return the body, or None when it is no answer of monday's at all."""
    try:
        return MondayAnswer.model_validate(read_json(response.content))
    except ValueError:
        return None


def fault_of(answer: MondayAnswer, response: httpx.Response) -> MondayFault | None:
    """Return the gravest fault of an answer; None when it is a plain success."""
    legacy = bool(answer.error_code or answer.error_message)
    faults = [_legacy(answer, response)] if legacy else []
    faults += [_of_error(error, answer, response) for error in answer.errors]
    if not faults:
        return None
    serious = [fault for fault in faults if not fault.column_only] or faults
    return min(serious, key=lambda fault: _GRAVEST.index(fault.remedy))


def _of_error(error: JsonValue, answer: MondayAnswer, response: httpx.Response) -> MondayFault:
    if error is None:
        # Something may be missing and nothing says what: the data is read, and has a gap.
        return MondayFault(
            code="null", remedy=Remedy.NONE, request_id=answer.request_id, column_only=True
        )
    told = {"message": error} if isinstance(error, str) else _object(error)
    extensions, message = _object(told.get("extensions")), _text(told.get("message"))
    code, path = _text(extensions.get("code")), told.get("path")
    asked = _number(extensions.get("retry_in_seconds"))
    if asked is None:
        asked = _number(_object(extensions.get("error_data")).get("retry_in_seconds"))
    remedy = _remedy(code, message)
    return MondayFault(
        code=safe_code(code) or "without-code",
        remedy=remedy,
        retry_in=_wait(asked, message, response),
        request_id=answer.request_id,
        column_only=remedy is Remedy.NONE and isinstance(path, list) and "column_values" in path,
    )


def _legacy(answer: MondayAnswer, response: httpx.Response) -> MondayFault:
    asked = _number(answer.error_data.get("retry_in_seconds"))
    return MondayFault(
        code=safe_code(answer.error_code) or "without-code",
        remedy=_remedy(answer.error_code, answer.error_message),
        retry_in=_wait(asked, answer.error_message, response),
        request_id=answer.request_id,
    )


def _remedy(code: str, message: str) -> Remedy:
    told = _SEPARATORS.sub("", f"{code} {message}".lower())
    return next((remedy for part, remedy in _REMEDIES if part in told), Remedy.NONE)


def _wait(asked: float | None, message: str, response: httpx.Response) -> float | None:
    """Return the longest of what body, ``Retry-After`` and message say; else ``RateLimit`` t."""
    in_text = _SECONDS.search(message)
    told = [asked, retry_after_seconds(response), _number(in_text.group(1)) if in_text else None]
    known = [seconds for seconds in told if seconds is not None]
    return max(known) if known else rate_limit_reset(response)


def rate_limit_reset(response: httpx.Response) -> float | None:
    """Return ``t`` of the exhausted limit (r=0) in the structured ``RateLimit`` header, if any."""
    for limit in response.headers.get("RateLimit", "").split(","):
        if _EXHAUSTED.search(limit) and (reset := _RESET.search(limit)):
            return asked_wait(float(reset.group(1)))
    return None


def _number(value: object) -> float | None:
    """Return seconds that stand there as a number or as its digits, as a wait we accept."""
    if isinstance(value, str) and _PLAIN_SECONDS.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return asked_wait(float(value))
