"""The endpoint of the watchman: what Prometheus, a load balancer or a person asks over HTTP.

It answers GET (and HEAD) and changes nothing; numbers and names of programs only, no work order and
no mail. It listens on loopback, and on ``METRICS_LISTEN`` where that names another address: a
scraper of another machine comes through the proxy, or over a network that the owner chose. The name
a client asked for (``Host``) is not looked at: there is no login here that a web page could borrow
and nothing that it could do, a scraper may know the machine under any name, and no browser lets a
foreign page read the answer unless that page first takes over the name; then it reads these
numbers. What lives elsewhere: the numbers (``swarm.observe.metrics``), what ready means
(``readiness``).
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import uvicorn
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from swarm.errors import ConfigurationError
from swarm.observe.metrics.collector import SharedReading
from swarm.observe.metrics.reading import read
from swarm.observe.metrics.shared import Shared
from swarm.observe.metrics.streams import HomeFiles
from swarm.settings import CoreSettings
from swarm.store.database import Database
from swarm.watchman import readiness

_CONNECT_SECONDS = 2.0
_AT_ONCE = 30  # each waits for the same reading; more are told to come again (503)
_LOOPBACK = "127.0.0.1"


def endpoint(database: Database, home: Path) -> Starlette:
    """Return the application that answers ``/metrics``, ``/healthz`` and ``/readyz``."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(SharedReading(partial(read, database, HomeFiles(home))))
    asked = Shared(partial(readiness.checks, database), kept=1.0, patience=5.0)

    def numbers(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    async def lives(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    def ready(_request: Request) -> Response:
        found = asked.get() or readiness.unanswered("it did not answer within 5 s")
        is_ready = all(each.ok for each in found)
        told = {"ready": is_ready, "checks": [each.model_dump() for each in found]}
        return JSONResponse(told, 200 if is_ready else 503)

    return Starlette(
        routes=[Route("/metrics", numbers), Route("/healthz", lives), Route("/readyz", ready)]
    )


@contextmanager
def serving(core: CoreSettings, port: int) -> Iterator[None]:
    """Answer on a thread while the block runs, over a pool of its own that waits for nobody long.

    Raises ``ConfigurationError`` when it cannot listen there.
    """
    url = core.database_url.get_secret_value()
    with ExitStack() as stack:
        addresses = dict.fromkeys((_LOOPBACK, core.metrics_listen))
        sockets = [stack.enter_context(_listening(address, port)) for address in addresses]
        database = Database(url, max_connections=3, timeout=_CONNECT_SECONDS)
        stack.callback(database.close)
        config = uvicorn.Config(
            endpoint(database, core.swarm_home), log_level="critical", access_log=False, ws="none",
            lifespan="off", limit_concurrency=_AT_ONCE, timeout_graceful_shutdown=1,
            server_header=False,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=(sockets,), name="endpoint", daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.should_exit = True
            thread.join(5)


def _listening(address: str, port: int) -> socket.socket:
    try:
        family, _, _, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((str(place[0]), port), family=family)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {address} port {port}: {error.strerror or error}",
            hint="METRICS_LISTEN names an address of this machine; --metrics-port another port",
        ) from None
