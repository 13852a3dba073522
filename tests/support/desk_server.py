"""The desk as production serves it, on a port of its own, and somebody who asks it over HTTP."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import httpx
import uvicorn

from swarm.desk.__main__ import serving
from swarm.desk.app import Desk
from swarm.store.database import Database

USER = "X-Forwarded-User"


@dataclass(frozen=True)
class ServedDesk:
    """A desk that answers at ``url``."""

    url: str

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def get(self, path: str, **headers: str) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=30) as client:
            return client.get(self.url + path, headers=headers)

    def acknowledge(self, key: str, *, who: str = "ada", **more: str) -> httpx.Response:
        """Press the button, as a browser behind the front door does."""
        headers = {"Origin": self.url, "Sec-Fetch-Site": "same-origin", USER: who} | more
        with httpx.Client(trust_env=False, timeout=30) as client:
            said = {name: value for name, value in headers.items() if value}
            return client.post(f"{self.url}/escalations/{key}/acknowledge", headers=said)


@contextmanager
def served_desk(
    database_url: str,
    *,
    secret: str,
    read_only: bool = False,
    desk_url: str = "http://desk.example.org",
) -> Iterator[ServedDesk]:
    """Serve until the block ends."""
    with closing(Database(database_url, statement_seconds=5, read_only=True)) as database:
        the_desk = Desk(
            database=database,
            secret=secret,
            desk_url=desk_url,
            ui_url="http://127.0.0.1:3000",
            zone="UTC",
            user_header=USER,
            read_only=read_only,
        )
        server = uvicorn.Server(serving(the_desk, 0))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield ServedDesk(f"http://127.0.0.1:{port}")
        finally:
            server.should_exit = True
            thread.join()
