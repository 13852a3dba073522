"""The Zapier Catch Hook: one POST on a fresh connection, never repeated here.

Source: publishing protocol v1, the steps "Send" and "Record". 200 means accepted, never done. The
URL is the only secret there is: it stands in no message, no log line and no exception chain
(errors are raised outside the ``except`` block, so that not even ``__context__`` holds the
request).

What an answer proves:
- *not sent*: DNS failure, connection refused, TLS failure (``httpx.ConnectError``: no byte of the
  request had left), and 429. ``NotSentError``; the ledger may try again.
- *accepted*: 2xx with ``"status": "success"``, or an empty body (silent mode).
- *unknown*: everything else. Time-outs of any kind, also of connecting; resets; 5xx; redirects
  (never followed); unreadable answers; and every 4xx but 429, since the hook is documented to
  answer 200 always, so nothing tells whether something in between answered after passing the
  request on. A dead or mistyped URL (404, 410) thus ends HELD with an alert: late, never twice.
"""

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from swarm.clients.bounded_http import BROKEN
from swarm.clients.http_failures import kind_of, retry_after_seconds, safe_code
from swarm.clients.json_answers import read_json
from swarm.clients.protocol import HookReceipt, NotSentError, OutcomeUnknownError
from swarm.clients.quiet import silence_http_loggers
from swarm.clients.total_deadline import TotalDeadline
from swarm.errors import ConfigurationError, RefusedError
from swarm.settings import FORBIDDEN_AUTO_SEND, ZapierSettings

MOST_BYTES = 256 * 1024
_LARGEST_ANSWER = 1 << 20  # the real one has 200 bytes
_CONNECT_SECONDS = 5.0
_READ_SECONDS = 15.0
_DEADLINE_SECONDS = 20.0
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the hook answered; ``content`` is None when it was too large, or did not end."""

    head: httpx.Response
    content: bytes | None


class ZapierHook:
    """``protocol.DraftHook``. Holding one means holding the right to publish."""

    def __init__(
        self,
        settings: ZapierSettings,
        *,
        transport: httpx.BaseTransport | None = None,
        read_seconds: float = _READ_SECONDS,
        deadline_seconds: float = _DEADLINE_SECONDS,
    ) -> None:
        silence_http_loggers()
        self._url = settings.hook_url
        _require_http_url(self._url.get_secret_value())
        self._transport = transport
        self._tls = ssl.create_default_context()  # read once: 20 ms of certificates per client
        self._timeout = httpx.Timeout(read_seconds, connect=_CONNECT_SECONDS)
        self._deadline_seconds = deadline_seconds

    def post(self, payload: Mapping[str, str]) -> HookReceipt:
        """POST once and return what the hook promised.

        Raises ``RefusedError`` before anything leaves (``auto_send`` is not "false", or more than
        256 KB), ``NotSentError`` when proven not sent, else ``OutcomeUnknownError``.
        """
        answer = self._send(_checked_body(payload))
        if isinstance(answer, Exception):
            raise answer
        return _receipt(answer)

    def _send(self, body: bytes) -> _Answer | NotSentError | OutcomeUnknownError:
        with TotalDeadline(self._deadline_seconds) as deadline:
            try:
                return self._post_once(body, deadline)
            except httpx.ConnectError as error:
                return NotSentError(f"the hook could not be reached ({kind_of(error)})")
            except BROKEN as error:
                return OutcomeUnknownError(f"no answer from the hook ({kind_of(error)})")

    def _post_once(self, body: bytes, deadline: TotalDeadline) -> _Answer:
        with (
            httpx.Client(
                transport=self._transport,
                verify=self._tls,
                timeout=self._timeout,
                follow_redirects=False,
                trust_env=False,  # no proxy and no .netrc between us and the one configured host
            ) as client,
            client.stream(
                "POST",
                self._url.get_secret_value(),
                content=body,
                headers={"Content-Type": "application/json", "Connection": "close"},
                extensions={"trace": deadline.watch},
            ) as response,
        ):
            content = self._content(response)
            # A body that ends with its connection looks whole, or empty, when we cut it.
            return _Answer(response, None if deadline.over else content)

    def _content(self, response: httpx.Response) -> bytes | None:
        parts, size = list[bytes](), 0
        until = time.monotonic() + self._deadline_seconds
        for part in response.iter_bytes():
            size += len(part)
            if size > _LARGEST_ANSWER or time.monotonic() > until:
                return None
            parts.append(part)
        return b"".join(parts)


def _receipt(answer: _Answer) -> HookReceipt:
    status = answer.head.status_code
    if status == _TOO_MANY_REQUESTS:
        wait = retry_after_seconds(answer.head) or 0.0
        raise NotSentError("the hook asked us to wait (HTTP 429)", retry_after=wait)
    if not answer.head.is_success:
        raise OutcomeUnknownError(f"the hook answered HTTP {status}")
    if answer.content is not None and not answer.content.strip():
        return HookReceipt(http_status=status)
    said = _object(answer.content)
    if said.get("status") != "success":
        raise OutcomeUnknownError(f"the hook answered HTTP {status} without saying success")
    return HookReceipt(http_status=status, request_id=safe_code(said.get("request_id")) or None)


def _object(content: bytes | None) -> Mapping[str, object]:
    try:
        value = read_json(content or b"null")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _checked_body(payload: Mapping[str, str]) -> bytes:
    if payload.get("auto_send") != "false":
        raise RefusedError(FORBIDDEN_AUTO_SEND)
    body = json.dumps(dict(payload), ensure_ascii=False).encode("utf-8", "surrogatepass")
    if len(body) > MOST_BYTES:
        raise RefusedError(f"the payload has {len(body)} bytes, more than {MOST_BYTES}")
    return body


def _require_http_url(url: str) -> None:
    try:
        usable = httpx.URL(url).scheme in ("https", "http") and bool(httpx.URL(url).host)
    except httpx.InvalidURL:
        usable = False
    if not usable:
        raise ConfigurationError("ZAPIER_HOOK_URL is not an http(s) URL")
