"""A door between this host's loopback and that of a network namespace, in one process.

The doubles of the services listen on loopback, and every host must know them by one address. A
socket stays in the network in which it was made, so a thread makes the listening one over there.
"""

import ctypes
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CLONE_NEWNET = 0x40000000


@contextmanager
def loopback_reaches(namespace: str, port: int) -> Iterator[None]:
    """Until the end of the block 127.0.0.1:port over there is 127.0.0.1:port here."""
    made: list[socket.socket] = []
    maker = threading.Thread(target=lambda: made.append(_listening_in(namespace, port)))
    maker.start()
    maker.join()
    (listening,) = made
    threading.Thread(target=_serve, args=(listening, port), daemon=True).start()
    try:
        yield
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def _listening_in(namespace: str, port: int) -> socket.socket:
    """For a thread that ends afterwards: it stays in the other network."""
    descriptor = os.open(Path("/run/netns") / namespace, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        return socket.create_server(("127.0.0.1", port), backlog=64)
    finally:
        os.close(descriptor)


def _serve(listening: socket.socket, port: int) -> None:
    while True:
        try:
            near, _ = listening.accept()
        except OSError:
            return
        far = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=_join, args=(near, far), daemon=True).start()


def _join(near: socket.socket, far: socket.socket) -> None:
    with near, far:
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
