"""What each outcome of the one POST proves, and that the hook's URL is never told to anybody."""

import logging
import traceback
from collections.abc import Callable

import httpx
import pytest
from pydantic import SecretStr

from swarm.clients.protocol import HookReceipt, NotSentError, OutcomeUnknownError
from swarm.clients.zapier import MOST_BYTES, ZapierHook
from swarm.errors import ConfigurationError, RefusedError
from swarm.settings import ZapierSettings

CANARY = "canary7secret"
URL = f"https://hooks.example.com/hooks/catch/1/{CANARY}/"
GOOD = {"auto_send": "false", "idempotency_key": "wo_x"}
Handler = Callable[[httpx.Request], httpx.Response]


def hook(handler: Handler, url: str = URL) -> ZapierHook:
    settings = ZapierSettings(hook_url=SecretStr(url))
    return ZapierHook(settings, transport=httpx.MockTransport(handler))


def answers(status: int, **kwargs: object) -> Handler:
    return lambda _: httpx.Response(status, **kwargs)  # type: ignore[arg-type]


def raises(error: Exception) -> Handler:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return handler


def outcome(poster: ZapierHook) -> HookReceipt | NotSentError | OutcomeUnknownError:
    try:
        return poster.post(GOOD)
    except (NotSentError, OutcomeUnknownError) as error:
        return error


def test_an_accepted_post_gives_a_receipt() -> None:
    body = {"id": "1", "request_id": "req-1", "attempt": "1", "status": "success"}
    receipt = hook(answers(200, json=body)).post(GOOD)
    assert (receipt.http_status, receipt.request_id) == (200, "req-1")


def test_the_empty_body_of_silent_mode_is_accepted() -> None:
    assert hook(answers(200)).post(GOOD).request_id is None


@pytest.mark.parametrize(
    "cause",
    [
        httpx.ConnectError(f"[Errno -2] Name or service not known {URL}"),
        httpx.ConnectError(f"[Errno 111] Connection refused {URL}"),
    ],
)
def test_a_connection_that_never_was_proves_that_nothing_was_sent(cause: Exception) -> None:
    with pytest.raises(NotSentError):
        hook(raises(cause)).post(GOOD)


def test_a_429_proves_that_nothing_was_accepted_and_tells_the_wait() -> None:
    with pytest.raises(NotSentError) as caught:
        hook(answers(429, headers={"Retry-After": "120"})).post(GOOD)
    assert caught.value.retry_after == 120


@pytest.mark.parametrize(
    "handler",
    [
        raises(httpx.ConnectTimeout(URL)),
        raises(httpx.ReadTimeout(URL)),
        raises(httpx.WriteTimeout(URL)),
        raises(httpx.ReadError(URL)),
        raises(httpx.WriteError(URL)),
        raises(httpx.RemoteProtocolError(URL)),
        answers(500),
        answers(502, text="bad gateway"),
        answers(302, headers={"Location": "https://elsewhere.example.com/"}),
        answers(400),
        answers(404),
        answers(410),
        answers(200, text="<html>"),
        answers(200, json={"status": "error"}),
        answers(200, json=["success"]),
    ],
)
def test_everything_else_is_unknown(handler: Handler) -> None:
    with pytest.raises(OutcomeUnknownError):
        hook(handler).post(GOOD)


@pytest.mark.parametrize(
    "spoiled", [{"auto_send": "true"}, {"auto_send": ""}, {"auto_send": "False"}, {}]
)
def test_nothing_leaves_unless_auto_send_is_false(spoiled: dict[str, str]) -> None:
    payload = {"idempotency_key": "wo_x", **spoiled}
    with pytest.raises(RefusedError, match="AUTO_SEND_ENABLED"):
        hook(raises(AssertionError("it left"))).post(payload)


def test_a_payload_above_256_kb_is_refused_before_it_leaves() -> None:
    with pytest.raises(RefusedError, match="bytes"):
        hook(raises(AssertionError("it left"))).post({**GOOD, "body_html": "x" * MOST_BYTES})


@pytest.mark.parametrize(
    "url", [f"ftp://example.com/{CANARY}", CANARY, f"https:///{CANARY}", f"https://x/{CANARY}\0"]
)
def test_a_bad_url_is_a_mistake_of_configuration_that_is_not_quoted(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        hook(answers(200), url)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "handler",
    [
        answers(200),
        answers(429),
        answers(503),
        raises(httpx.ConnectError(f"refused {URL}")),
        raises(httpx.ReadTimeout(f"timed out {URL}")),
        raises(httpx.ConnectError(f"certificate {URL}", request=httpx.Request("POST", URL))),
    ],
)
def test_the_url_is_in_no_log_message_exception_or_traceback(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("", "httpx", "httpcore", "httpcore.connection", "httpcore.http11"):
        caplog.set_level(logging.DEBUG, logger=name or None)
    poster = hook(handler)
    told = [repr(poster), repr(vars(poster)), str(poster)]
    error = outcome(poster)
    told += [str(error), repr(error)]
    if isinstance(error, Exception):
        told += traceback.format_exception(error)
        assert error.__cause__ is None
        assert error.__context__ is None
    told += [caplog.text, *(repr(vars(record)) for record in caplog.records)]
    assert not any(CANARY in text for text in told)


def test_one_post_is_one_request() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(500)

    with pytest.raises(OutcomeUnknownError):
        hook(handler).post(GOOD)
    assert len(seen) == 1
    assert seen[0].headers["connection"] == "close"
