"""Today's sender in this process, as its daemon runs it: its files, its lease, its journal."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from publishing_world import World
from pydantic import SecretStr

from swarm.clients.zapier import ZapierHook
from swarm.errors import DatabaseUnavailableError
from swarm.intake.stream.keys import work_order_key
from swarm.legacy.follow import Follower
from swarm.legacy.home import LegacyFiles
from swarm.legacy.pipeline_daemon import outbox_line
from swarm.legacy.publish_sender import PublishSender
from swarm.legacy.publishing.journal import Journal
from swarm.legacy.publishing.lease import LegacyLease
from swarm.legacy.publishing.sender import LegacySender
from swarm.legacy.publishing.shim import legacy_publisher
from swarm.settings import PublishingSettings, ZapierSettings
from swarm.store.database import Connection, Database

SECRET = "a secret of tests"


class Outage(Database):
    """The same database, which can be out of reach."""

    away = False

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        if self.away:
            raise DatabaseUnavailableError("out of reach")
        with super().transaction() as connection:
            yield connection


class Production:
    """The sender as its daemon runs it, with a clock the test turns."""

    def __init__(self, world: World, home: Path, database: Database | None = None) -> None:
        self.world, self.files, self.now = world, LegacyFiles(home), 1000.0
        self.database = database or Outage(world.database.url)
        self.start()

    def start(self) -> None:
        folder = self.files.outbox.parent
        self.lease = lease = LegacyLease(
            folder, seconds=60, world="", margin_seconds=20, clock=lambda: self.now
        )
        hook = ZapierHook(ZapierSettings(hook_url=SecretStr(self.world.postbox.hook_url)))
        deps = legacy_publisher(
            self.database,
            hook,
            PublishingSettings(),
            lease.holder,
            at_home=lambda _connection: True,
        )
        self.journal = Journal(folder)
        sender = LegacySender(deps, self.journal, lease, SECRET)
        follower = Follower(self.files.outbox, self.files.sender_state)
        self.turn: Callable[[], int] = PublishSender(self.files, follower, sender).turn

    def stop(self) -> None:
        self.journal.close()

    def decide(self, number: int, text: str = "When does my parcel arrive?") -> str:
        """Let the pipeline daemon write its line; returns the work order's key."""
        order = {
            "work_order_id": f"mail-{number}",
            "mailbox": "service@example.org",
            "message_id": "AAMk=",
            "internet_message_id": "<1@example.com>",
            "conversation_id": "c1",
            "received_at": "2026-11-20T12:00:00Z",
            "from": {"address": "customer@example.com"},
            "sender": {"address": "customer@example.com"},
            "id": f"mail-{number}",
            "subject": "Parcel",
            "body_text": text,
        }
        line = outbox_line(json.dumps(order).encode(), "Customer Service")
        assert line is not None
        self.files.outbox.parent.mkdir(parents=True, exist_ok=True)
        with self.files.outbox.open("ab") as outbox:
            outbox.write(line)
        return work_order_key(SECRET, f"mail-{number}")


def state(world: World, key: str) -> tuple[str, str]:
    row = world.row(key)
    return row["publisher"], row["state"]
