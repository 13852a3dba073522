"""The nginx of ``deploy/nginx.conf``, started for real on ports and files of a test's own.

Of the file only what a user changes is changed: ports, folders, upstreams. Requests are written by
hand over TLS, because a polite client would refuse to send what an attacker sends.
"""

import base64
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swarm.up.programs import any_free_port

ROOT = Path(__file__).parents[2]
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
NAME = "swarm.example.com"
DESK, LOOK, LOOK_DESK = f"desk.{NAME}", f"look.{NAME}", f"look-desk.{NAME}"
# htpasswd files: who, password.
PEOPLE, ONLOOKER, SCRAPER = ("anna", "people-secret"), ("otto", "look-secret"), ("prom", "scrape")
_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """What came back; status 0: nothing did."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Door:
    """A running front door."""

    port: int
    plain_port: int
    folder: Path
    address: str = "127.0.0.1"

    def ask(self, method: str, target: str, **more: Any) -> Answer:
        """Send one request as given; read until the other side ends."""
        return self.send(self.written(method, target, **more))

    def written(
        self, method: str, target: str, *, host: str | None = NAME, body: bytes = b"",
        who: tuple[str, str] | None = PEOPLE, origin: str | None = None, json: bool = False,
        headers: Mapping[str, str] | None = None, version: str = "HTTP/1.1",
    ) -> bytes:  # fmt: skip
        """One request; the headers a browser adds are asked for by name."""
        lines = [f"{method} {target} {version}", "Connection: close"]
        lines += [f"Host: {host}"] if host is not None else []
        lines += [f"Authorization: {basic(who)}"] if who else []
        lines += [f"Origin: {origin}"] if origin else []
        lines += ["Content-Type: application/json"] if json else []
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        framed = {name.lower() for name in headers or {}} & {"content-length", "transfer-encoding"}
        lines += [f"Content-Length: {len(body)}"] if body and not framed else []
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def send(self, raw: bytes, *, tls: bool = True) -> Answer:
        """Send bytes; read until the other side ends."""
        with self.connected(tls=tls) as wire:
            try:
                wire.sendall(raw)
            except (ConnectionError, ssl.SSLError):
                return Answer(0)
            return self.answer(wire)

    @staticmethod
    def answer(wire: socket.socket) -> Answer:
        try:
            return _read(wire)
        except (ConnectionError, ssl.SSLError):
            return Answer(0)

    def connected(
        self, *, tls: bool = True, version: ssl.TLSVersion | None = None
    ) -> socket.socket:
        port = self.port if tls else self.plain_port
        wire = socket.create_connection((self.address, port), _SECONDS)
        return self.trust(version).wrap_socket(wire, server_hostname=NAME) if tls else wire

    def trust(self, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "swarm" / "fullchain.pem"))
        if version is not None:
            context.minimum_version = context.maximum_version = version
            context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    @property
    def log(self) -> str:
        return "".join(each.read_text() for each in self.folder.glob("*.log"))


def basic(who: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(who).encode()).decode()


@contextmanager
def front_door(folder: Path, ports: Mapping[str, int]) -> Iterator[Door]:
    """Start the front door before ``ports``: of ui, desk, metrics and look."""
    door = Door(any_free_port(), any_free_port(), folder)
    (folder / "swarm").mkdir(parents=True)
    folder.chmod(0o755)
    shutil.copy("/etc/nginx/mime.types", folder)
    _certificate(folder / "swarm")
    for name, who in (("people", PEOPLE), ("onlookers", ONLOOKER), ("scrapers", SCRAPER)):
        command = ["htpasswd", "-bcB", str(folder / "swarm" / f"{name}.htpasswd"), *who]
        subprocess.run(command, check=True, capture_output=True)
    (folder / "nginx.conf").write_text(_changed(door, ports))
    command = [str(NGINX), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    with (folder / "nginx.out").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        _wait_for(door, process)
        yield door
    finally:
        process.terminate()
        process.wait(20)


def _changed(door: Door, ports: Mapping[str, int]) -> str:
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    changes = {
        "user      www-data;": "user root;",  # the folders of a test are its own
        "/run/nginx.pid": f"{door.folder}/nginx.pid",
        "/var/log/nginx": str(door.folder),
        "listen 443 ": f"listen {door.port} ",
        "listen 80;": f"listen {door.plain_port};",
        "listen 80 ": f"listen {door.plain_port} ",
        "127.0.0.1:3000": f"127.0.0.1:{ports['ui']}",
        "127.0.0.1:3001": f"127.0.0.1:{ports['desk']}",
        "127.0.0.1:3002": f"127.0.0.1:{ports['metrics']}",
        "127.0.0.1:3003": f"127.0.0.1:{ports['look']}",
    }
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    return text


def _certificate(folder: Path) -> None:
    names = f"subjectAltName=DNS:{NAME},DNS:*.{NAME}"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext", names,
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "fullchain.pem")],
        check=True, capture_output=True,
    )  # fmt: skip


def _wait_for(door: Door, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            return door.connected().close()
        except OSError:
            assert process.poll() is None, (door.folder / "nginx.out").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)


def _read(wire: socket.socket) -> Answer:
    raw = bytearray()
    while chunk := wire.recv(65536):
        raw += chunk
        if raw.startswith(b"HTTP/1.1 101"):
            break
    if not raw:
        return Answer(0)
    head, _, body = bytes(raw).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    return Answer(int(first.split()[1]), headers, body)
