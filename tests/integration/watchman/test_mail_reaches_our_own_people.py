"""The mail sink against a real SMTP server: addresses, TLS, login, and a server that misbehaves."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from pydantic import SecretStr

from swarm.errors import RemoteRefusedError, RemoteUnavailableError
from swarm.store.alert_kinds import Severity
from swarm.watchman.messages import Course, Notice
from swarm.watchman.sinks.mail import MailSink
from swarm.watchman.sinks.protocol import MessageRefusedError

pytestmark = pytest.mark.integration

MESSAGE = Notice(
    incident="house:alert:7",
    course=Course.FIRING,
    severity=Severity.PAGE,
    kind="work_order.dead",
    headline="A work order gave up: wo_a",
    lines=("Every attempt failed.",),
    link="http://ui.test/",
    at=datetime(2026, 11, 27, 12, tzinfo=UTC),
)


def free_port(host: str) -> int:
    with closing(socket.socket()) as free:
        free.bind((host, 0))
        return int(free.getsockname()[1])


class Postmaster:
    """Takes mail, or refuses it as told."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.logins: list[object] = []
        self.data_reply = "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data_reply.startswith("250"):
            self.taken.append(envelope)
        return self.data_reply

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        if address.startswith("left"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def authenticator(self, *arguments: object) -> AuthResult:
        data = arguments[-1]
        self.logins.append(data)
        right = getattr(data, "password", b"") == b"p@ss:/word"
        return AuthResult(success=right, handled=right)


def newest(postmaster: Postmaster) -> EmailMessage:
    content = postmaster.taken[-1].content
    assert isinstance(content, bytes)
    parsed = message_from_bytes(content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


@pytest.fixture
def postmaster() -> Postmaster:
    return Postmaster()


@pytest.fixture
def plain(postmaster: Postmaster) -> Iterator[str]:
    controller = Controller(postmaster, hostname="127.0.0.1", port=free_port("127.0.0.1"))
    controller.start()
    yield f"smtp://127.0.0.1:{controller.port}"
    controller.stop()


def sink(url: str, *to: str, seconds: float = 5.0) -> MailSink:
    people = to or ("ada@house.test", "bob@house.test")
    return MailSink(SecretStr(url), "swarm@house.test", people, deadline_seconds=seconds)


def test_it_goes_to_the_configured_people_and_says_that_a_machine_wrote_it(
    postmaster: Postmaster, plain: str
) -> None:
    sink(plain).tell(MESSAGE)
    sink(plain).tell(MESSAGE.model_copy(update={"course": Course.OVER}))
    first, second = postmaster.taken
    assert first.rcpt_tos == second.rcpt_tos == ["ada@house.test", "bob@house.test"]
    mail = newest(postmaster)
    assert mail["Subject"] == "[swarm] A work order gave up: wo_a"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "Every attempt failed." in mail.get_content()
    assert str(mail["References"]).encode() in (first.content or b""), "one conversation"


def test_who_left_the_house_silences_nobody_else(postmaster: Postmaster, plain: str) -> None:
    sink(plain, "left@house.test", "ada@house.test").tell(MESSAGE)
    assert postmaster.taken[0].rcpt_tos == ["ada@house.test"]
    with pytest.raises(RemoteRefusedError, match="none of the addresses"):
        sink(plain, "left@house.test").tell(MESSAGE)


def test_what_the_server_answers_decides_what_is_tried_again(
    postmaster: Postmaster, plain: str
) -> None:
    postmaster.data_reply = "552 too big, says ada@house.test"
    with pytest.raises(MessageRefusedError) as refused:
        sink(plain).tell(MESSAGE)
    postmaster.data_reply = "451 later"
    with pytest.raises(RemoteUnavailableError) as later:
        sink(plain).tell(MESSAGE)
    for caught in (refused, later):
        assert "ada" not in str(caught.value)
        assert caught.value.__context__ is None, "smtplib's error quotes the server"


def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(RemoteUnavailableError, match="cannot be connected to"):
        sink(f"smtp://127.0.0.1:{free_port('127.0.0.1')}").tell(MESSAGE)


def test_a_server_that_drips_is_given_up_in_time() -> None:
    """Each byte comes in time, so that no read of its own ever times out."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with closing(connection):
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b"2")
                    except OSError:
                        return

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        with pytest.raises(RemoteUnavailableError):
            sink(f"smtp://127.0.0.1:{server.getsockname()[1]}", seconds=0.5).tell(MESSAGE)
        stop.set()
        dripping.join(5)


# --- over a network: TLS, or nothing --------------------------------------------------------------


@pytest.fixture
def here() -> str:
    """An address of this machine that is not the loopback: mail to it goes over a network."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking:
        asking.connect(("192.0.2.1", 9))
        address = str(asking.getsockname()[0])
    if address.startswith("127."):
        pytest.skip("this machine has no other address than the loopback")
    return address


@pytest.fixture
def tls(here: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for that address, trusted as the machine's own are."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    chain, key = _certificate(here, tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    return context


def _certificate(address: str, folder: Path) -> tuple[Path, Path]:
    chain, key = folder / "chain.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1"
        f" -subj /CN=mail.test -addext subjectAltName=IP:{address} -out {chain} -keyout {key}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return chain, key


def test_a_login_is_given_under_starttls(
    postmaster: Postmaster, here: str, tls: ssl.SSLContext
) -> None:
    controller = Controller(
        postmaster, hostname=here, port=free_port(here), tls_context=tls, require_starttls=True,
        authenticator=postmaster.authenticator, auth_required=True,
    )  # fmt: skip
    controller.start()
    try:
        port = controller.port
        sink(f"smtp://us:p%40ss%3A%2Fword@{here}:{port}").tell(MESSAGE)
        assert len(postmaster.taken) == 1
        with pytest.raises(RemoteRefusedError, match=r"refuses us \(SMTP 535\)") as caught:
            sink(f"smtp://us:hush@{here}:{port}").tell(MESSAGE)
        assert "hush" not in str(caught.value)
    finally:
        controller.stop()


def test_smtps_is_tls_from_the_first_byte(
    postmaster: Postmaster, here: str, tls: ssl.SSLContext
) -> None:
    controller = Controller(postmaster, hostname=here, port=free_port(here), ssl_context=tls)
    controller.start()
    try:
        port = controller.port
        sink(f"smtps://{here}:{port}").tell(MESSAGE)
        assert len(postmaster.taken) == 1
    finally:
        controller.stop()


def test_a_server_without_tls_gets_nothing_over_a_network(
    postmaster: Postmaster, here: str
) -> None:
    controller = Controller(postmaster, hostname=here, port=free_port(here))
    controller.start()
    try:
        port = controller.port
        with pytest.raises(RemoteRefusedError, match="no STARTTLS"):
            sink(f"smtp://us:hush@{here}:{port}").tell(MESSAGE)
        assert postmaster.taken == []
    finally:
        controller.stop()
