"""POSTs JSON to the one address a webhook has. Bounded; says in our words what went wrong."""

from collections.abc import Mapping
from typing import Final

import httpx
from pydantic import JsonValue, SecretStr

from swarm.clients.bounded_http import BoundedHttp, Bounds
from swarm.clients.http_failures import status_failure
from swarm.errors import RemoteRefusedError
from swarm.watchman.sinks.protocol import MessageRefusedError

DEADLINE_SECONDS: Final = 10.0
BOUNDS = Bounds(seconds=DEADLINE_SECONDS, most_bytes=64 << 10)  # a webhook answers in a few words
_TIMEOUT = httpx.Timeout(DEADLINE_SECONDS, connect=5.0)

# The request could not be taken as it was: the next message may be. All else is about the address.
_ABOUT_THE_MESSAGE = frozenset({400, 413, 422})


class Posting:
    """One address that is asked, by name in errors: the address itself is a secret."""

    def __init__(self, name: str, url: SecretStr) -> None:
        self._name = name
        self._url = url
        self._http = BoundedHttp(bounds=BOUNDS, timeout=_TIMEOUT, connections=1)

    def post(self, body: Mapping[str, JsonValue]) -> None:
        """POST the body; returns when it was taken (2xx). Raises what ``Sink.tell`` may."""
        self._ask("POST", body)

    def get(self) -> None:
        """GET the address; raises as ``post`` does."""
        self._ask("GET", None)

    def _ask(self, method: str, body: Mapping[str, JsonValue] | None) -> None:
        doing = f"telling {self._name}"
        answer = self._http.exchange(method, self._url.get_secret_value(), doing=doing, json=body)
        if answer.is_success:
            return
        error = status_failure(answer, doing)
        if isinstance(error, RemoteRefusedError) and answer.status_code in _ABOUT_THE_MESSAGE:
            raise MessageRefusedError(error.message)
        raise error

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
