"""A deadline over a whole exchange. httpx only limits each read: an answer that drips one byte
every few seconds would hold a publisher for ever, past the moment when the reaper must settle its
claim.
"""

import contextlib
import socket
import threading
from collections.abc import Mapping
from types import TracebackType

from httpcore import NetworkStream

_CONNECTED = frozenset({"connection.connect_tcp.complete", "connection.start_tls.complete"})


class WatchedSocket:
    """The socket behind an httpx client that holds one connection at most, also while reused."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def watch(self, event: str, info: Mapping[str, object]) -> None:
        """Remember the socket; handed to httpx as the ``trace`` extension of the request."""
        stream = info.get("return_value")
        if event in _CONNECTED and isinstance(stream, NetworkStream):
            found = stream.get_extra_info("socket")
            self._socket = found if isinstance(found, socket.socket) else None

    def cut(self) -> None:
        """Shut the connection down; whoever reads from it fails as with any lost connection."""
        if self._socket is not None:
            with contextlib.suppress(OSError):  # closed in the same moment: nothing left to cut
                self._socket.shutdown(socket.SHUT_RDWR)


class TotalDeadline:
    """Cuts the connection when time is up. ``over`` tells it from a connection lost otherwise."""

    def __init__(self, seconds: float, watched: WatchedSocket | None = None) -> None:
        self._watched = watched or WatchedSocket()
        self.watch = self._watched.watch
        self.over = False
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "TotalDeadline":
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        self.over = True
        self._watched.cut()
