"""What monday means by an error: three shapes of body, five things to do about it.

Application errors arrive as HTTP 200 with ``errors``, often beside partial ``data``. Shapes: (1)
GraphQL errors with ``extensions.code``; (2) since 2025-07 the same with
``extensions.retry_in_seconds``; (3) legacy, ``error_code`` and ``error_message`` at top level.
Pure functions; the waiting is done in ``monday_http``.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

import httpx
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from swarm.clients.http_failures import retry_after_seconds, safe_code


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


class _Extensions(BaseModel):
    model_config = ConfigDict(extra="ignore")

    code: str = ""
    retry_in_seconds: float | None = None
    error_data: dict[str, JsonValue] | None = None


class _GraphqlError(BaseModel):
    model_config = ConfigDict(extra="ignore")

    message: str = ""
    path: list[str | int] | None = None
    extensions: _Extensions = Field(default_factory=_Extensions)


class _TopExtensions(BaseModel):
    model_config = ConfigDict(extra="ignore")

    request_id: str = ""


class MondayAnswer(BaseModel):
    """Any body monday sends, read leniently."""

    model_config = ConfigDict(extra="ignore")

    data: JsonValue = None
    errors: list[_GraphqlError | str] = []
    error_code: str = ""
    error_message: str = ""
    error_data: dict[str, JsonValue] | None = None
    extensions: _TopExtensions = Field(default_factory=_TopExtensions)


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
_SECONDS = re.compile(r"reset in (\d+) second", re.IGNORECASE)


def read_answer(response: httpx.Response) -> MondayAnswer | None:
    """Return the body, or None when it is no answer of monday's at all."""
    try:
        return MondayAnswer.model_validate_json(response.content)
    except ValidationError:
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


def _of_error(
    error: _GraphqlError | str, answer: MondayAnswer, response: httpx.Response
) -> MondayFault:
    if isinstance(error, str):
        error = _GraphqlError(message=error)
    asked = error.extensions.retry_in_seconds
    if asked is None:
        asked = _number((error.extensions.error_data or {}).get("retry_in_seconds"))
    remedy = _remedy(error.extensions.code, error.message)
    return MondayFault(
        code=safe_code(error.extensions.code) or "without-code",
        remedy=remedy,
        retry_in=_wait(asked, error.message, response),
        request_id=safe_code(answer.extensions.request_id),
        column_only=remedy is Remedy.NONE and "column_values" in (error.path or []),
    )


def _legacy(answer: MondayAnswer, response: httpx.Response) -> MondayFault:
    asked = _number((answer.error_data or {}).get("retry_in_seconds"))
    return MondayFault(
        code=safe_code(answer.error_code) or "without-code",
        remedy=_remedy(answer.error_code, answer.error_message),
        retry_in=_wait(asked, answer.error_message, response),
        request_id=safe_code(answer.extensions.request_id),
    )


def _remedy(code: str, message: str) -> Remedy:
    told = re.sub(r"[\s_-]", "", f"{code} {message}".lower())
    return next((remedy for part, remedy in _REMEDIES if part in told), Remedy.NONE)


def _wait(asked: float | None, message: str, response: httpx.Response) -> float | None:
    """Return the longest of what body, ``Retry-After`` and message say; else ``RateLimit`` t."""
    in_text = _SECONDS.search(message)
    told = [asked, retry_after_seconds(response), float(in_text.group(1)) if in_text else None]
    known = [seconds for seconds in told if seconds is not None]
    return max(known) if known else rate_limit_reset(response)


def rate_limit_reset(response: httpx.Response) -> float | None:
    """Return ``t`` of the exhausted limit (r=0) in the structured ``RateLimit`` header, if any."""
    for limit in response.headers.get("RateLimit", "").split(","):
        if re.search(r";\s*r=0\b", limit) and (reset := re.search(r";\s*t=(\d+)", limit)):
            return float(reset.group(1))
    return None


def _number(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) else None
