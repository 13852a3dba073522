"""The endpoint of the watchman: what Prometheus, a load balancer or a person asks over HTTP.

On loopback; a scraper of another machine comes through the proxy. Numbers only, no work order is
named.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from swarm.observe.metrics import metrics
from swarm.store.database import Database


def endpoint(database: Database) -> Starlette:
    """Return the application that answers ``/metrics``."""

    def numbers(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(metrics(database), media_type="text/plain; version=0.0.4")

    return Starlette(routes=[Route("/metrics", numbers)])


@contextmanager
def serving(database: Database, port: int) -> Iterator[None]:
    """Answer on a thread while the block runs."""
    config = uvicorn.Config(
        endpoint(database), host="127.0.0.1", port=port, log_level="critical", access_log=False,
        ws="none", timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="endpoint", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(5)
