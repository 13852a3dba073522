"""Turns httpx failures and HTTP statuses into our error tree, once for all clients.

Functions *return* errors so that callers write ``raise ... from error``. ``doing`` is a phrase of
ours ("reading the conversation"): no URL, address, id or body text ever enters a message. What a
service calls its error (a code, a request id) may, because support needs it.
"""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from swarm.errors import (
    RateLimitedError,
    RemoteRefusedError,
    RemoteUnavailableError,
    SwarmError,
)
from swarm.patterns import linear

_PLAIN_SECONDS = linear(r"[0-9]{1,9000}(?:\.[0-9]{1,9000})?")
_NOT_CODE = linear(r"[^\w.:-]")

_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500
_ASK_AGAIN = frozenset({408, 423, 425})
_CODE_LENGTH = 80
LONGEST_ASKED = 86_400.0  # a longer wait is a mistake of somebody's clock; ours ask again in a day


def transport_failure(error: Exception, doing: str) -> RemoteUnavailableError:
    """Return the error for a request without an answer; names the kind of failure, not the URL."""
    return RemoteUnavailableError(f"{doing}: no answer ({kind_of(error)})")


def kind_of(error: Exception) -> str:
    """Say in words how a request failed; httpx' texts may quote the host, proxies even the URL."""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "it took too long"
    if isinstance(error, httpx.ConnectError | httpx.ProxyError | ConnectionRefusedError):
        return "it cannot be connected to"
    if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError | OSError):
        return "the connection broke"
    return "what came cannot be read"


def status_failure(response: httpx.Response, doing: str, detail: str = "") -> SwarmError:
    """Return the error for an answer that is not a success.

    429, and 5xx that come with ``Retry-After``, ask us to wait; other 5xx, 408, 423 and 425 may
    pass; everything else is a refusal that trying again does not change.
    """
    error = _by_status(response, detail, doing)
    error.http_status = response.status_code
    return error


def _by_status(response: httpx.Response, detail: str, doing: str) -> SwarmError:
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
    """Return ``Retry-After`` in seconds (number or HTTP date), 0 to a day; None without one.

    A date without a zone is meant as GMT, the only zone HTTP knows; what is neither is ignored.
    """
    value = response.headers.get("Retry-After", "").strip()
    if _PLAIN_SECONDS.fullmatch(value):
        return asked_wait(float(value))
    try:
        moment = parsedate_to_datetime(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return asked_wait((aware - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):  # all four come out of parsedate
        return None


def asked_wait(seconds: float) -> float | None:
    """Return a wait that somebody asked for, between 0 and a day; None when it is no number."""
    return None if math.isnan(seconds) else min(max(0.0, seconds), LONGEST_ASKED)


def safe_code(value: object) -> str:
    """Return a service's error code or request id fit for a log line: short, one word, or ''."""
    return _NOT_CODE.sub("_", str(value or "")[:_CODE_LENGTH])
