"""One Graph request: headers, concurrency, retries, paging, error codes. Knows nothing of messages.

Traps this file exists for (httpx 0.28.1, measured): a per-request ``Prefer`` replaces the
client-level one, so each request carries one combined value; ``params={}`` or client-level params
delete the query of a nextLink, so links go out with ``params=None``; the Authorization header
goes to any absolute URL, so a link is followed only to the configured host.
"""

import logging
import uuid
from collections.abc import Mapping
from typing import Annotated, Final, TypeVar

import httpx
from pydantic import BaseModel, BeforeValidator, Field

from swarm.clients.bounded_http import AnswerTooLargeError, BoundedHttp, Bounds
from swarm.clients.graph_auth import TokenProvider
from swarm.clients.http_failures import safe_code, status_failure, unreadable_failure
from swarm.clients.json_answers import read_json
from swarm.clients.lenient import Lenient
from swarm.clients.patience import Patience, patiently
from swarm.clients.protocol import DeltaExpiredError
from swarm.errors import RemoteRefusedError, RemoteUnavailableError, SwarmError
from swarm.host_slots import NoSlotError, ProcessSlots, Slots

logger = logging.getLogger(__name__)

IMMUTABLE_IDS = 'IdType="ImmutableId"'

AT_ONCE: Final = 4
"""Requests that Outlook allows an app on one mailbox at once, over all its processes: throttling
limits of the Outlook service, Microsoft Graph documentation."""

_LONGEST_WAIT: Final = 60.0  # seconds for a turn among our own requests
_UNAUTHORIZED = 401
_GONE = 410
_EXPIRED_CODES = frozenset({"syncstatenotfound", "resyncrequired"})

Model = TypeVar("Model", bound=BaseModel)
Params = Mapping[str, str]


def _link(value: object) -> object:
    """An unreadable link is one that leads nowhere, not one that is missing: '' is refused."""
    return value if value is None or isinstance(value, str) else ""


Link = Annotated[str | None, BeforeValidator(_link)]


class Page(Lenient):
    """One page of a collection; the links are whole URLs, to be followed verbatim.

    The items are left as they came: whoever reads them isolates a bad one from the others.
    """

    value: list[object]
    next_link: Link = Field(default=None, alias="@odata.nextLink")
    delta_link: Link = Field(default=None, alias="@odata.deltaLink")


def prefer(*, body: str | None = None, page_size: int | None = None, immutable: bool = True) -> str:
    """Return the one combined ``Prefer`` value of a request (RFC 7240 allows the list)."""
    parts = [IMMUTABLE_IDS] if immutable else []
    if body:
        parts.append(f'outlook.body-content-type="{body}"')
    if page_size:
        parts.append(f"odata.maxpagesize={page_size}")
    return ", ".join(parts)


class GraphHttp:
    """Sends requests below one base URL. Thread-safe."""

    def __init__(
        self,
        base_url: str,
        tokens: TokenProvider,
        *,
        transport: httpx.BaseTransport | None = None,
        patience: Patience | None = None,
        bounds: Bounds | None = None,
        slots: Slots | None = None,
    ) -> None:
        self._slots = slots or ProcessSlots(AT_ONCE)
        self._base = httpx.URL(base_url.rstrip("/"))
        self._patience = patience or Patience()
        self._tokens = tokens
        self._http = BoundedHttp(
            bounds=bounds or Bounds(),
            timeout=httpx.Timeout(30.0, connect=5.0),
            transport=transport,
            connections=AT_ONCE,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, params: Params, model: type[Model], *, ask: str, doing: str) -> Model:
        """GET ``path`` below the base URL with ``Prefer: ask``; retried."""
        return self._asked("GET", f"{self._base}{path}", model, ask=ask, doing=doing, params=params)

    def content(self, path: str, *, most_bytes: int, doing: str) -> bytes:
        """GET the bytes behind ``path`` (``$value``); retried.

        Raises ``AnswerTooLargeError`` for more than ``most_bytes``.
        """
        url = f"{self._base}{path}"
        return self._retried("GET", url, ask=prefer(), doing=doing, most_bytes=most_bytes).content

    def follow(self, link: str, *, ask: str, doing: str) -> Page:
        """GET a nextLink or deltaLink verbatim, only to our own host; retried.

        Raises ``RemoteRefusedError`` for a foreign or unreadable one, ``DeltaExpiredError`` on 410.
        """
        self._require_own(link, doing)
        return self._asked("GET", link, Page, ask=ask, doing=doing)

    def patch(self, path: str, body: Mapping[str, object], *, doing: str) -> None:
        """PATCH ``path``; retried, since setting the same values twice is the same."""
        self._retried("PATCH", f"{self._base}{path}", ask=prefer(), doing=doing, body=body)

    def post(
        self, path: str, body: Mapping[str, object], model: type[Model], *, doing: str
    ) -> Model:
        """POST to a function that changes nothing (id translation); retried."""
        url = f"{self._base}{path}"
        return _read(self._retried("POST", url, ask=prefer(), doing=doing, body=body), model, doing)

    def _asked(
        self,
        method: str,
        url: str,
        model: type[Model],
        *,
        ask: str,
        doing: str,
        params: Params | None = None,
    ) -> Model:
        return _read(self._retried(method, url, ask=ask, doing=doing, params=params), model, doing)

    def _retried(
        self,
        method: str,
        url: str,
        *,
        ask: str,
        doing: str,
        params: Params | None = None,
        body: Mapping[str, object] | None = None,
        most_bytes: int | None = None,
    ) -> httpx.Response:
        def once() -> httpx.Response:
            request_id = str(uuid.uuid4())
            headers = {"Prefer": ask, "client-request-id": request_id}
            response = self._send(
                method,
                url,
                headers=headers,
                params=params,
                body=body,
                doing=doing,
                most_bytes=most_bytes,
            )
            _warn_when_ids_are_mutable(response, ask, doing)
            if not response.is_success:
                raise _failure(response, doing, request_id)
            return response

        return patiently(once, self._patience, hopeless=(AnswerTooLargeError,))

    def _send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        params: Params | None,
        body: Mapping[str, object] | None,
        doing: str,
        most_bytes: int | None = None,
    ) -> httpx.Response:
        def asked(token: str) -> httpx.Response:
            own = {**headers, "Authorization": f"Bearer {token}"}
            try:
                with self._slots.held(_LONGEST_WAIT):
                    return self._http.exchange(
                        method,
                        url,
                        doing=doing,
                        headers=own,
                        params=params,
                        json=body,
                        most_bytes=most_bytes,
                    )
            except NoSlotError:
                raise RemoteUnavailableError(
                    f"{doing}: {AT_ONCE} requests of ours are under way for too long"
                ) from None

        token = self._tokens.get()
        response = asked(token)
        if response.status_code != _UNAUTHORIZED:
            return response
        self._tokens.drop(token)  # stale: once more with a new one
        return asked(self._tokens.get())

    def _require_own(self, link: str, doing: str) -> None:
        try:
            theirs = _origin(httpx.URL(link))
        except (httpx.InvalidURL, ValueError):
            theirs = ()
        if theirs != _origin(self._base):
            raise RemoteRefusedError(f"{doing}: a page link leads to a foreign host; not followed")


def _origin(url: httpx.URL) -> tuple[object, ...]:
    """Scheme, host and port, and that no other credentials stand in it. Bytes: nothing decodes."""
    return (url.raw_scheme, url.raw_host, url.port, url.userinfo)


def _read(response: httpx.Response, model: type[Model], doing: str) -> Model:
    try:
        return model.model_validate(read_json(response.content))
    except ValueError:
        # pydantic's message quotes the input, which is mail text: no cause is attached.
        raise unreadable_failure(doing) from None


def _failure(response: httpx.Response, doing: str, client_request_id: str) -> SwarmError:
    code, request_id = _code_and_request_id(response)
    if response.status_code == _GONE or code.lower() in _EXPIRED_CODES:
        return DeltaExpiredError(f"{doing}: the delta token expired")
    named = [code, f"request-id {request_id}" if request_id else ""]
    named.append(f"client-request-id {client_request_id}")
    return status_failure(response, doing, ", ".join(part for part in named if part))


def _code_and_request_id(response: httpx.Response) -> tuple[str, str]:
    """Return Graph's error code (outer, else the innermost that is set) and its request id."""
    request_id = safe_code(response.headers.get("request-id"))
    try:
        answer = read_json(response.content)
    except ValueError:
        return "", request_id
    code, inner = "", answer.get("error") if isinstance(answer, dict) else None
    while isinstance(inner, dict):
        code = code or safe_code(inner.get("code"))
        request_id = request_id or safe_code(inner.get("request-id"))
        inner = inner.get("innerError")
    return code, request_id


def _warn_when_ids_are_mutable(response: httpx.Response, asked: str, doing: str) -> None:
    if IMMUTABLE_IDS not in asked or not response.is_success:
        return
    if "immutableid" not in response.headers.get("Preference-Applied", "").lower():
        logger.warning("%s: Graph did not confirm immutable ids", doing)
