"""Turns httpx failures and HTTP statuses into our error tree, once for all clients.

Functions *return* errors so that callers write ``raise ... from error``. ``doing`` is a phrase of
ours ("reading the conversation"): no URL, address, id or body text ever enters a message. What a
service calls its error (a code, a request id) may, because support needs it.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from swarm.errors import (
    RateLimitedError,
    RemoteRefusedError,
    RemoteUnavailableError,
    SwarmError,
)

_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500
_ASK_AGAIN = frozenset({408, 423, 425})
_CODE_LENGTH = 80


def transport_failure(error: httpx.RequestError, doing: str) -> RemoteUnavailableError:
    """Return the error for a request without an answer; names the kind of failure, not the URL."""
    return RemoteUnavailableError(f"{doing}: no answer ({type(error).__name__})")


def status_failure(response: httpx.Response, doing: str, detail: str = "") -> SwarmError:
    """Return the error for an answer that is not a success.

    429, and 5xx that come with ``Retry-After``, ask us to wait; other 5xx, 408, 423 and 425 may
    pass; everything else is a refusal that trying again does not change.
    """
    what = f"{doing}: HTTP {response.status_code}{f' ({detail})' if detail else ''}"
    wait = retry_after_seconds(response)
    if response.status_code == _TOO_MANY_REQUESTS:
        return RateLimitedError(what, retry_after=wait or 0.0)
    if response.status_code >= _SERVER_ERRORS and wait is not None:
        return RateLimitedError(what, retry_after=wait)
    if response.status_code >= _SERVER_ERRORS or response.status_code in _ASK_AGAIN:
        return RemoteUnavailableError(what)
    return RemoteRefusedError(what)


def unreadable_failure(doing: str) -> RemoteUnavailableError:
    """Return the error for a success whose body is not the JSON that was promised."""
    return RemoteUnavailableError(f"{doing}: the answer could not be read")


def retry_after_seconds(response: httpx.Response) -> float | None:
    """Return ``Retry-After`` in seconds (number or HTTP date, never negative); None without one."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def safe_code(value: object) -> str:
    """Return a service's error code or request id fit for a log line: short, one word, or ''."""
    return re.sub(r"[^\w.:-]", "_", str(value or ""))[:_CODE_LENGTH]
