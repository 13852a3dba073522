"""What the desk lets in and what it puts around every answer: an ASGI layer before any page.

A request is let in when its Host is ours (DNS rebinding), its sizes are small, and, where it would
change something, its Origin and Sec-Fetch-Site say that it comes from a page of ours (cross-site
forms). Headers of an answer forbid scripts, frames, caches and referrers. What lives elsewhere: who
is asking (``person``), how long the headers may be in all (the server, ``swarm.desk.__main__``).

Origin on a form of a page with ``no-referrer`` is ``null``: that counts only together with the
browser's own word that the request is same-origin.
Source: https://fetch.spec.whatwg.org/#append-a-request-origin-header
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_READS = frozenset({"GET", "HEAD"})
_CHANGES = frozenset({"POST"})
_LONGEST_PATH, _LONGEST_QUERY, _LARGEST_BODY = 300, 2_000, 4_096

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none';"
        " base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Refuse = Callable[[int, str, str], Response]
"""Makes the page of a refusal: status, heading, sentence."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The layer around ``app``. ``origin`` is how people reach the desk: scheme, host and port."""

    app: ASGIApp
    origin: str
    refuse: Refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in or answer it; bound what it may bring, guard what goes out."""
        if scope["type"] != "http":
            return
        refused = self._refused(scope)
        if refused is None:
            await self.app(scope, _bounded(receive), _guarded(send))
        else:
            await refused(scope, receive, _guarded(send))

    def _refused(self, scope: Scope) -> Response | None:
        why = next(self._objections(scope), None)
        return None if why is None else self.refuse(*why)

    def _objections(self, scope: Scope) -> Iterator[tuple[int, str, str]]:
        headers, method = Headers(scope=scope), scope["method"]
        if not self._is_ours(headers):
            yield 421, "Not this address", "The desk does not answer to this name."
        if len(scope["path"]) > _LONGEST_PATH or len(scope["query_string"]) > _LONGEST_QUERY:
            yield 414, "Too long", "This address is longer than any page of the desk."
        if method in _READS:
            return
        if method not in _CHANGES:
            yield 405, "Not done here", "Pages of the desk are read."
        if _announced(headers) > _LARGEST_BODY:
            yield 413, "Too large", "No form of the desk is so large."
        if not self._same_origin(headers):
            said = "Only a page of this desk may ask for this. Nothing changed."
            yield 403, "From elsewhere", said

    def _is_ours(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        known = _LOOPBACK | {_host(urlsplit(self.origin).netloc)}
        return len(hosts) == 1 and _host(hosts[0]) in known

    def _same_origin(self, headers: Headers) -> bool:
        said = headers.getlist("origin")
        site = headers.get("sec-fetch-site")
        if len(said) != 1 or site not in {None, "same-origin"}:
            return False
        if said[0] == "null":
            return site == "same-origin"
        host = headers["host"]
        return said[0] in {self.origin, f"http://{host}", f"https://{host}"}


def _host(netloc: str) -> str:
    """Return the name of a host without its port, lower-cased."""
    name, colon, port = netloc.lower().rpartition(":")
    return name if colon and port.isdigit() else netloc.lower()


def _announced(headers: Headers) -> int:
    """Return how long a body says it is; one that says nothing is counted as it comes."""
    said = headers.get("content-length", "0")
    return int(said) if said.isascii() and said.isdigit() else _LARGEST_BODY + 1


def _bounded(receive: Receive) -> Receive:
    """No page reads a body; one that comes all the same ends as a disconnect when it is large."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return message if taken <= _LARGEST_BODY else {"type": "http.disconnect"}

    return bounded


def _guarded(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return guarded
