"""``python -m swarm.desk --port N``: serves the desk on 127.0.0.1 until it is told to stop."""

import argparse
from contextlib import closing

import uvicorn

from swarm.desk.app import Desk, desk
from swarm.settings import load_core_settings
from swarm.store.database import Database

_STATEMENT_SECONDS = 5
_LARGEST_HEAD = 16_384  # bytes of request line and headers; more is answered 400


def main() -> None:
    """Parse the arguments and serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m swarm.desk", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    given = parser.parse_args()
    core = load_core_settings()
    url = (core.desk_database_url or core.database_url).get_secret_value()
    database = Database(
        url, max_connections=3, timeout=5.0, statement_seconds=_STATEMENT_SECONDS, read_only=True
    )
    with closing(database):
        uvicorn.Server(serving(Desk.of(core, database), given.port)).run()


def serving(the_desk: Desk, port: int) -> uvicorn.Config:
    """Return how it is served: on loopback, bounded, and without an access log (it would name
    senders that somebody searched for).
    """
    return uvicorn.Config(
        desk(the_desk), host="127.0.0.1", port=port, http="h11", ws="none", lifespan="off",
        h11_max_incomplete_event_size=_LARGEST_HEAD, limit_concurrency=64, timeout_keep_alive=5,
        log_level="critical", access_log=False, proxy_headers=False, server_header=False,
        date_header=False, timeout_graceful_shutdown=1,
    )  # fmt: skip


if __name__ == "__main__":
    main()
