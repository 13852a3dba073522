"""A prefetcher is killed, stands still, or is told to end: answers stay, nobody waits for long.

Real processes as ``swarm up`` starts them, real Postgres, the sandbox's mailbox and CRM and a slow
model over real HTTP. What lives elsewhere: claims (``integration/prefetch``).
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import waiting
from chat_model_server import ChatModel, serving
from company import Company, founded

from swarm.models import WorkOrder
from swarm.prefetch.claims import LEASE_SECONDS
from swarm.store.database import Database
from swarm.store.postgres_queue import PostgresQueue

pytestmark = pytest.mark.faults

ORDERS, QUESTIONS = 6, 5
SECONDS = 120.0
wait_for = partial(waiting.wait_for, seconds=SECONDS)

# A mail that holds the interpreter: none is known, so one is played. The watch is shortened.
HOLDS = """
import re, sys
from swarm.prefetch import __main__ as program
think = program.think_ahead

def holding(claim, services):
    if claim.work_order_key == sys.argv[1]:
        re.match("(a+)+$", "a" * 60 + "b")
    think(claim, services)

program.think_ahead, program._LONGEST_SILENCE = holding, 3.0
program.main()
"""


@dataclass
class Room:
    """Work orders that are due, a slow model, and prefetchers started one after another."""

    company: Company
    queue: PostgresQueue
    model: ChatModel
    keys: list[str]
    environment: dict[str, str]
    log: Path

    @property
    def database(self) -> Database:
        return self.company.database

    @contextmanager
    def prefetcher(self, *code: str) -> Iterator["subprocess.Popen[bytes]"]:
        command = [sys.executable, *(("-c", *code) if code else ("-m", "swarm.prefetch"))]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def count(self, query: str) -> int:
        with self.database.transaction() as connection:
            row = connection.execute(query.encode()).fetchone()
            return int(row["n"]) if row else 0

    def recorded(self) -> int:
        return self.count("SELECT count(*) AS n FROM model_calls")

    def ended(self, state: str = "done") -> int:
        return self.count(f"SELECT count(*) AS n FROM prefetches WHERE state = '{state}'")

    def leases_run_out(self) -> None:
        self.company.sql(
            f"UPDATE prefetches SET lease_until = lease_until - interval '{LEASE_SECONDS} s'"
        )
        self.company.sql("UPDATE prefetchers SET seen_at = seen_at - interval '11 s'")


@pytest.fixture
def room(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    with founded(database_url, tmp_path, monkeypatch) as company, serving() as model:
        company.queue.give_back(company.fence)
        company.sql("DELETE FROM swarm_jobs")
        keys = [_arrived(company, number) for number in range(ORDERS)]
        environment = {
            **os.environ,
            "SWARM_HOME": str(tmp_path / "home"),
            "MODEL_NAME": "slow",
            "MODEL_BASE_URL": model.url,
        }
        yield Room(company, company.queue, model, keys, environment, tmp_path / "log")


def _arrived(company: Company, number: int) -> str:
    """A mail of a customer of its own, accepted and due."""
    sender, sandbox = f"customer-{number}@example.org", company.sandbox
    contact = sandbox.add_contact("Anna Keller", sender)
    sandbox.add_deal("Order 10482", contact, status="Shipped")
    text = "Hello,\n\ncould you tell me the status of my order 10482?\n"
    mail = sandbox.seed_mail(sender, subject="Order 10482", body_text=text)
    order = WorkOrder.model_validate(
        {
            **company.order.model_dump(mode="json"),
            "key": "wo_" + chr(ord("b") + number) * 24,
            "original_id": f"mail-of-{number}",
            "ref": {
                "mailbox": company.order.ref.mailbox,
                "message_id": str(mail["id"]),
                "internet_message_id": str(mail["internetMessageId"]),
                "conversation_id": str(mail["conversationId"]),
            },
            "sender": {"address": sender},
            "body_text": text,
        }
    )
    company.sql(
        "INSERT INTO work_orders (key, original_id, body) VALUES (%s, %s, %s::jsonb)",
        order.key, order.original_id, order.model_dump_json(),
    )  # fmt: skip
    company.queue.enqueue(order.key)
    return order.key


@pytest.mark.fault("T10")
def test_what_a_killed_one_had_recorded_is_not_asked_again(room: Room) -> None:
    room.model.seconds = 0.5
    with room.prefetcher() as first:
        wait_for(lambda: room.recorded() >= ORDERS + 2, "it is in the middle of it")
        first.send_signal(signal.SIGKILL)
        first.wait()
    kept, asked = room.recorded(), len(room.model.requests)
    assert kept < ORDERS * QUESTIONS, "it was killed in the middle"
    room.leases_run_out()
    with room.prefetcher():
        wait_for(lambda: room.ended() == ORDERS, "the next one ends them all")
    assert room.recorded() == ORDERS * QUESTIONS
    assert len(room.model.requests) - asked == ORDERS * QUESTIONS - kept


def test_while_it_is_dead_runs_are_requested_as_without_one(room: Room) -> None:
    room.model.seconds = 30.0
    with room.prefetcher() as first:
        wait_for(lambda: room.ended("taken") == ORDERS, "it thinks about all of them")
        assert room.queue.request_due(50) == []
        first.send_signal(signal.SIGKILL)
        first.wait()
    wait_for(lambda: len(room.queue.request_due(50)) == ORDERS, "its silence is noticed")


@pytest.mark.fault("T18")
def test_a_mail_that_holds_the_interpreter_takes_no_more_than_three_with_it(room: Room) -> None:
    poison = room.keys[0]
    for _ in range(2):  # all six, then four of them together
        with room.prefetcher(HOLDS, poison) as process:
            assert process.wait(SECONDS) == 1, "the watch ends it"
        room.leases_run_out()
    assert "Timeout" in room.log.read_text(), "where its threads stood is in its log"
    with room.prefetcher(HOLDS, poison):
        wait_for(lambda: room.ended() == ORDERS - 4, "those beside them are thought through")
        wait_for(lambda: len(room.queue.request_due(50)) == ORDERS, "the others left to their runs")


def told_to_end_with_all_in_hand(room: Room) -> None:
    with room.prefetcher() as process:
        wait_for(lambda: room.ended("taken") == ORDERS, "it holds all of them")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_who_is_told_to_end_finishes_what_is_paid_for(room: Room) -> None:
    room.model.seconds = 1.0
    told_to_end_with_all_in_hand(room)
    assert room.ended() == ORDERS
    assert room.recorded() == len(room.model.requests) == ORDERS * QUESTIONS
    assert room.count("SELECT count(*) AS n FROM prefetchers") == 0


def test_who_is_told_to_end_and_cannot_in_time_keeps_nobody_waiting(room: Room) -> None:
    room.model.seconds = 60.0
    told_to_end_with_all_in_hand(room)
    assert room.ended("left") == ORDERS
    assert len(room.queue.request_due(50)) == ORDERS
