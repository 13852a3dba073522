"""All doubles behind one port: carries HTTP to them, counts, and applies the faults any service
knows.

Handlers run to their end on one event loop (SQLite answers in well under a millisecond), so state
needs no locks; only injected latency and time-outs wait.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.types import ASGIApp, Receive, Scope, Send

from swarm.sandbox.control import ControlApi
from swarm.sandbox.faults import Fault, Faults
from swarm.sandbox.graph.service import MOST_CONCURRENT, GraphDouble, error
from swarm.sandbox.model import ModelDouble
from swarm.sandbox.monday.service import MondayDouble
from swarm.sandbox.samples import load_samples
from swarm.sandbox.state import State
from swarm.sandbox.wire import Reply, Request, json_reply
from swarm.sandbox.zapier import ZapierDouble

_TOO_MANY_REQUESTS = 429
_COMMON = ("latency", "timeout", "status", "reset", "drip")
_PREFIXES = {
    "/graph/v1.0": "graph",
    "/login": "login",
    "/monday": "monday",
    "/hooks": "zapier",
    "/model/v1": "model",
    "/_sandbox": "control",
}


class Sandbox:
    """The doubles and their shared state, as one ASGI application."""

    def __init__(self, directory: Path, *, settle_seconds: float, samples: bool) -> None:
        self._state = State(directory)
        self._faults = Faults()
        self._graph = GraphDouble(self._state, self._faults)
        self._monday = MondayDouble(self._state, self._faults)
        self._model = ModelDouble(self._state, self._faults)
        self._zapier = ZapierDouble(
            self._state, self._faults, self._graph.mailboxes, settle_seconds=settle_seconds
        )
        self._control = ControlApi(
            self._state,
            self._faults,
            graph=self._graph,
            monday=self._monday,
            zapier=self._zapier,
            model=self._model,
        )
        self._doubles: dict[str, Callable[[Request], Reply]] = {
            "graph": self._graph.handle,
            "login": self._graph.tokens.handle,
            "monday": self._monday.handle,
            "model": self._model.handle,
            "control": self._control.handle,
        }
        self._running = dict.fromkeys(self._control.calls, 0)
        if samples:
            load_samples(self._monday.boards)

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Run the Zaps, and the automatic human, while the server runs."""
        at_work = (self._zapier.run_zaps(), self._control.automatic.work())
        tasks = [asyncio.create_task(each) for each in at_work]
        yield
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._state.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        http = HttpRequest(scope, receive)
        service, request = await _understood(http)
        reply = await self._counted(service, request)
        if reply.cut:
            _cut(send)
            return
        headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if reply.drip is not None:
            await _drip(send, reply.body, reply.drip)
            return
        await send({"type": "http.response.body", "body": reply.body})

    async def _counted(self, service: str, request: Request) -> Reply:
        if service not in self._running:
            return await self._served(service, request)
        self._control.calls[service] += 1
        self._running[service] += 1
        now, most = self._running[service], self._control.most_concurrent
        most[service] = max(most[service], now)
        try:
            if service == "graph" and now > MOST_CONCURRENT:
                message = "Application is over its MailboxConcurrency limit."
                return error(429, "ApplicationThrottled", message)
            return await self._served(service, request)
        finally:
            self._running[service] -= 1

    async def _served(self, service: str, request: Request) -> Reply:
        fault = self._faults.take(service, *_COMMON)
        if fault is not None and (bent := await _common(fault, service)) is not None:
            return bent
        if service == "zapier":
            reply = await self._zapier.handle(request)
        elif (double := self._doubles.get(service)) is not None:
            reply = double(request)
        else:
            return json_reply(404, {"error": "nothing lives here"})
        if fault is not None and fault.kind == "drip":
            return replace(reply, drip=fault.number("seconds", 1.0))
        return reply


def build_app(directory: Path, *, settle_seconds: float = 0.2, samples: bool = False) -> ASGIApp:
    """Return the ASGI application over the state in ``directory``."""
    sandbox = Sandbox(directory, settle_seconds=settle_seconds, samples=samples)
    app = Starlette(lifespan=sandbox.lifespan)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        # Past Starlette's routing: it only brings the lifespan. A third of the cost per request.
        await (sandbox if scope["type"] == "http" else app)(scope, receive, send)

    return front


async def _understood(http: HttpRequest) -> tuple[str, Request]:
    # The raw path, because a message id may hold an encoded slash.
    path = http.scope.get("raw_path", b"").decode("latin-1").partition("?")[0]
    prefix = next((each for each in _PREFIXES if path.startswith(each + "/")), "")
    if path == "/monday/v2":
        prefix = "/monday"
    request = Request(
        method=http.method,
        path=path[len(prefix) :],
        query=dict(http.query_params),
        headers=dict(http.headers),
        body=await http.body(),
        url=str(http.url),
    )
    return _PREFIXES.get(prefix, ""), request


async def _common(fault: Fault, service: str) -> Reply | None:
    """Apply a fault any service knows; None when the request goes on to be served."""
    if fault.kind in ("latency", "timeout"):
        await asyncio.sleep(fault.number("seconds", 0.1 if fault.kind == "latency" else 30.0))
        return None if fault.kind == "latency" else Reply(504)
    if fault.kind == "drip":
        return None
    if fault.kind == "reset":
        return Reply(200, cut=True)
    status, after = int(fault.number("status", 500)), fault.text("retry_after")
    headers = {"retry-after": after} if after else {}
    if service == "graph":
        usual = "ApplicationThrottled" if status == _TOO_MANY_REQUESTS else "serviceError"
        message = fault.text("message", "A fault of the sandbox.")
        return error(status, fault.text("code", usual), message, headers)
    return json_reply(status, {"error": {"message": "A fault of the sandbox."}}, headers)


async def _drip(send: Send, body: bytes, seconds: float) -> None:
    """Send a body byte by byte, for as long as the client listens (a slow loris)."""
    for byte in body:
        await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await asyncio.sleep(seconds)
    await send({"type": "http.response.body", "body": b""})


def _cut(send: Send) -> None:
    """Abort the TCP connection. uvicorn's ``send`` is bound to the exchange that owns the
    transport; there is no public way, and a double of a reset must reset.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if isinstance(transport, asyncio.BaseTransport):
        getattr(transport, "abort", transport.close)()
