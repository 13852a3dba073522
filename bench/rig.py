"""What every engine of the bench works on: a real Postgres, our tables, and doubles in memory.

Postgres is embedded, in a directory of its own, durability on; store, queue, checkpointer, graphs
and rules are ours. The three services answer from memory, and the publisher only closes the work
order as *publishing*: nothing is sent anywhere.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from langgraph.checkpoint.postgres import PostgresSaver
from psycopg.types.json import Jsonb
from replying import CUSTOMER, MAILBOX, Mailbox, order, services

from swarm.models import (
    Address,
    Fence,
    MessageRef,
    PolicyDecision,
    ThreadMessage,
    WorkOrder,
    WorkOrderState,
)
from swarm.settings import QueueSettings
from swarm.stages.services import Services
from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.migrate import migrate
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue

_ORDER = "INSERT INTO work_orders (key, original_id, body) VALUES (%s, %s, %s)"
# What nobody has yet, one row: whoever is a moment later takes the next.
_CLAIM = """
UPDATE swarm_jobs
   SET state = 'requested', attempt = attempt + 1, requested_at = clock_timestamp()
 WHERE work_order_key = (
       SELECT work_order_key FROM swarm_jobs
        WHERE state = 'queued' AND (%(key)s::text IS NULL OR work_order_key = %(key)s)
        ORDER BY queued_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING work_order_key, attempt
"""


@dataclass
class Closing:
    """A publisher that only closes the work order."""

    store: PostgresStore

    def hand_over(self, fence: Fence, decision: PolicyDecision) -> WorkOrderState:
        self.store.close(fence, WorkOrderState.PUBLISHING, "bench")
        return WorkOrderState.PUBLISHING


class Conversations(Mailbox):
    """An Outlook with a customer of its own in each conversation, which is named after him.

    One who writes twice without a reply goes to a human (ES-04), and no draft would be written.
    """

    def conversation(self, conversation_id: str) -> Sequence[ThreadMessage]:
        them = customer(conversation_id)
        return [
            said.model_copy(update={"recipients": (them,)} if said.from_us else {"sender": them})
            for said in self.messages
        ]


@dataclass
class Doubles:
    """What stages reach, and the queue they are asked for through."""

    database: Database
    queue: PostgresQueue
    services: Services
    publisher: Closing

    def claim(self, key: str | None = None) -> tuple[str, int] | None:
        """Take the oldest that waits, or this one; returns its key and attempt."""
        with self.database.transaction() as connection:
            row = connection.execute(_CLAIM, {"key": key}).fetchone()
        return (row["work_order_key"], row["attempt"]) if row else None

    def accept(self, numbers: Sequence[int]) -> list[str]:
        """Take mails in, not yet due; returns their keys."""
        keys = [key_of(number) for number in numbers]
        with self.database.transaction() as connection:
            for key in keys:
                mail = mail_of(key)
                body = Jsonb(mail.model_dump(mode="json"))
                connection.execute(_ORDER, (key, mail.original_id, body))
        return keys

    def make_due(self, keys: Sequence[str]) -> None:
        """Put them into the queue, all at one moment."""
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO swarm_jobs (work_order_key) SELECT unnest(%s::text[])", ([*keys],)
            )

    def must_be_drafted(self, key: str) -> None:
        """An escalated one skips the reply: its time would say nothing."""
        with self.database.transaction() as connection:
            row = connection.execute("SELECT state FROM work_orders WHERE key = %s", (key,))
            if (found := row.fetchone()) is None or found["state"] != WorkOrderState.PUBLISHING:
                raise SystemExit(f"a work order ended without a draft ({found}); no numbers")


def mail_of(key: str) -> WorkOrder:
    ref = MessageRef(mailbox=MAILBOX, message_id="m2", conversation_id=key)
    return order(key=key, original_id=f"bench-{key}", ref=ref, sender=customer(key))


def customer(conversation_id: str) -> Address:
    return CUSTOMER.model_copy(update={"address": f"{conversation_id}@customer.example"})


def key_of(number: int) -> str:
    return "wo_" + f"{number:06d}".translate(str.maketrans("0189", "abcd")).rjust(24, "q")


def doubles(database: Database, saver: PostgresSaver) -> Doubles:
    """A mail from Anna, and those who know about it, on the tables of ``database``."""
    store, queue = PostgresStore(database), PostgresQueue(database, QueueSettings())
    given = replace(services(), store=store, checkpointer=saver, outlook=Conversations())
    return Doubles(database, queue, given, Closing(store))


@contextmanager
def server() -> Iterator[tuple[Path, str]]:
    """A directory of its own with a Postgres in it (``postgres``), and our tables' URL."""
    directory = Path(tempfile.mkdtemp(prefix="swarm-bench-"))
    url = embedded.start(directory / "postgres")
    try:
        migrate(url)
        yield directory, url
    finally:
        embedded.stop(directory / "postgres", immediate=True)
        shutil.rmtree(directory, ignore_errors=True)
