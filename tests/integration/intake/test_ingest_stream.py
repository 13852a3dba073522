"""T46-T53, T56: no line of the stream is lost or doubled, whatever happens to its file."""

# ruff: noqa: E501 - statements stay on one line

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from swarm.errors import RefusedError
from swarm.intake.stream.completeness import count_lines
from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.replay import replay
from swarm.intake.stream.tick import BUSY, ingest
from swarm.settings import QueueSettings
from swarm.store import alerts
from swarm.store.database import Database
from swarm.store.postgres_queue import PostgresQueue

# Faults of files, not of processes: short, so that the everyday suite runs them as well.
pytestmark = [pytest.mark.faults, pytest.mark.integration]

SECRET = "a secret of the tests"
BURST = 10_000
REQUESTS = 50  # of one tick
LONGEST_TICK = 30.0  # seconds; Dagster gives an evaluation 60, a busy machine takes 3
MakeLine = Callable[..., dict[str, object]]


def encode(*lines: dict[str, object]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def assert_nothing_lost(stream) -> None:  # type: ignore[no-untyped-def]
    report = count_lines(stream.database, stream.path)
    assert report.holds, report
    assert stream.count("work_orders") == stream.count("intake_line", "status = 'accepted'")
    assert stream.count("work_orders") == stream.count("swarm_jobs")


# --- the good case --------------------------------------------------------------------------------


def test_a_line_becomes_a_work_order_and_a_queued_job(stream, make_line: MakeLine) -> None:
    stream.append(encode(make_line()))
    report = stream.read()
    key = work_order_key(SECRET, "mail-1")
    assert (report.accepted, report.duplicate, report.quarantined) == (1, 0, 0)
    assert report.accepted_keys == (key,)
    [row] = stream.rows(
        "SELECT w.key, w.original_id, w.state, j.state AS job FROM work_orders w JOIN swarm_jobs j ON j.work_order_key = w.key"
    )
    assert row == {"key": key, "original_id": "mail-1", "state": "accepted", "job": "queued"}
    assert_nothing_lost(stream)


def test_reading_again_finds_nothing_new_and_says_so(stream, make_line: MakeLine) -> None:
    stream.append(encode(make_line()))
    stream.read()
    report = stream.read()
    assert report.not_read == ""
    assert report.lines == 0


@pytest.mark.fault("T56")
def test_ten_thousand_lines_are_one_tick_in_the_order_of_the_stream(
    stream, make_line: MakeLine
) -> None:
    stream.append(encode(*(make_line(n) for n in range(10_000))))
    report = stream.read(max_bytes=16 << 20)
    assert report.accepted == 10_000
    first = stream.rows("SELECT original_id FROM work_orders ORDER BY accepted_at LIMIT 2")
    assert [row["original_id"] for row in first] == ["mail-0", "mail-1"]
    assert_nothing_lost(stream)


@pytest.mark.fault("T56")
def test_a_burst_is_taken_in_bounded_ticks_told_as_a_backlog_and_worked_off_oldest_first(
    stream, make_line: MakeLine
) -> None:
    """T56; a body of 2 kB each, so that ten thousand lines are several ticks of 4 MiB."""
    stream.append(encode(*(make_line(n, body_text="x" * 2000) for n in range(BURST))))
    seconds = []
    while stream.count("work_orders") < BURST:
        began = time.monotonic()
        assert stream.read().lines > 0
        seconds.append(time.monotonic() - began)
    assert len(seconds) > 1
    assert max(seconds) < LONGEST_TICK
    assert told_backlog(stream) == BURST
    queue = PostgresQueue(stream.database, QueueSettings())
    began = time.monotonic()
    asked = [request.work_order_key for request in queue.request_due(REQUESTS)]
    assert time.monotonic() - began < LONGEST_TICK
    assert asked == [work_order_key(SECRET, f"mail-{number}") for number in range(REQUESTS)]
    stream.work_off(leaving=499)
    assert told_backlog(stream) is None
    assert_nothing_lost(stream)


def told_backlog(stream) -> int | None:  # type: ignore[no-untyped-def]
    """How many work orders the backlog's alert tells of, after another look; None: none stands."""
    with stream.database.transaction() as connection:
        alerts.watch_backlog(connection)
        standing = [each for each in alerts.open_alerts(connection) if each.kind == alerts.BACKLOG]
    return standing[0].count if standing else None


def test_a_tick_takes_its_share_and_reports_the_backlog(stream, make_line: MakeLine) -> None:
    stream.append(encode(*(make_line(n) for n in range(30))))
    first = stream.read(max_lines=10)
    assert (first.lines, first.backlog_bytes > 0) == (10, True)
    assert stream.count("alerts") == 0
    assert [stream.read(max_lines=10).lines for _ in range(3)] == [10, 10, 0]
    assert_nothing_lost(stream)


def test_tiny_lines_are_bounded_by_number(stream) -> None:
    stream.append(b"{}\n" * 25_000)
    assert [stream.read().quarantined for _ in range(4)] == [10_000, 10_000, 5_000, 0]
    assert_nothing_lost(stream)


# --- the last line --------------------------------------------------------------------------------


@pytest.mark.fault("T46")
def test_a_last_line_split_at_any_byte_is_read_once(stream, make_line: MakeLine) -> None:
    whole = encode(make_line(subject="Größe \U0001f4e6"))
    for cut in range(len(whole) + 1):
        line = whole.replace(b"mail-1", b"mail-%d" % cut)
        head, tail = line[:cut], line[cut:]
        stream.append(head)
        before = stream.read().accepted
        stream.append(tail)
        assert before + stream.read().accepted == 1
    assert_nothing_lost(stream)


def test_a_last_line_without_an_end_raises_an_alert_after_a_minute(
    stream, make_line: MakeLine
) -> None:
    stream.append(encode(make_line())[:-1])
    assert stream.read().lines == 0
    later = datetime.now(UTC) + timedelta(seconds=61)
    assert stream.read(now=later).lines == 0
    assert stream.count("alerts", "kind = 'intake.partial_line' AND resolved_at IS NULL") == 1
    stream.append(b"\n")
    assert stream.read(now=later).accepted == 1
    assert stream.count("alerts", "resolved_at IS NULL") == 0


_WRITES_HALF = """
import os, sys, time
file = os.open(sys.argv[1], os.O_APPEND | os.O_CREAT | os.O_WRONLY)
os.write(file, os.fsencode(sys.argv[2]))
print("half of it", flush=True)
time.sleep(600)
"""


@pytest.mark.fault("T47")
def test_a_line_fused_by_a_killed_writer_is_quarantined_and_the_next_is_read(
    stream, make_line: MakeLine
) -> None:
    """T47: a writer that is killed for real; the next one appends behind what it left."""
    writer = [sys.executable, "-c", _WRITES_HALF, str(stream.path), encode(make_line(1))[:60]]
    with subprocess.Popen(writer, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half of it\n"
        process.kill()
    assert stream.read().lines == 0
    stream.append(encode(make_line(2), make_line(3)))
    report = stream.read()
    assert (report.accepted, report.quarantined) == (1, 1)
    assert stream.count("alerts", "kind = 'intake.quarantined'") == 1
    assert_nothing_lost(stream)


# --- what happens to files ------------------------------------------------------------------------


@pytest.mark.fault("T48")
def test_rotation_by_rename_loses_and_doubles_nothing(stream, make_line: MakeLine) -> None:
    """T48; some lines are written before the rename and read only after it."""
    for turn in range(100):
        stream.append(encode(make_line(f"{turn}-a")))
        if turn % 3:
            stream.read()
        stream.append(encode(make_line(f"{turn}-b")))
        stream.rotate(turn)
        if turn % 2:
            stream.read()
    stream.append(encode(make_line("last")))
    while stream.read().lines:
        pass
    assert stream.count("work_orders") == 201
    assert stream.count("intake_line", "status = 'duplicate'") == 0
    assert stream.count("alerts") == 0
    assert_nothing_lost(stream)


@pytest.mark.fault("T48")
def test_a_writer_that_kept_the_rotated_file_open_is_still_heard(
    stream, make_line: MakeLine
) -> None:
    stream.append(encode(make_line(1)))
    with stream.path.open("ab") as writer:
        stream.read()
        stream.rotate(1)
        stream.append(encode(make_line(2)))
        stream.read()
        writer.write(encode(make_line(3)))
    stream.read()
    assert stream.count("work_orders") == 3
    assert_nothing_lost(stream)


def test_a_rotated_file_may_go_away_once_it_was_read(stream, make_line: MakeLine) -> None:
    stream.append(encode(make_line(1)))
    stream.rotate(1)
    stream.append(encode(make_line(2)))
    stream.read()
    Path(f"{stream.path}.1").unlink()
    assert stream.read().gaps == ()
    assert stream.count("alerts") == 0


@pytest.mark.fault("T48")
def test_a_rotated_file_that_vanished_unread_is_a_gap(stream, make_line: MakeLine) -> None:
    stream.append(encode(make_line(1)))
    stream.read()
    stream.append(encode(make_line(2)))
    stream.path.unlink()
    stream.append(encode(make_line(3)))
    report = stream.read()
    assert len(report.gaps) == 1
    assert stream.count("alerts", "kind = 'intake.gap'") == 1
    assert stream.count("work_orders") == 2


@pytest.mark.fault("T49")
def test_truncation_starts_a_new_generation_and_tells_the_gap(stream, make_line: MakeLine) -> None:
    stream.append(encode(make_line(1), make_line(2)))
    stream.read()
    os.truncate(stream.path, 0)
    assert len(stream.read().gaps) == 1
    stream.append(encode(make_line(2), make_line(3)))
    report = stream.read()
    assert (report.generation, report.accepted, report.duplicate) == (2, 1, 1)
    assert_nothing_lost(stream)


@pytest.mark.fault("T49")
def test_a_file_truncated_and_regrown_beyond_the_offset_is_noticed(
    stream, make_line: MakeLine
) -> None:
    stream.append(encode(make_line(1)))
    stream.read()
    os.truncate(stream.path, 0)
    stream.append(encode(make_line(5), make_line(6), make_line(7)))
    report = stream.read()
    assert (report.generation, report.accepted, len(report.gaps)) == (2, 3, 1)
    assert_nothing_lost(stream)


@pytest.mark.fault("T49")
def test_a_reused_inode_is_not_taken_for_the_same_file(stream, make_line: MakeLine) -> None:
    stream.append(encode(make_line("aaaa")))
    stream.read()
    with stream.path.open("r+b") as file:  # same inode, same size, other content
        file.write(encode(make_line("bbbb")))
    assert stream.read().accepted == 1
    assert_nothing_lost(stream)


@pytest.mark.fault("T49")
def test_an_older_copy_put_back_is_read_again_without_doubles(stream, make_line: MakeLine) -> None:
    stream.append(encode(*(make_line(n) for n in range(10))))
    older = stream.path.read_bytes()
    stream.append(encode(*(make_line(n) for n in range(10, 15))))
    stream.read()
    stream.path.write_bytes(older)
    report = stream.read()
    assert (report.accepted, report.duplicate, len(report.gaps)) == (0, 10, 1)
    assert stream.count("work_orders") == 15
    assert_nothing_lost(stream)


def test_an_older_copy_beside_the_live_file_is_left_alone(stream, make_line: MakeLine) -> None:
    stream.append(encode(*(make_line(n) for n in range(10))))
    Path(f"{stream.path}.bak").write_bytes(stream.path.read_bytes())
    stream.append(encode(make_line(10)))
    stream.read()
    stream.append(encode(make_line(11)))
    assert stream.read().accepted == 1
    assert stream.count("intake_line", "status = 'duplicate'") == 0
    assert stream.count("alerts") == 0


@pytest.mark.fault("T51")
def test_a_stream_that_does_not_exist_yet_is_no_alert(stream) -> None:
    assert stream.read().not_read == "file is missing"
    assert stream.count("alerts") == 0


def test_an_empty_stream_is_nothing_new(stream) -> None:
    stream.append(b"")
    assert stream.read().not_read == ""


def test_a_stream_that_went_missing_says_could_not_read_and_recovers(
    stream, make_line: MakeLine
) -> None:
    stream.append(encode(make_line(1)))
    stream.read()
    kept = stream.path.read_bytes()
    stream.path.unlink()
    assert stream.read().not_read == "file is missing"
    assert stream.count("alerts", "kind = 'intake.unreadable' AND resolved_at IS NULL") == 1
    stream.path.write_bytes(kept + encode(make_line(2)))
    assert stream.read().accepted == 1
    assert stream.count("alerts", "resolved_at IS NULL") == 0


def test_a_directory_in_place_of_the_stream_is_told_not_raised(stream) -> None:
    stream.path.mkdir()
    assert "not a regular file" in stream.read().not_read


def test_a_huge_line_is_quarantined_with_its_head_and_the_next_is_read(
    stream, make_line: MakeLine
) -> None:
    stream.append(b"x" * (9 << 20) + b"\n" + encode(make_line()))
    reports = [stream.read(), stream.read()]
    assert [sum(r.quarantined for r in reports), sum(r.accepted for r in reports)] == [1, 1]
    [row] = stream.rows("SELECT length, octet_length(head) AS head, reason FROM quarantine")
    assert row == {"length": 9 << 20, "head": 4096, "reason": "oversized line"}
    assert_nothing_lost(stream)


@pytest.mark.fault("T06")
def test_a_second_reader_stands_back(stream, make_line: MakeLine, database_url: str) -> None:
    stream.append(encode(make_line()))
    other = Database(database_url)
    with other.transaction() as connection:
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('intake:work_orders', 0))"
        )
        report = stream.read()
        assert (report.not_read, report.lines) == (BUSY, 0)
    other.close()
    assert stream.read().accepted == 1


# --- identity -------------------------------------------------------------------------------------


@pytest.mark.fault("T52")
def test_a_thousand_copies_are_one_work_order(stream, make_line: MakeLine) -> None:
    stream.append(encode(make_line()) * 1000)
    report = stream.read()
    assert (report.accepted, report.duplicate) == (1, 999)
    assert_nothing_lost(stream)


@pytest.mark.fault("T52")
def test_variants_of_an_id_in_case_and_space_are_one_work_order(
    stream, make_line: MakeLine
) -> None:
    variants = ["Mail-1", "mail-1 ", " MAIL-1", "mail-1\t"]
    stream.append(encode(*(make_line(id=v) for v in variants)))
    assert (stream.read().accepted, stream.count("work_orders")) == (1, 1)


@pytest.mark.fault("T53")
def test_hostile_ids_become_harmless_keys(stream, make_line: MakeLine) -> None:
    ids = [
        "../../etc/passwd",
        "a\nb",
        "...",
        "'; DROP TABLE x; --",
        "\u202eabc",
        "\U0001f4a9",
        "%s%n",
    ]
    stream.append(encode(*(make_line(id=i) for i in ids)))
    stream.append(encode(make_line(id=""), make_line(id="x" * 5000), make_line(id=" \t")))
    report = stream.read()
    assert (report.accepted, report.quarantined) == (len(ids), 3)
    assert_nothing_lost(stream)


def test_after_a_change_of_the_key_secret_a_known_id_stays_the_same_work_order(
    stream, make_line: MakeLine
) -> None:
    stream.append(encode(make_line()))
    stream.read()
    stream.append(encode(make_line()))
    report = ingest(stream.database, stream.path, "another secret")
    assert (report.accepted, report.duplicate) == (0, 1)


@pytest.mark.fault("T52")
def test_another_body_under_the_same_id_holds_the_work_order_and_fences_its_run(
    stream, make_line: MakeLine
) -> None:
    stream.append(encode(make_line()))
    stream.read()
    key = work_order_key(SECRET, "mail-1")
    with stream.database.transaction() as connection:
        connection.execute("UPDATE work_orders SET state = 'running'")
        connection.execute("UPDATE swarm_jobs SET state = 'running', run_id = 'r1', token = 4")
        connection.execute(
            "INSERT INTO workflow_runs (run_id, work_order_key, attempt, token) VALUES ('r1', %s, 1, 4)",
            (key,),
        )
    stream.append(encode(make_line(body_text="I changed my mind")) * 2)
    report = stream.read()
    assert (report.duplicate, report.revised, report.held) == (2, 1, (key,))
    [job] = stream.rows("SELECT state, token, run_id FROM swarm_jobs")
    assert job == {"state": "done", "token": 5, "run_id": None}
    [order] = stream.rows(
        "SELECT state, state_reason, final_at IS NOT NULL AS final FROM work_orders"
    )
    assert order == {"state": "held", "state_reason": "revised after acceptance", "final": True}
    assert stream.count("revision") == 1
    assert stream.count("alerts", "kind = 'intake.revised'") == 1
    assert stream.count("workflow_runs", "outcome = 'fenced'") == 1


@pytest.mark.parametrize("state", ["publishing", "published", "escalated", "dead"])
def test_a_revision_never_moves_a_work_order_past_holding(
    stream, make_line: MakeLine, state: str
) -> None:
    stream.append(encode(make_line()))
    stream.read()
    final = "NULL" if state == "publishing" else "now()"
    with stream.database.transaction() as connection:
        connection.execute(f"UPDATE work_orders SET state = '{state}', final_at = {final}".encode())
    stream.append(encode(make_line(body_text="too late")))
    report = stream.read()
    assert (report.revised, report.held) == (1, ())
    assert stream.rows("SELECT state FROM work_orders") == [{"state": state}]
    assert stream.count("alerts", "kind = 'intake.revised'") == 1


def test_a_revision_seen_again_changes_nothing_more(stream, make_line: MakeLine) -> None:
    stream.append(encode(make_line(), make_line(body_text="other")))
    stream.read()
    stream.append(encode(make_line(body_text="other"), make_line()))
    report = stream.read()
    assert (report.duplicate, report.revised, report.held) == (2, 0, ())


def test_a_mail_from_the_future_is_flagged_not_refused(stream, make_line: MakeLine) -> None:
    stream.append(encode(make_line(received_at="2099-01-01T00:00:00Z")))
    assert stream.read().accepted == 1
    assert stream.count("alerts", "kind = 'intake.future_date'") == 1


def test_no_alert_carries_mail_text(stream, make_line: MakeLine) -> None:
    canary = "canary-7f3a"
    stream.append(encode(make_line(subject=canary), make_line(subject=canary + "2")))
    stream.append(canary.encode() + b"\n" + encode({canary: 1}))
    stream.read()
    assert not [row for row in stream.rows("SELECT * FROM alerts") if canary in str(row)]


# --- reading again --------------------------------------------------------------------------------


def test_a_replay_brings_back_what_is_missing_and_doubles_nothing(
    stream, make_line: MakeLine
) -> None:
    stream.append(encode(make_line(1), make_line(2)) + b"garbage\n")
    stream.read()
    with stream.database.transaction() as connection:
        connection.execute(
            "DELETE FROM swarm_jobs WHERE work_order_key IN (SELECT key FROM work_orders WHERE original_id = 'mail-2')"
        )
        connection.execute("DELETE FROM work_orders WHERE original_id = 'mail-2'")
    assert not count_lines(stream.database, stream.path).holds
    report = replay(stream.database, stream.path, SECRET, generation=1)
    assert (report.accepted, report.duplicate, report.quarantined) == (1, 1, 1)
    assert_nothing_lost(stream)


def test_a_quarantined_line_that_can_be_read_now_leaves_quarantine(
    stream, make_line: MakeLine
) -> None:
    stream.append(encode(make_line(1)))
    stream.read()
    with stream.database.transaction() as connection:
        connection.execute("DELETE FROM swarm_jobs")
        connection.execute("DELETE FROM work_orders")
        connection.execute(
            "UPDATE intake_line SET status = 'quarantined', work_order_key = NULL, canonical_sha256 = NULL"
        )
        connection.execute(
            "INSERT INTO quarantine SELECT stream, generation, byte_offset, length, line_sha256, '', 'old parser' FROM intake_line"
        )
    replay(stream.database, stream.path, SECRET, generation=1)
    assert (stream.count("quarantine"), stream.count("work_orders")) == (0, 1)
    assert_nothing_lost(stream)


def test_a_replay_from_the_middle_of_a_line_is_refused(stream, make_line: MakeLine) -> None:
    stream.append(encode(make_line(1)))
    stream.read()
    with pytest.raises(RefusedError, match="no line begins at byte 5"):
        replay(stream.database, stream.path, SECRET, generation=1, from_offset=5)


def test_the_audit_notices_a_missing_row(stream, make_line: MakeLine) -> None:
    stream.append(encode(make_line(1)) * 3)
    stream.read()
    with stream.database.transaction() as connection:
        connection.execute(
            "DELETE FROM intake_line WHERE status = 'duplicate' AND byte_offset > 400"
        )
    assert not count_lines(stream.database, stream.path).holds
