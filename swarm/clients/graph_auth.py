"""App-only tokens for Microsoft Graph: client credentials, renewed early, asked for once.

The certificate variant would be another ``TokenProvider``; it does not live here. Nothing asks
for a scope by name: ``/.default`` gives what the tenant's admin granted, which never includes
sending.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote

import httpx
from pydantic import BaseModel, Field, SecretStr

from swarm.clients.bounded_http import BoundedHttp, Bounds
from swarm.clients.http_failures import safe_code, status_failure, unreadable_failure
from swarm.clients.json_answers import read_json
from swarm.clients.patience import Patience, patiently

SCOPE = "https://graph.microsoft.com/.default"
RENEW_EARLY_SECONDS = 300.0
_LONGEST_LIFE = 86_400.0
_UNAUTHORIZED = 401
_BOUNDS = Bounds(seconds=20.0, most_bytes=1 << 20)
_DOING = "asking for a Graph token"


class TokenProvider(Protocol):
    """Where a bearer token comes from."""

    def get(self) -> str:
        """Return a token that is valid now."""
        ...

    def drop(self, token: str) -> None:
        """Forget this token because the service refused it; a newer one is kept."""
        ...


class _TokenAnswer(BaseModel):
    # It becomes a header: nothing but visible ASCII fits there.
    access_token: str = Field(pattern=r"^[\x21-\x7e]+$")
    expires_in: float = Field(ge=0, allow_inf_nan=False)


class ClientCredentials:
    """Client-secret tokens. One lock per instance: many threads, one request for a token."""

    def __init__(
        self,
        *,
        authority: str,
        tenant_id: str,
        client_id: str,
        client_secret: SecretStr,
        transport: httpx.BaseTransport | None = None,
        patience: Patience | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = f"{authority.rstrip('/')}/{quote(tenant_id, safe='')}/oauth2/v2.0/token"
        self._client_id = client_id
        self._secret = client_secret
        timeout = httpx.Timeout(15.0, connect=5.0)
        self._http = BoundedHttp(
            bounds=_BOUNDS, timeout=timeout, transport=transport, connections=1
        )
        self._patience = patience or Patience()
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: str | None = None
        self._good_until = 0.0

    def get(self) -> str:
        """Return the cached token, or a new one from five minutes before it expires.

        Raises ``RemoteRefusedError`` with the AADSTS code, or a transient error.
        """
        with self._lock:
            if self._token is None or self._monotonic() >= self._good_until:
                self._remember(patiently(self._ask, self._patience))
            return self._token or ""

    def drop(self, token: str) -> None:
        """Forget ``token`` if it is still the cached one (another thread may have renewed it)."""
        with self._lock:
            if self._token == token:
                self._token = None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _remember(self, answer: _TokenAnswer) -> None:
        # A token that lives shorter than ten minutes is used for the first half of its life.
        life = min(answer.expires_in, _LONGEST_LIFE)
        early = min(RENEW_EARLY_SECONDS, life / 2)
        self._token = answer.access_token
        self._good_until = self._monotonic() + life - early

    def _ask(self) -> _TokenAnswer:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._secret.get_secret_value(),
            "scope": SCOPE,
        }
        response = self._http.exchange("POST", self._url, doing=_DOING, data=form)
        if not response.is_success:
            error = status_failure(response, _DOING, _aadsts(response))
            # Whatever the login's status was: to those who asked Graph it means "not let in".
            error.http_status = _UNAUTHORIZED
            raise error
        try:
            return _TokenAnswer.model_validate(read_json(response.content))
        except ValueError:
            # The rejected text may hold a token: no cause is attached.
            raise unreadable_failure(_DOING) from None


def _aadsts(response: httpx.Response) -> str:
    try:
        body = read_json(response.content)
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    codes = body.get("error_codes")
    number = codes[0] if isinstance(codes, list) and codes else ""
    return " ".join(part for part in (safe_code(body.get("error")), safe_code(number)) if part)
