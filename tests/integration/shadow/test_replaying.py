"""Replays in processes of their own, on real Postgres: judged, missing, poisonous, erased."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from history_rows import how, program, put
from shadow_records import order, recorded

from swarm.errors import RefusedError
from swarm.shadow.models import Decision, Replayed
from swarm.shadow.replay.results import missing, store
from swarm.store.database import Database

pytestmark = pytest.mark.integration

LEGAL = "Hello,\n\nI will see my lawyer and sue you over this.\n\nAnna"


def results(database: Database) -> dict[str, Replayed]:
    with database.transaction() as connection:
        rows = connection.execute("SELECT work_order_key AS key, body FROM replays").fetchall()
    return {row["key"]: Replayed.model_validate(row["body"]) for row in rows}


def test_every_work_order_gets_its_value(database: Database) -> None:
    calm, angry = order("calm"), order("angry", body_text=LEGAL)
    answer = order("answer", in_reply_to="<unknown@x>")
    put(database, calm, angry, answer)
    report = how(database).replay([calm.key, angry.key, answer.key])
    assert (report.done, report.known, report.left, report.poisonous) == (3, 0, 0, ())
    found = results(database)
    assert found[calm.key].decision is Decision.DECLINED
    assert found[angry.key].decision is Decision.ESCALATED
    assert "legal" in found[angry.key].classes
    assert found[answer.key].decision is Decision.NOT_REPLAYABLE
    assert "were not imported" in found[answer.key].detail


def test_launched_again_it_does_only_what_is_missing(database: Database) -> None:
    first, second = order("first"), order("second")
    put(database, first, second)
    how(database).replay([first.key])
    before = results(database)
    report = how(database).replay([first.key, second.key])
    assert (report.done, report.known) == (1, 1)
    assert results(database)[first.key] == before[first.key]


def test_what_was_not_replayable_is_asked_again(database: Database) -> None:
    mail = order("a", in_reply_to="<unknown@x>")
    put(database, mail)
    run = how(database)
    run.replay([mail.key])
    assert missing(database, [mail.key], run.engine) == (mail.key,)


def test_the_same_engine_comes_to_the_same_bytes(database: Database) -> None:
    asks = [f"Hello,\n\nwhere is order {4000 + n}?\n\nAnna" for n in range(4)]
    mails = [order(f"n{n}", body_text=ask) for n, ask in enumerate(asks)]
    put(database, *mails)
    keys = [mail.key for mail in mails]
    how(database).replay(keys)
    how(database).replay(keys, number=2)
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT a.body AS one, b.body AS two FROM replays a"
            " JOIN replays b USING (work_order_key, engine) WHERE a.pass = 1 AND b.pass = 2"
        ).fetchall()
    pairs = [(Replayed.model_validate(r["one"]), Replayed.model_validate(r["two"])) for r in rows]
    assert len(pairs) == 4
    assert all(one.same_answer(two) for one, two in pairs)
    assert all(one.input_sha256 == two.input_sha256 for one, two in pairs)


@pytest.mark.parametrize(
    ("deed", "said"),
    [("os.kill(os.getpid(), 11)", "signal 11"), ("time.sleep(600)", "signal 9")],
)  # fmt: skip
def test_a_poisonous_work_order_fails_and_the_rest_is_done(
    database: Database, tmp_path: Path, deed: str, said: str
) -> None:
    mails = [order(f"p{n}") for n in range(6)]
    put(database, *mails)
    poison = mails[2].key
    killing = program(
        tmp_path,
        "real = program.Again.replayed\n"
        "def deadly(self, given, engine):\n"
        f"    if given.order.key == {poison!r}:\n        {deed}\n"
        "    return real(self, given, engine)\n"
        "program.Again.replayed = deadly\n",
    )
    report = how(database, program=killing, item_seconds=10.0).replay([m.key for m in mails])
    assert report.poisonous == (poison,)
    assert report.left == 0
    found = results(database)
    assert found[poison].decision is Decision.FAILED
    assert said in found[poison].detail
    assert all(found[m.key].decision is Decision.DECLINED for m in mails if m.key != poison)


def test_a_fault_of_the_code_is_a_value_that_quotes_nothing(
    database: Database, tmp_path: Path
) -> None:
    mail = order("f", body_text="a secret of Anna's")
    put(database, mail)
    broken = program(
        tmp_path,
        "from swarm.shadow.replay import again\n"
        "def fault(order, *rest):\n    raise KeyError(order.body_text)\n"
        "again.run_chain = fault\n",
    )
    how(database, program=broken).replay([mail.key])
    found = results(database)[mail.key]
    assert (found.decision, found.detail) == (Decision.FAILED, "a fault: KeyError")


def test_another_engine_on_the_disk_replays_nothing(database: Database) -> None:
    mail = order("e")
    put(database, mail)
    with pytest.raises(RefusedError, match="another engine"):
        how(database, engine="somebody else").replay([mail.key])
    assert results(database) == {}


def test_a_program_that_does_not_start_is_no_failure_of_a_work_order(
    database: Database, tmp_path: Path
) -> None:
    mail = order("s")
    put(database, mail)
    with pytest.raises(RefusedError, match="does not start"):
        how(database, program=program(tmp_path, "os._exit(9)")).replay([mail.key])
    assert results(database) == {}


def test_what_was_erased_meanwhile_leaves_nothing(database: Database) -> None:
    gone = order("gone")
    left = Replayed(
        work_order_key=gone.key, engine="e", decision=Decision.DECLINED, input_sha256=""
    )
    store(database, [left])
    assert results(database) == {}


def test_a_later_answer_of_ours_does_not_leak_into_the_conversation(database: Database) -> None:
    mail = order("leak")
    put(database, mail)
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO reply_outcomes (work_order_key, origin, act, sent_text, acted_at)"
            " VALUES (%s, 'history', 'answered_otherwise', 'We open at nine.', %s)",
            (mail.key, mail.received_at.replace(hour=23)),
        )
    how(database).replay([mail.key])
    said = results(database)[mail.key]
    assert all("nine" not in each.text for each in said.evidence)


def test_an_earlier_answer_of_ours_is_part_of_it(database: Database) -> None:
    first = order("t1")
    second = order(
        "t2",
        ref=first.ref.model_copy(update={"message_id": "m-t2"}),
        received_at=first.received_at.replace(day=9),
        in_reply_to="<unknown@x>",
    )
    put(database, first, second)
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO reply_outcomes (work_order_key, origin, act, sent_text, acted_at)"
            " VALUES (%s, 'history', 'answered_otherwise', 'We open at nine.', %s)",
            (first.key, first.received_at.replace(hour=23)),
        )
    how(database).replay([second.key])
    said = results(database)[second.key]
    assert said.decision is not Decision.NOT_REPLAYABLE
    assert any("nine" in each.text for each in said.evidence)


def test_it_dies_with_its_parent(database: Database, tmp_path: Path) -> None:
    mail = order("orphan")
    put(database, mail)
    waiting = program(
        tmp_path,
        "def wait(*_):\n    print('begun', flush=True)\n    time.sleep(600)\n"
        "program._load = lambda: None\nprogram._DEEDS['replay'] = wait\n",
    )
    run = how(database, program=waiting)
    (tmp_path / "parent.py").write_text(
        "import json, os, subprocess, sys\n"
        "from swarm.shadow.replay.task import ReplayTask\n"
        "told = json.loads(sys.argv[1]); told['parent'] = os.getpid()\n"
        "child = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE,\n"
        "                         env=dict(os.environ), start_new_session=True)\n"
        "child.stdin.write(json.dumps(told).encode() + b'\\nwo_x\\n\\n'); child.stdin.close()\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\nchild.wait()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py"), run.task().model_dump_json(), *waiting],
        stdout=subprocess.PIPE,
        env={**run.environment},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert os.getpriority(os.PRIO_PROCESS, child) >= 10
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while _lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_recorded_facts_are_what_is_judged(database: Database) -> None:
    mail = order("facts")
    facts = recorded(mail)
    put(database, mail, facts=facts)
    how(database).replay([mail.key])
    said = results(database)[mail.key]
    assert (said.thread, said.contact) == ("hit", "miss")
