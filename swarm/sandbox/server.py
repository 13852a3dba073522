"""Runs the sandbox: as a program for ``swarm up``, or on a thread of a test with a real port."""

import socket
import threading
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from swarm.sandbox.addresses import base_url, environment
from swarm.sandbox.app import build_app
from swarm.sandbox.remote import SandboxControl

_START_SECONDS = 10.0


def serve(directory: Path, port: int, *, settle_seconds: float, samples: bool) -> None:
    """Serve on 127.0.0.1 until the process is told to stop."""
    app = build_app(directory, settle_seconds=settle_seconds, samples=samples)
    uvicorn.Server(_config(app, port)).run()


class RunningSandbox(SandboxControl):
    """A sandbox on a thread of this process, real HTTP on a port of its own.

    Use as a context manager. Its methods are the control API; ``environment`` points clients at it.
    """

    def __init__(
        self, directory: Path, *, settle_seconds: float = 0.02, samples: bool = False
    ) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.environment = environment(self.port)
        super().__init__(base_url(self.port))
        app = build_app(directory, settle_seconds=settle_seconds, samples=samples)
        self._server = _Server(_config(app, self.port))
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="sandbox", daemon=True
        )

    def __enter__(self) -> "RunningSandbox":
        self._thread.start()
        if not self._server.ready.wait(_START_SECONDS):
            raise TimeoutError("the sandbox did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(_START_SECONDS)
        self._socket.close()


class _Server(uvicorn.Server):
    """Says when it is ready, so that nobody has to poll."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _config(app: ASGIApp, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_level="critical",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )
