"""One HTTP exchange that ends: in time, in size, at the host it was sent to.

httpx limits each read, not the whole, and reads bodies into memory without a bound; an answer may
drip for hours or be 5 GB long. What lives elsewhere: what an answer means, and asking again.
"""

import queue
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from swarm.clients.http_failures import transport_failure
from swarm.clients.quiet import silence_http_loggers
from swarm.clients.total_deadline import TotalDeadline, WatchedSocket
from swarm.errors import RemoteUnavailableError

# What httpx raises over a hostile answer: its own errors, a bad Location (InvalidURL, or IDNA's and
# the codecs' ValueError), a socket's OSError.
BROKEN = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError, OSError)

_ABOUT_THE_BODY = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


class AnswerTooLargeError(RemoteUnavailableError):
    """The body is larger than this client reads; asking for less may help."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long one exchange may take and how large an answer may be, decoded."""

    seconds: float = 45.0
    most_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class _Lane:
    """One connection and the socket behind it, used by one exchange at a time."""

    client: httpx.Client
    watched: WatchedSocket


class BoundedHttp:
    """Sends requests over a few kept connections. Thread-safe; follows no redirect."""

    def __init__(
        self,
        *,
        bounds: Bounds,
        timeout: httpx.Timeout,
        transport: httpx.BaseTransport | None = None,
        connections: int = 3,
    ) -> None:
        silence_http_loggers()
        self._bounds = bounds
        tls = httpx.create_ssl_context()  # read once: 20 ms of certificates per client
        self._lanes = [
            _Lane(_client(timeout, transport, tls), WatchedSocket()) for _ in range(connections)
        ]
        # Last in, first out: the connection used last is the one most likely alive.
        self._free: queue.LifoQueue[_Lane] = queue.LifoQueue()
        for lane in self._lanes:
            self._free.put(lane)

    def close(self) -> None:
        """Close the connections."""
        for lane in self._lanes:
            lane.client.close()

    def exchange(
        self,
        method: str,
        url: str,
        *,
        doing: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object = None,
        data: Mapping[str, str] | None = None,
        most_bytes: int | None = None,
    ) -> httpx.Response:
        """Return the whole answer, its body decoded, whatever its status.

        ``most_bytes`` bounds this one answer more tightly than the client's own bound.

        Raises ``RemoteUnavailableError`` without an answer or past the deadline,
        ``AnswerTooLargeError``.
        """
        with self._lane(doing) as lane, TotalDeadline(self._bounds.seconds, lane.watched) as limit:
            try:
                request = lane.client.build_request(
                    method,
                    url,
                    headers=headers,
                    params=params,
                    json=json,
                    data=data,
                    extensions={"trace": limit.watch},
                )
                answer = self._whole(lane.client.send(request, stream=True), doing, most_bytes)
            except BROKEN as error:
                if limit.over:
                    raise self._too_slow(doing) from None
                raise transport_failure(error, doing) from None
            if limit.over:  # a body that ends with its connection looks whole when we cut it
                raise self._too_slow(doing)
            return answer

    def _too_slow(self, doing: str) -> RemoteUnavailableError:
        return RemoteUnavailableError(f"{doing}: no whole answer in {self._bounds.seconds:g} s")

    def _whole(
        self, response: httpx.Response, doing: str, most_bytes: int | None
    ) -> httpx.Response:
        bounds = self._bounds
        if most_bytes is not None and response.is_success:  # a refusal says why at its own length
            bounds = Bounds(bounds.seconds, min(most_bytes, bounds.most_bytes))
        answer = whole_answer(response, bounds)
        if answer is None:
            raise AnswerTooLargeError(f"{doing}: the answer is too large to be read")
        return answer

    @contextmanager
    def _lane(self, doing: str) -> Iterator[_Lane]:
        try:
            lane = self._free.get(timeout=self._bounds.seconds)
        except queue.Empty:
            raise RemoteUnavailableError(f"{doing}: every connection is busy") from None
        try:
            yield lane
        finally:
            self._free.put(lane)


def whole_answer(response: httpx.Response, bounds: Bounds) -> httpx.Response | None:
    """Read a streamed answer to its end and close it; None when it is larger than ``bounds``.

    Raises ``httpx.ReadTimeout`` past the deadline, for bodies that keep coming.
    """
    parts, size = list[bytes](), 0
    deadline = time.monotonic() + bounds.seconds
    try:
        for part in response.iter_bytes():
            size += len(part)
            if size > bounds.most_bytes:
                return None
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer does not end")
            parts.append(part)
    finally:
        response.close()
    kept = [each for each in response.headers.raw if each[0].lower() not in _ABOUT_THE_BODY]
    return httpx.Response(
        response.status_code, headers=kept, content=b"".join(parts), request=response.request
    )


def _client(
    timeout: httpx.Timeout, transport: httpx.BaseTransport | None, tls: ssl.SSLContext
) -> httpx.Client:
    return httpx.Client(
        timeout=timeout,
        transport=transport,
        verify=tls,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # none is ever kept
    )
