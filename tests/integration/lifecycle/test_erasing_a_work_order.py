"""After an erasure nothing of ours names the work order or says what the mail said (T60)."""

import json
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from langgraph.checkpoint.base import empty_checkpoint
from psycopg.types.json import Jsonb
from search_everything import in_tables

from swarm.errors import MalformedInputError, RefusedError
from swarm.intake.stream.names import find_key
from swarm.intake.stream.rows import accept
from swarm.lifecycle.erasure import Eraser, Erasure
from swarm.models import Address, Event, MessageRef, WorkOrder
from swarm.observe.audit.promises import audit
from swarm.stages.checkpointer import postgres_checkpointer

pytestmark = pytest.mark.integration

SECRET = "a secret of the tests"


@pytest.fixture
def eraser(world, tmp_path: Path) -> Eraser:
    return Eraser(world.database, tmp_path, SECRET)


def erase(eraser: Eraser, name: str, **more: object) -> Erasure:
    return eraser.erase(name, actor="ada", reason="request 12", **more)  # type: ignore[arg-type]


@pytest.mark.fault("T60")
@pytest.mark.parametrize("name", ["published", "escalated"])
def test_no_table_names_an_erased_work_order(world, eraser: Eraser, name: str) -> None:
    key = getattr(world, name)
    with postgres_checkpointer(world.database.url) as saver:
        config = {"configurable": {"thread_id": f"{key}:reply:x", "checkpoint_ns": ""}}
        saver.put(config, empty_checkpoint(), {}, {})
    assert len(in_tables(world.database.url, [key])) > 5
    done = erase(eraser, key)
    assert in_tables(world.database.url, [key, f"WO-{key[3]}"]) == []
    assert done.left == {}
    assert done.places["langgraph.checkpoints"] == 1


def test_the_others_stay_and_every_promise_still_holds(world, eraser: Eraser) -> None:
    erase(eraser, world.published)
    assert len(world.store.events(world.escalated)) > 0
    assert audit(world.database, None, [], required_rules=world.rules).breaches == ()


def test_a_dry_run_counts_and_changes_nothing(world, eraser: Eraser) -> None:
    told = erase(eraser, world.published, dry_run=True)
    assert told.number is None
    assert told.places["swarm.work_orders"] == 1
    assert len(world.store.events(world.published)) > 0
    assert find(world, world.published) == world.published


def test_a_live_work_order_is_not_erased(world, eraser: Eraser) -> None:
    with pytest.raises(RefusedError, match="is running"):
        erase(eraser, world.live)
    assert len(world.store.events(world.live)) > 0


def test_a_work_order_that_a_run_holds_is_not_erased(world, eraser: Eraser) -> None:
    world.queue.open(world.published, "a rerun from the UI", None)
    with pytest.raises(RefusedError, match="held by a run"):
        erase(eraser, world.published)


@pytest.mark.parametrize("state", ["SENDING", "ACCEPTED", "UNKNOWN"])
def test_a_publication_in_flight_is_not_erased(world, eraser: Eraser, state: str) -> None:
    world.run("UPDATE publication_ledger SET state = %(state)s", state=state)
    with pytest.raises(RefusedError, match="publication in flight"):
        erase(eraser, world.published)


def test_what_the_journal_of_todays_sender_holds_is_not_erased(world, eraser: Eraser) -> None:
    (eraser.home / "legacy").mkdir()
    (eraser.home / "legacy" / "journal.jsonl").write_text(f'{{"key": "{world.published}"}}\n')
    with pytest.raises(RefusedError, match="journal"):
        erase(eraser, world.published)


def test_an_address_reaches_all_that_came_from_it_and_nothing_half(world, eraser: Eraser) -> None:
    """One of the three is live: nothing at all goes, so that nothing is forgotten by half."""
    with pytest.raises(RefusedError, match="is running"):
        erase(eraser, "Jane@Customer.example")
    world.run("UPDATE swarm_jobs SET state = 'done' WHERE state = 'running'")
    world.run("UPDATE work_orders SET state = 'dead', final_at = now() WHERE state = 'running'")
    done = erase(eraser, "Jane@Customer.example")
    assert set(done.work_orders) == {world.published, world.escalated, world.live}
    assert in_tables(world.database.url, ["jane@customer.example"]) == []


def test_who_is_erased_is_said_to_be_and_an_unknown_name_is_not(world, eraser: Eraser) -> None:
    erase(eraser, world.published)
    for name in (world.published, "WO-p", " wo-P "):
        with pytest.raises(RefusedError, match=r"erased on .* by ada"):
            find(world, name)
    with pytest.raises(MalformedInputError):
        erase(eraser, "wo_" + "z" * 24)
    with pytest.raises(MalformedInputError):
        erase(eraser, "nobody@nowhere.example")


@pytest.mark.parametrize("reason", ["", "asked by jane@customer.example", "about WO-published"])
def test_a_reason_that_is_missing_or_names_whom_it_forgets_is_refused(
    world, eraser: Eraser, reason: str
) -> None:
    world.run("UPDATE work_orders SET original_id = 'WO-published' WHERE state = 'published'")
    with pytest.raises(RefusedError):
        eraser.erase(world.published, actor="ada", reason=reason)


def test_the_record_says_who_when_why_and_how_much(world, eraser: Eraser) -> None:
    done = erase(eraser, world.published)
    with world.database.transaction() as connection:
        row = connection.execute("SELECT * FROM erasure").fetchone()
    assert (row["id"], row["actor"], row["reason"]) == (done.number, "ada", "request 12")
    assert row["finished_at"] is not None
    assert (row["work_orders"], row["places"]) == (1, done.places)
    with pytest.raises(Exception, match="is on record"):
        world.run("DELETE FROM erasure")


# --- who merely names him -------------------------------------------------------------------------

HER = "ida.berg@other.example"


def _hers(world, **changes: object) -> None:
    """The escalated mail is somebody else's, and names him in its body and in an event."""
    world.run("UPDATE swarm_jobs SET state = 'done' WHERE state = 'running'")
    world.run("UPDATE work_orders SET state = 'dead', final_at = now() WHERE state = 'running'")
    said = {"sender": {"address": HER, "name": "Ida Berg"}, "reply_to": [],
            "body_text": "Ask jane@customer.example", **changes}  # fmt: skip
    world.run(
        "UPDATE work_orders SET body = body || %(said)s WHERE key = %(key)s",
        said=Jsonb(said), key=world.escalated,
    )  # fmt: skip
    world.store.append_event(
        world.escalated, Event(kind="note", actor="test", detail={"of": "jane@customer.example"})
    )


def test_a_mail_that_names_him_stays_and_is_no_residue(world, eraser: Eraser) -> None:
    _hers(world)
    events = world.store.events(world.escalated)
    done = erase(eraser, "jane@customer.example")
    assert set(done.work_orders) == {world.published, world.live}
    assert (done.left, done.mentioned_in) == ({}, (world.escalated,))
    assert world.store.events(world.escalated) == events


def test_what_dagster_keeps_of_a_mail_that_names_him_is_no_residue(world, eraser: Eraser) -> None:
    _hers(world)
    with psycopg.connect(world.database.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.runs (run_id text, partition text, status text)")
        connection.execute("CREATE TABLE public.run_tags (run_id text, key text, value text)")
        connection.execute(
            "CREATE TABLE public.event_logs (id int, run_id text, partition text, event text)"
        )
        connection.execute(
            "INSERT INTO public.runs VALUES ('r', %s, 'SUCCESS')", (world.escalated,)
        )
        connection.execute(
            "INSERT INTO public.event_logs VALUES (1, 'r', %s, %s), (2, 'r', NULL, %s)",
            (world.escalated, *["of jane@customer.example"] * 2),
        )
    assert erase(eraser, "jane@customer.example").left == {}
    with psycopg.connect(world.database.url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO public.event_logs VALUES (3, 'x', NULL, 'jane@customer.example')"
        )
    _again(world)
    assert erase(eraser, "jane@customer.example").left == {"public.event_logs": 1}


def _again(world) -> None:
    """One more mail of his, so that there is something to erase."""
    order = WorkOrder(
        key="wo_" + "n" * 24, original_id="WO-n", ref=MessageRef(mailbox="desk@ours.example"),
        sender=Address(address="jane@customer.example"), subject="s", source="test",
        received_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
    )  # fmt: skip
    with world.database.transaction() as connection:
        accept(connection, [order])
    world.run(
        "UPDATE work_orders SET state = 'dead', final_at = now() WHERE key = %(k)s", k=order.key
    )


def test_a_line_of_somebody_else_that_names_him_is_no_residue(world, eraser: Eraser) -> None:
    _hers(world)
    (eraser.home / "intake").mkdir()
    line = json.dumps({"id": "WO-e", "sender": HER, "subject": "jane@customer.example?"})
    (eraser.home / "intake" / "events.jsonl").write_text(line + "\n")
    world.run(
        "INSERT INTO sorted_out (key, original_id, reason, sender, subject) VALUES"
        " (%(key)s, 'x', 'list', %(her)s, 'jane@customer.example?')", key=OTHERS_KEY, her=HER,
    )  # fmt: skip
    done = erase(eraser, "jane@customer.example")
    assert done.left == {}
    assert set(done.mentioned_in) == {world.escalated, OTHERS_KEY}
    assert (eraser.home / "intake" / "events.jsonl").read_text() == line + "\n"


OTHERS_KEY = "wo_" + "o" * 24


@pytest.mark.parametrize(
    ("actor", "reason"),
    [
        ("Zenobia Quirk", "x"),
        ("ada", "asked by zenobia  QUIRK"),
        ("Quirk, Zenobia", "x"),
        ("zenobia.quirk", "x"),
    ],
)
@pytest.mark.parametrize("by_address", [False, True])
def test_the_name_of_whom_it_forgets_is_refused_too(
    world, eraser: Eraser, actor: str, reason: str, *, by_address: bool
) -> None:
    _named(world)
    name = "jane@customer.example" if by_address else world.published
    with pytest.raises(RefusedError, match="name whom"):
        eraser.erase(name, actor=actor, reason=reason, dry_run=True)
    assert eraser.erase(name, actor="Zoe Quirk", reason="request 12", dry_run=True)


def _named(world) -> None:
    _hers(world)
    world.run(
        "UPDATE work_orders SET body = jsonb_set(body, '{sender,name}', '\"Zenobia Quirk\"')"
        " WHERE key <> %(her)s", her=world.escalated,
    )  # fmt: skip


def test_his_name_is_searched_for_too(world, eraser: Eraser) -> None:
    _named(world)
    world.run(
        "INSERT INTO alerts (kind, subject, detail) VALUES ('x', 'intake', 'of Zenobia Quirk'),"
        " ('y', 'intake', 'of Zenobia')"
    )
    (eraser.home / "logs").mkdir()
    (eraser.home / "logs" / "a.log").write_text("Zenobia Quirk wrote")
    done = erase(eraser, "jane@customer.example")
    assert done.left == {"swarm.alerts": 1}
    assert "Zenobia" not in (eraser.home / "logs" / "a.log").read_text()


def find(world, name: str) -> str:
    with world.database.transaction() as connection:
        return find_key(connection, name, SECRET)
