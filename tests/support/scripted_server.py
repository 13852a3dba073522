"""A real HTTP server that answers what a test scripts, also what no server should answer."""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

LONGEST_TRICKLE = 30.0  # the server gives up before a hung test would


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One answer; ``manner`` says how it is sent.

    plain, chunked, closing (no length, ends with the connection), cut (half of the body, then a
    reset), drip (a byte at a time), head_drip (the head a byte at a time), endless (the body over
    and over), reset (nothing at all), raw (the body is everything, head included).
    """

    status: int = 200
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    manner: str = "plain"


Script = Callable[[Asked], Answer]


@dataclass
class ScriptedServer:
    """Runs on a free port; ``script`` may be replaced at any time."""

    script: Script
    url: str = ""
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def scripted(script: Script) -> Iterator[ScriptedServer]:
    """Yield a running server."""
    running = ScriptedServer(script)

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            try:
                while (asked := _read(self)) is not None:
                    running.asked.append(asked)
                    if not _sent(self, running.script(asked)):
                        return
            except OSError:  # the client had enough
                return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        running.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        server.shutdown()


def _read(handler: socketserver.StreamRequestHandler) -> Asked | None:
    first = handler.rfile.readline()
    if not first.strip():
        return None
    method, target, _ = first.decode("latin-1").split(" ", 2)
    headers = {}
    while (line := handler.rfile.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = handler.rfile.read(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)


def _sent(handler: socketserver.StreamRequestHandler, answer: Answer) -> bool:
    """Send the answer; return whether the connection goes on."""
    if answer.manner == "reset":
        _reset(handler)
        return False
    head, body = _head(answer), answer.body
    if answer.manner in ("drip", "head_drip"):
        _dripped(handler, head + body if answer.manner == "head_drip" else body, head, answer)
        return False
    if answer.manner == "endless":
        until = time.monotonic() + LONGEST_TRICKLE
        handler.wfile.write(head)
        while time.monotonic() < until:
            handler.wfile.write(body)
        return False
    if answer.manner == "cut":
        handler.wfile.write(head + body[: len(body) // 2])
        _reset(handler)
        return False
    if answer.manner == "chunked":
        pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"
    handler.wfile.write(body if answer.manner.startswith("raw") else head + body)
    if answer.manner == "raw_and_silent":
        handler.rfile.read(1)  # until the client closes
    return answer.manner in ("plain", "chunked")


def _head(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} Scripted"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if answer.manner in ("plain", "cut", "drip", "head_drip"):
        lines.append(f"Content-Length: {len(answer.body)}")
    if answer.manner == "chunked":
        lines.append("Transfer-Encoding: chunked")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _dripped(
    handler: socketserver.StreamRequestHandler, slow: bytes, head: bytes, answer: Answer
) -> None:
    until = time.monotonic() + LONGEST_TRICKLE
    if answer.manner == "drip":
        handler.wfile.write(head)
    for byte in slow:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.05)
        if time.monotonic() > until:
            return


def _reset(handler: socketserver.StreamRequestHandler) -> None:
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
