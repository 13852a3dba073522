"""Graphs on the Postgres checkpointer survive a killed process: nothing finished is done again."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from replying import (
    KEY,
    Board,
    Mailbox,
    Told,
    accepted,
    brief,
    context,
    received,
    routine,
    services,
)

from swarm.errors import DatabaseUnavailableError
from swarm.models import Evidence, Stage
from swarm.stages.checkpointer import borrowing_checkpointer, postgres_checkpointer
from swarm.stages.enrichment.gather import gather
from swarm.stages.reply.draft import write_draft
from swarm.store.database import Database

pytestmark = pytest.mark.integration

SUPPORT = Path(__file__).parents[2] / "support"

# How a worker waits until what its siblings made has reached Postgres.
SIBLINGS = """
import os, sys, time
import psycopg

def wait_for_siblings(channel, count):
    asked = "SELECT count(*) FROM langgraph.checkpoint_writes WHERE channel = %s"
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        while connection.execute(asked, (channel,)).fetchone()[0] < count:
            time.sleep(0.01)
"""

# Workers that die without a word inside one node, after its siblings are through.
DYING_REVIEWER = """
from replying import Told, accepted, context, received, routine, services
from swarm.stages.checkpointer import postgres_checkpointer
from swarm.models import Stage
from swarm.stages.reply.draft import write_draft

class Dying(Told):
    def review_qa(self, brief, draft):
        wait_for_siblings("reviews", 2)
        os.write(1, ",".join(self.asked).encode())
        os._exit(9)

with postgres_checkpointer(sys.argv[1]) as saver:
    bundle = services(specialist=Dying(), checkpointer=saver)
    accepted(bundle)
    write_draft(received(), context(), routine(), bundle)
"""

DYING_SOURCE = """
from replying import Board, Mailbox, received, services
from swarm.stages.checkpointer import postgres_checkpointer
from swarm.stages.enrichment.gather import gather
from swarm.clock import utc_now

class Dying(Board):
    def deals_of(self, contact_ids):
        wait_for_siblings("updates", 1)
        os._exit(9)

with postgres_checkpointer(sys.argv[1]) as saver:
    gather(received(), services(monday=Dying(), checkpointer=saver, clock=utc_now))
"""


def die(program: str, url: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SIBLINGS + program, url],
        env={**os.environ, "PYTHONPATH": _path()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 9, done.stderr
    return done.stdout


def _path() -> str:
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(SUPPORT), *([inherited] if inherited else [])])


@pytest.mark.fault("T10")
def test_a_killed_reply_loop_goes_on_with_the_reviewer_that_was_missing(
    database_url: str,
) -> None:
    asked = die(DYING_REVIEWER, database_url)
    assert sorted(asked.split(",")) == ["fact", "propose", "tone"]
    with postgres_checkpointer(database_url) as saver:
        who = Told()
        bundle = services(specialist=who, checkpointer=saver)
        accepted(bundle)
        draft = write_draft(received(), context(), routine(), bundle)
        assert draft.offered
        assert who.asked == ["qa"]


@pytest.mark.fault("T10")
def test_a_killed_enrichment_goes_on_with_the_question_that_was_missing(
    database_url: str,
) -> None:
    die(DYING_SOURCE, database_url)
    with postgres_checkpointer(database_url) as saver:
        mailbox, board = Mailbox(), Board()
        found = gather(received(), services(outlook=mailbox, monday=board, checkpointer=saver))
    assert mailbox.asked == []
    assert board.asked == ["deals k1"]
    assert len(found.context.evidence) == 6  # mail, subject, thread, contact, two fields


def test_a_finished_reply_is_not_thought_again_and_new_evidence_is(database_url: str) -> None:
    with postgres_checkpointer(database_url) as saver:
        who = Told()
        bundle = services(specialist=who, checkpointer=saver)
        accepted(bundle)
        first = write_draft(received(), context(), routine(), bundle)
        asked = len(who.asked)
        assert write_draft(received(), context(), routine(), bundle) == first
        assert len(who.asked) == asked
        status: Evidence = context().evidence[1].model_copy(update={"text": "Delivered"})
        newer = context(evidence=(context().evidence[0], status))
        assert "Delivered" in write_draft(received(), newer, routine(), bundle).body_text
        assert len(who.asked) > asked


def test_a_sibling_that_raises_leaves_the_finished_ones_alone(database_url: str) -> None:
    with postgres_checkpointer(database_url) as saver:
        who = Told(reviews={Stage.FACT: ZeroDivisionError("a bug")})
        bundle = services(specialist=who, checkpointer=saver)
        accepted(bundle)
        with pytest.raises(ZeroDivisionError):
            write_draft(received(), context(), routine(), bundle)
        who.reviews.clear()
        write_draft(received(), context(), routine(), bundle)
        assert sorted(who.asked) == ["fact", "fact", "propose", "qa", "tone"]


def test_a_finished_enrichment_leaves_no_checkpoint_and_reads_afresh(database_url: str) -> None:
    with postgres_checkpointer(database_url) as saver:
        mailbox = Mailbox()
        bundle = services(outlook=mailbox, checkpointer=saver)
        gather(received(), bundle)
        with psycopg.connect(database_url) as connection:
            rows = connection.execute("SELECT thread_id FROM langgraph.checkpoints").fetchall()
        assert rows == []
        gather(received(), bundle)
        assert len(mailbox.asked) == 2


def test_checkpoints_hold_no_clients_no_brief_and_only_our_schema(database_url: str) -> None:
    with postgres_checkpointer(database_url) as saver:
        bundle = services(checkpointer=saver)
        accepted(bundle)
        write_draft(received(), context(), routine(), bundle)
    with psycopg.connect(database_url) as connection:
        threads = connection.execute("SELECT DISTINCT thread_id FROM langgraph.checkpoints")
        assert [t[0].split(":")[:2] for t in threads.fetchall()] == [[KEY, "reply"]]
        blobs = connection.execute("SELECT blob FROM langgraph.checkpoint_blobs").fetchall()
    assert not any(brief().received.text.encode() in (row[0] or b"") for row in blobs)


def test_a_database_that_is_away_is_unavailable_not_an_escalation(database_url: str) -> None:
    with postgres_checkpointer(database_url) as saver:
        bundle = services(checkpointer=saver)
        accepted(bundle)
        assert list(saver.list(None)) == []
    # The pool is closed now, as after a lost server.
    with pytest.raises(DatabaseUnavailableError):
        write_draft(received(), context(), routine(), bundle)


def test_a_saver_on_borrowed_connections_reads_and_writes_and_keeps_none(database_url: str) -> None:
    database = Database(database_url, max_connections=1)
    try:
        saver = borrowing_checkpointer(database)
        assert list(saver.list(None)) == []
        bundle = services(checkpointer=saver)
        accepted(bundle)
        assert write_draft(received(), context(), routine(), bundle).offered
        assert len(list(saver.list(None))) > 1
        with database.transaction() as connection:  # the only one: it was given back as it was
            row = connection.execute("SHOW search_path").fetchone()
            assert row
            assert row["search_path"].replace(" ", "") == "swarm,public"
            assert not connection.autocommit
    finally:
        database.close()
