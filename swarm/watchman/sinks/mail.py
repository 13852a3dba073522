"""Mail to our own people by SMTP. The only mail this product ever sends, and none to a customer.

Recipients are those of ``ALERT_MAIL_TO``, fixed when the sink is made; no message names one. The
text is a message of ours. STARTTLS (or smtps) is demanded but on this machine; a login is only
given under it. Source: RFC 5321, RFC 3207; RFC 3834 for ``Auto-Submitted``.
"""

import contextlib
import platform
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Final
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from swarm.clients.http_failures import kind_of
from swarm.errors import RemoteRefusedError, RemoteUnavailableError, SwarmError
from swarm.settings import SMTP_PORTS, on_loopback
from swarm.watchman.messages import Course, Notice
from swarm.watchman.sinks.protocol import MessageRefusedError

DEADLINE_SECONDS: Final = 15.0
_EACH_SECONDS = 10.0
_FOR_GOOD = 500  # replies from here on say no for good


class MailSink:
    """Sends one mail a message, each on a connection of its own."""

    name: Final = "mail"

    def __init__(
        self,
        url: SecretStr,
        sender: str,
        recipients: tuple[str, ...],
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._url = url
        self._sender = sender
        self._recipients = recipients
        self._deadline_seconds = deadline_seconds

    def tell(self, message: Notice) -> None:
        """Send it to every configured address; raises as ``Sink.tell`` says.

        Taken as soon as one address is: one who left the house must not silence the others.
        """
        failure = self._sent(self._mail(message))
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Nothing is kept open."""

    def _sent(self, mail: EmailMessage) -> SwarmError | None:
        """Return what went wrong, so that no exception of smtplib's (they quote the server) is in
        the chain of ours.
        """
        try:
            with self._session() as smtp:
                smtp.send_message(mail, self._sender, self._recipients)
        except smtplib.SMTPDataError as error:
            return _refusal(error.smtp_code, about="the message")
        except smtplib.SMTPResponseException as error:
            return _refusal(error.smtp_code, about="us")
        except smtplib.SMTPRecipientsRefused:
            return RemoteRefusedError("telling mail: the server takes none of the addresses")
        except smtplib.SMTPNotSupportedError:
            return RemoteRefusedError("telling mail: the server offers no STARTTLS or no login")
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return RemoteUnavailableError(f"telling mail: no answer ({kind_of(error)})")
        return None

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """Yield a session that may be written to; cut when its time is over."""
        parts = urlsplit(self._url.get_secret_value())
        host, port = parts.hostname or "", parts.port or SMTP_PORTS[parts.scheme]
        with _Cut(self._deadline_seconds) as cut:
            implicit = parts.scheme == "smtps"
            kind = _TlsSession if implicit else _Session
            with contextlib.closing(kind(cut, host, port)) as smtp:
                if not implicit and not on_loopback(host):
                    smtp.starttls(context=ssl.create_default_context())
                if parts.username:
                    smtp.login(unquote(parts.username), unquote(parts.password or ""))
                yield smtp
                with contextlib.suppress(smtplib.SMTPException, OSError):  # taken: only manners
                    smtp.quit()

    def _mail(self, message: Notice) -> EmailMessage:
        mail = EmailMessage()
        domain = self._sender.rpartition("@")[2]
        incident = f"<{sha256(message.incident.encode()).hexdigest()[:32]}@{domain}>"
        mail["Subject"] = f"[swarm] {message.headline}"
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._recipients)
        mail["Date"] = format_datetime(message.at)
        mail["References"] = incident  # a mail program shows an incident as one conversation
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Priority"] = "1" if message.course is Course.FIRING else "3"
        mail.set_content("\n\n".join((message.headline, *message.lines, message.link)))
        return mail


class _Cut:
    """Shuts the connection down when time is up; whoever reads from it fails as with a lost one.

    Holds a second handle of the socket, for TLS takes the first one away while it shakes hands.
    """

    def __init__(self, seconds: float) -> None:
        self._kept: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def watch(self, connected: socket.socket) -> socket.socket:
        """Remember the socket; returns it."""
        self._kept = connected.dup()
        return connected

    def __enter__(self) -> "_Cut":
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()
        if self._kept is not None:
            self._kept.close()

    def _cut(self) -> None:
        if self._kept is not None:
            with contextlib.suppress(OSError):  # closed in the same moment: nothing left to cut
                self._kept.shutdown(socket.SHUT_RDWR)


class _Session(smtplib.SMTP):
    """Connects at once; ``cut`` knows the socket before the first byte is read from it."""

    def __init__(self, cut: _Cut, host: str, port: int) -> None:
        self._cut = cut
        name = platform.node() or "localhost"  # else the resolver is asked, for as long as it likes
        super().__init__(host, port, local_hostname=name, timeout=_EACH_SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._cut.watch(socket.create_connection((host, port), timeout))


class _TlsSession(_Session):
    """The same over TLS from the first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _refusal(code: int, *, about: str) -> SwarmError:
    said = f"telling mail: the server refuses {about} (SMTP {code})"
    if code < _FOR_GOOD:
        return RemoteUnavailableError(said)
    return MessageRefusedError(said) if about == "the message" else RemoteRefusedError(said)
