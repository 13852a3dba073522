"""A house whose alerts are told to real HTTP servers, with a clock that can be moved."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr
from scripted_server import Answer, Asked, ScriptedServer, scripted

from swarm.settings import AlertSettings
from swarm.store import alerts
from swarm.store.database import Database
from swarm.watchman.delivery import Delivery
from swarm.watchman.messages import Voice
from swarm.watchman.sinks.configured import configured_sinks

OK = Answer(body=b"ok")
DOWN = Answer(status=503, body=b"")

Json = dict[str, object]


@dataclass
class Chat:
    """A server in the shape of a Slack webhook (and of PagerDuty: it takes any JSON)."""

    server: ScriptedServer
    answer: Answer = OK

    def respond(self, _asked: Asked) -> Answer:
        return self.answer

    @property
    def url(self) -> SecretStr:
        return SecretStr(f"{self.server.url}/services/T0/B0/hush")

    @property
    def bodies(self) -> list[Json]:
        """What was asked, taken or not."""
        return [json.loads(asked.body) for asked in self.server.asked]

    @property
    def said(self) -> list[str]:
        """The headlines as Slack would show them, without the sign in front."""
        return [str(body["text"]).split(" ", 1)[1] for body in self.bodies]


@contextmanager
def chat() -> Iterator[Chat]:
    """Yield a running webhook."""
    with scripted(lambda _asked: OK) as server:
        running = Chat(server)
        server.script = running.respond
        yield running


Make = Callable[..., "Told"]
"""Makes a house; its connections are closed with the test."""


@contextmanager
def houses() -> Iterator[Make]:
    """Yield what makes houses, and close their connections afterwards."""
    with ExitStack() as made:

        def make(database: Database, settings: AlertSettings, **more: object) -> Told:
            house = Told(database, settings, **more)  # type: ignore[arg-type]
            made.callback(house.close)
            return house

        yield make


@dataclass
class Told:
    """The deliveries of one watchman."""

    database: Database
    settings: AlertSettings
    holder: str = "this watchman"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    deliveries: tuple[Delivery, ...] = ()

    def __post_init__(self) -> None:
        house = Voice(name="test", ui_url="http://ui.test", desk_url="http://desk.test")
        self.deliveries = tuple(
            Delivery(
                self.database, sink, self.settings, house, holder=self.holder,
                clock=lambda: self.now,
            )
            for sink in configured_sinks(self.settings)
        )  # fmt: skip

    def close(self) -> None:
        for delivery in self.deliveries:
            delivery.sink.close()

    def deliver(self, **later: float) -> int:
        """Let time pass, then let every sink have a turn."""
        self.now += timedelta(**later)
        return sum(delivery.turn() for delivery in self.deliveries)

    def fire(self, kind: str = "work_order.dead", subject: str = "wo_a", detail: str = "d") -> None:
        with self.database.transaction() as connection:
            alerts.raise_alert(connection, kind, subject, detail)

    def grow(self, kind: str, subject: str, total: int | None = None) -> None:
        with self.database.transaction() as connection:
            alerts.raise_growing(connection, kind, subject, "it grows", total=total)

    def end(self, kind: str = "work_order.dead", subject: str = "wo_a") -> None:
        with self.database.transaction() as connection:
            assert alerts.resolve(connection, kind, subject)

    def rows(self, query: str) -> list[dict[str, object]]:
        with self.database.transaction() as connection:
            return connection.execute(query.encode()).fetchall()
