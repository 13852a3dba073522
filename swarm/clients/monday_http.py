"""One GraphQL read on monday: headers, waits, the daily breaker. Knows nothing of boards.

Calls are scarce (1,000 a day on the small plans, failed ones count), so a wait is taken from what
monday says, and the daily limit closes this client until it is reset at 00:00 UTC.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import TypeVar

import httpx
from pydantic import BaseModel, SecretStr

from swarm.clients.bounded_http import AnswerTooLargeError, BoundedHttp, Bounds
from swarm.clients.http_failures import status_failure, unreadable_failure
from swarm.clients.lenient import Gaps
from swarm.clients.monday_errors import MondayAnswer, MondayFault, Remedy, fault_of, read_answer
from swarm.clients.patience import Patience, patiently
from swarm.errors import (
    RateLimitedError,
    RemoteRefusedError,
    RemoteUnavailableError,
    SwarmError,
)

logger = logging.getLogger(__name__)

LONGEST_WAIT = 60.0
_BLOCKED_WAIT = 300.0
_WAITABLE_STATUS = frozenset({423, 429})
_SERVER_ERRORS = 500

_BOUNDS = Bounds(seconds=45.0, most_bytes=16 << 20)  # a full page of ours has about 300 kB

_FRAGMENT = "item.fragment"  # what a query that lists items includes

Model = TypeVar("Model", bound=BaseModel)


class CursorExpiredError(RemoteRefusedError):
    """The page cursor is older than monday keeps it: start again from page 1."""


class DailyLimitError(RemoteUnavailableError):
    """monday's daily limit is used up; nothing is asked until 00:00 UTC."""


class MondayHttp:
    """Sends our documents and returns their ``data``. Thread-safe."""

    def __init__(
        self,
        url: str,
        *,
        token: SecretStr,
        api_version: str,
        transport: httpx.BaseTransport | None = None,
        patience: Patience | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        bounds: Bounds | None = None,
    ) -> None:
        self._url = url
        self._token = token
        self._api_version = api_version
        self._patience = patience or Patience(total_seconds=LONGEST_WAIT)
        self._clock = clock
        self._lock = threading.Lock()
        self._closed_until: datetime | None = None
        self._http = BoundedHttp(
            bounds=bounds or _BOUNDS, timeout=httpx.Timeout(30.0, connect=5.0), transport=transport
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(
        self,
        name: str,
        variables: Mapping[str, object],
        model: type[Model],
        *,
        doing: str,
        gaps: Gaps | None = None,
    ) -> Model:
        """Run the document ``queries/<name>.graphql`` and read its data; waits and retries.

        What could not be read of it is added to ``gaps``; without them it is all or nothing.
        Raises ``DailyLimitError`` at once while the daily limit is used up, ``RateLimitedError``
        when the wait is longer than 60 s, ``RemoteRefusedError`` for mistakes of configuration,
        ``CursorExpiredError``.
        """
        body = {"query": document(name), "variables": dict(variables)}

        def once() -> Model:
            self._refuse_while_closed(doing)
            return self._read(self._post(body, doing), model, doing, gaps)

        return patiently(once, self._patience, hopeless=(DailyLimitError, AnswerTooLargeError))

    def _post(self, body: Mapping[str, object], doing: str) -> httpx.Response:
        headers = {
            "Authorization": self._token.get_secret_value(),  # personal tokens: no "Bearer"
            "API-Version": self._api_version,
        }
        return self._http.exchange("POST", self._url, doing=doing, headers=headers, json=body)

    def _read(
        self, response: httpx.Response, model: type[Model], doing: str, gaps: Gaps | None
    ) -> Model:
        answer = read_answer(response)
        if answer is None:
            if response.is_success:
                raise unreadable_failure(doing)
            raise status_failure(response, doing)
        fault = fault_of(answer, response)
        if fault is not None and not (fault.column_only and response.is_success):
            raise self._error(fault, response, doing)
        if fault is not None:
            logger.warning("%s: some columns are missing (%s)", doing, fault.code)
            if gaps is not None:
                gaps.parts.append(f"some columns are missing ({fault.code})")
        if not response.is_success:
            raise status_failure(response, doing)
        return _data(answer, model, doing, gaps)

    def _error(self, fault: MondayFault, response: httpx.Response, doing: str) -> SwarmError:
        support = f", request-id {fault.request_id}" if fault.request_id else ""
        what = f"{doing}: monday answered {fault.code}{support}"
        if fault.remedy is Remedy.TOMORROW:
            return self._closed(what)
        if fault.remedy is Remedy.START_OVER:
            return CursorExpiredError(what)
        if fault.remedy is Remedy.PAUSE:
            wait = max(fault.retry_in or 0.0, _BLOCKED_WAIT)
            return RateLimitedError(what, retry_after=wait, hint="monday blocked this token")
        status = response.status_code
        if fault.remedy is Remedy.WAIT or status in _WAITABLE_STATUS:
            return RateLimitedError(what, retry_after=fault.retry_in or 0.0)
        if status >= _SERVER_ERRORS:
            return RemoteUnavailableError(what)
        return RemoteRefusedError(what)

    def _closed(self, what: str) -> DailyLimitError:
        """Open the breaker until 00:00 UTC; until then contexts go without monday."""
        today = self._clock().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        with self._lock:
            self._closed_until = today + timedelta(days=1)
        logger.error("monday's daily limit is used up; no calls until 00:00 UTC")
        return DailyLimitError(what, hint="the daily limit resets at 00:00 UTC")

    def _refuse_while_closed(self, doing: str) -> None:
        with self._lock:
            closed = self._closed_until is not None and self._clock() < self._closed_until
        if closed:
            raise DailyLimitError(
                f"{doing}: not asked, monday's daily limit is used up",
                hint="it resets at 00:00 UTC",
            )


def _data(answer: MondayAnswer, model: type[Model], doing: str, gaps: Gaps | None) -> Model:
    found = Gaps()
    try:
        read = model.model_validate(answer.data, context=None if gaps is None else found)
    except ValueError:
        # A null where a list was promised: a lost list must not look like "no such contact".
        raise unreadable_failure(doing) from None
    if gaps is not None:
        gaps.add(found)
    return read


@cache
def document(name: str) -> str:
    """Return the text of ``queries/<name>.graphql`` including the item fragment if it is used."""
    text = _read(name)
    return f"{text}\n{_read(_FRAGMENT)}" if "...ItemWithColumns" in text else text


def _read(name: str) -> str:
    return (files(__package__) / "queries" / f"{name}.graphql").read_text("utf-8")
