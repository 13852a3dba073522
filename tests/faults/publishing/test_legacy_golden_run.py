"""Today's path does the same, byte for byte, whatever becomes of the new system.

Four times the same mails through the same programs: beside nothing at all (no Postgres, a lease
from before), an idle ledger, the new system at work on the same work orders, and the new system
killed over and over. Outbox and posted payloads equal the golden ones, which a reader can compare
with the mails below. What the ledger adds to a payload (``fence``, ``epoch``, ``attempt``) is
documented; it is set apart here, and equal as well.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import new_system
import psycopg
import pytest
from legacy_programs import READERS, SECRET, SENDER, LegacyHome, mail
from publishing_world import World
from waiting import wait_for

pytestmark = [pytest.mark.faults, pytest.mark.integration]

GOLDEN = Path(__file__).parent / "golden"
LEDGER_FIELDS = ("fence", "epoch", "attempt")
AWAY = "postgresql://postgres@/swarm?host=/nowhere"

MAILS = (
    mail(1, "Parcel 10482", "Hello,\n\nwhen does my parcel 10482 arrive?\n\nAda"),
    mail(2, "Rechnung", "Guten Tag,\n\nbitte senden Sie mir die Rechnung. Wann kommt sie?\n\nAda"),
    mail(3, "My lawyer", "I will see you in court, my lawyer says."),
    mail(4, "Out of office", "I am away.", "Auto-Submitted: auto-replied\n"),
    mail(5, "Grüße & <b>more</b>", "Is the size 42 still there?\nAnd in “blue”? ☕"),
    mail(6, "Re: Parcel 10482", "Thanks!\n\nOn Friday you wrote:\n> soon"),
)
ESCALATED_OR_IGNORED = 2


@pytest.fixture
def legacy(world: World, tmp_path: Path) -> LegacyHome:
    """Today's programs in office, with a lease long enough for the test."""
    world.appoint("legacy")
    return LegacyHome(tmp_path, world.postbox, world.database.url)


def take_a_lease(legacy: LegacyHome) -> None:
    """As a sender has one that worked a minute ago, when there still was a Postgres."""
    with legacy.running(SENDER):
        wait_for(lambda: legacy.beat().get("connected"), "the sender's first turn")


AtWork = Callable[[], object]
"""Whether what runs beside has shown by now that it does."""


@contextmanager
def nothing_at_all(legacy: LegacyHome) -> Iterator[AtWork]:
    take_a_lease(legacy)
    legacy.database_url = AWAY
    yield lambda: True


@contextmanager
def an_idle_ledger(_legacy: LegacyHome) -> Iterator[AtWork]:
    yield lambda: True


@contextmanager
def the_new_system_at_work(legacy: LegacyHome) -> Iterator[AtWork]:
    busy = begin(legacy)
    try:
        yield lambda: has_read_the_stream(legacy)
        assert busy.poll() is None, "it was at work all the time"
    finally:
        busy.kill()
        busy.wait()


@contextmanager
def the_new_system_crashing(legacy: LegacyHome) -> Iterator[AtWork]:
    """Killed again and again, each time a quarter later: at any line of its start and its work,
    and on a slow machine too it gets to work.
    """
    done, kills = threading.Event(), [0]

    def crash() -> None:
        while not done.wait(0):
            one = begin(legacy)
            done.wait(0.5 * 1.25 ** kills[0])
            one.kill()
            one.wait()
            kills[0] += 1

    thread = threading.Thread(target=crash)
    thread.start()
    try:
        yield lambda: kills[0] >= 2 and has_read_the_stream(legacy)
    finally:
        done.set()
        thread.join()


def begin(legacy: LegacyHome) -> "subprocess.Popen[bytes]":
    where = (legacy.database_url, legacy.box.url, str(legacy.stream), SECRET)
    return subprocess.Popen([sys.executable, new_system.__file__, *where])


def has_read_the_stream(legacy: LegacyHome) -> bool:
    with psycopg.connect(legacy.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM swarm.work_orders").fetchone()
    return row is not None and row[0] >= 2


def assert_golden(name: str, found: str) -> None:
    """Compare with the file of that name."""
    assert found == (GOLDEN / name).read_text("utf-8")


@pytest.mark.parametrize(
    "beside",
    [nothing_at_all, an_idle_ledger, the_new_system_at_work, the_new_system_crashing],
    ids=["absent", "idle", "busy", "crashing"],
)
def test_todays_path_gives_the_same_bytes_whatever_the_new_system_does(
    legacy: LegacyHome, beside: Callable[[LegacyHome], AbstractContextManager[AtWork]]
) -> None:
    with beside(legacy) as at_work, legacy.running(*READERS, SENDER):
        legacy.hand_in(*MAILS[:3])
        wait_for(lambda: len(legacy.box.posts) >= 2, "the first posts")
        wait_for(at_work, "the new system to be at it")
        legacy.hand_in(*MAILS)
        expected = len(MAILS) - ESCALATED_OR_IGNORED
        wait_for(lambda: len(legacy.box.posts) >= expected, "all posts")
        wait_for(lambda: legacy.beat().get("lag_bytes") == 0, "the sender to have read all")
    posts = sorted(legacy.box.posts, key=lambda post: post["work_order_id"])
    ledgers = [{name: post.pop(name) for name in LEDGER_FIELDS} for post in posts]
    assert_golden("outbox.jsonl", legacy.outbox().decode())
    assert_golden("posted.json", json.dumps(posts, indent=1, ensure_ascii=False) + "\n")
    assert ledgers == [{"fence": "1", "epoch": "2", "attempt": "1"}] * len(posts)
