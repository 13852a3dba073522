"""An ``httpx.Client`` for libraries that want one, with every answer bounded in time and size.

The model libraries read whatever comes, byte by byte if need be, for as long as each byte comes in
time. Our own clients use ``bounded_http``, which also knows our errors.
"""

import json

import httpx

from swarm.clients.bounded_http import Bounds, whole_answer
from swarm.clients.quiet import silence_http_loggers
from swarm.clients.total_deadline import TotalDeadline


class WebPageError(httpx.DecodingError):
    """A page for people came, where a machine was asked: of a proxy, or of a house under repair."""


class BrokenOffError(httpx.ReadError):
    """An answer began and did not end: whoever gave it may have been paid for it."""


class BoundedClient(httpx.Client):
    """Each request on a connection of its own, so that a deadline can cut it; no redirects."""

    def __init__(self, bounds: Bounds, timeout: httpx.Timeout) -> None:
        silence_http_loggers()
        super().__init__(
            timeout=timeout,
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self._bounds = bounds

    def send(self, request: httpx.Request, **options: object) -> httpx.Response:
        """Return the whole answer.

        Raises ``httpx.ReadTimeout``, ``httpx.ReadError`` (``BrokenOffError`` once it had begun)
        or, over a success that is a web page, ``WebPageError``.
        """
        with TotalDeadline(self._bounds.seconds) as limit:
            request.extensions = {**request.extensions, "trace": limit.watch}
            wanted = {"auth": options["auth"]} if "auth" in options else {}
            streamed = None
            try:
                streamed = super().send(request, stream=True, **wanted)  # type: ignore[arg-type]
                answer = whole_answer(streamed, self._bounds)
            except (httpx.TransportError, httpx.DecodingError) as error:
                if limit.over:
                    raise httpx.ReadTimeout("no whole answer in time", request=request) from None
                if streamed is None:
                    raise
                raise BrokenOffError("the answer broke off", request=request) from error
            if limit.over:
                raise httpx.ReadTimeout("no whole answer in time", request=request)
            if answer is None:
                raise httpx.ReadError("the answer is too large to be read", request=request)
            if answer.is_success and _is_page(answer):
                raise WebPageError("a web page", request=request)
            return answer


def _is_page(answer: httpx.Response) -> bool:
    """Some servers call each answer a web page, whatever it is."""
    if "text/html" not in answer.headers.get("content-type", "").lower():
        return False
    try:
        json.loads(answer.content, parse_int=str)  # a number of any length is one
    except (ValueError, RecursionError):
        return True
    return False
