"""The one POST against a real socket: what really happens on the wire, not what a mock says."""

import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr

from swarm.clients.protocol import NotSentError, OutcomeUnknownError
from swarm.clients.zapier import ZapierHook
from swarm.sandbox.addresses import MAILBOX
from swarm.sandbox.server import RunningSandbox
from swarm.settings import ZapierSettings

pytestmark = pytest.mark.integration
CANARY = "canary7secret"


def payload(sandbox: RunningSandbox) -> dict[str, str]:
    mail = sandbox.seed_mail("anna.keller@example.org", subject="Order", body_text="Where?")
    return {
        "auto_send": "false",
        "idempotency_key": "wo_x",
        "mailbox": MAILBOX,
        "message_id": str(mail["id"]),
        "conversation_id": str(mail["conversationId"]),
        "subject": "RE: Order",
        "body_html": "<p>On its way</p>",
    }


def hook_at(url: str, **limits: float) -> ZapierHook:
    return ZapierHook(ZapierSettings(hook_url=SecretStr(url)), **limits)


@contextmanager
def server(*answers: bytes, pause: float = 0.0) -> Iterator[str]:
    """A socket that reads one request and answers these pieces, then closes."""
    listening = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            for piece in answers:
                try:
                    connection.sendall(piece)
                except OSError:
                    return
                time.sleep(pause)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/hooks/catch/1/{CANARY}/"
    thread.join(5)
    listening.close()


def test_an_accepted_post_becomes_one_draft_in_the_conversation(
    sandbox: RunningSandbox, hook: ZapierHook
) -> None:
    given = payload(sandbox)
    receipt = hook.post(given)
    (draft,) = sandbox.wait_for_drafts(1, conversation_id=given["conversation_id"])
    assert receipt.request_id == sandbox.deliveries()[-1]["request_id"]
    assert (draft["folder"], draft["uniqueHtml"]) == ("drafts", "<p>On its way</p>")


@pytest.mark.fault("T32")
def test_a_refused_connection_is_proven_not_sent() -> None:
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    with pytest.raises(NotSentError):
        hook_at(f"http://127.0.0.1:{port}/{CANARY}").post({"auto_send": "false"})


@pytest.mark.fault("T32")
def test_an_unknown_host_is_proven_not_sent() -> None:
    with pytest.raises(NotSentError):
        hook_at(f"https://no-such-host.invalid/{CANARY}").post({"auto_send": "false"})


@pytest.mark.fault("T32")
def test_a_failed_tls_handshake_is_proven_not_sent() -> None:
    with server(b"this is not TLS") as url, pytest.raises(NotSentError):
        hook_at(url.replace("http://", "https://")).post({"auto_send": "false"})


@pytest.mark.fault("T32")
def test_a_429_is_proven_not_sent_and_leaves_no_delivery(
    sandbox: RunningSandbox, hook: ZapierHook
) -> None:
    before = len(sandbox.deliveries())
    sandbox.fault("zapier", "status", times=1, status=429, retry_after="30")
    with pytest.raises(NotSentError) as caught:
        hook.post(payload(sandbox))
    assert caught.value.retry_after == 30
    assert len(sandbox.deliveries()) == before


@pytest.mark.fault("T31")
@pytest.mark.parametrize("kind", ["reset_after_accept", "garbled"])
def test_a_lost_answer_is_unknown_although_the_draft_comes(
    sandbox: RunningSandbox, hook: ZapierHook, kind: str
) -> None:
    given = payload(sandbox)
    sandbox.fault("zapier", kind, times=1)
    with pytest.raises(OutcomeUnknownError):
        hook.post(given)
    assert len(sandbox.wait_for_drafts(1, conversation_id=given["conversation_id"])) == 1


@pytest.mark.fault("T31")
def test_a_time_out_after_accepting_is_unknown_although_the_draft_comes(
    sandbox: RunningSandbox,
) -> None:
    given = payload(sandbox)
    sandbox.fault("zapier", "timeout_after_accept", times=1, seconds=0.3)
    with pytest.raises(OutcomeUnknownError):
        hook_at(sandbox.environment["ZAPIER_HOOK_URL"], read_seconds=0.1).post(given)
    assert len(sandbox.wait_for_drafts(1, conversation_id=given["conversation_id"])) == 1


@pytest.mark.fault("T33")
def test_a_500_is_unknown(sandbox: RunningSandbox, hook: ZapierHook) -> None:
    sandbox.fault("zapier", "status", times=1, status=500)
    with pytest.raises(OutcomeUnknownError, match="HTTP 500"):
        hook.post(payload(sandbox))


def test_the_empty_answer_of_silent_mode_is_accepted(
    sandbox: RunningSandbox, hook: ZapierHook
) -> None:
    sandbox.fault("zapier", "silent", times=1)
    assert hook.post(payload(sandbox)).request_id is None


@pytest.mark.fault("T33")
def test_an_answer_cut_in_the_middle_is_unknown() -> None:
    with (
        server(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"status"') as url,
        pytest.raises(OutcomeUnknownError),
    ):
        hook_at(url).post({"auto_send": "false"})


@pytest.mark.fault("T33")
def test_an_answer_that_drips_is_cut_at_the_total_deadline() -> None:
    """httpx limits each read; without the total deadline this would last as long as it drips."""
    drops = [b"HTTP/1.1 200 OK\r\n", *[b"X-Drip: 1\r\n"] * 40]
    begun = time.monotonic()
    with server(*drops, pause=0.05) as url, pytest.raises(OutcomeUnknownError):
        hook_at(url, read_seconds=1.0, deadline_seconds=0.15).post({"auto_send": "false"})
    assert time.monotonic() - begun < 1.5


def test_the_url_is_told_to_nobody_over_a_real_socket(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "httpx", "httpcore.connection", "httpcore.http11"):
        caplog.set_level(logging.DEBUG, logger=name or None)
    with (
        server(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") as url,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        hook_at(url).post({"auto_send": "false"})
    told = [caplog.text, *(repr(vars(record)) for record in caplog.records)]
    told += traceback.format_exception(caught.value)
    assert not any(CANARY in text for text in told)
