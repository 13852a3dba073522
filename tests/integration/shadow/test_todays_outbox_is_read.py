"""Today's outbox, written by today's own program, becomes outcomes: each line once, none lost."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from swarm.intake.stream.completeness import count_lines
from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.tick import IngestReport, ingest
from swarm.legacy.follow import Follower
from swarm.legacy.home import LegacyFiles
from swarm.legacy.jsonl import LineLog
from swarm.legacy.pipeline_daemon import PipelineDaemon
from swarm.lifecycle.erasure import Eraser
from swarm.observe.audit.findings import Violation
from swarm.observe.audit.outcomes import LegacyOutbox
from swarm.observe.audit.promises import audit
from swarm.shadow.outcomes.legacy_stream import LegacyOutcomes
from swarm.store.database import Database, Row

SECRET = "a secret of the tests"


@dataclass
class House:
    """One home: the stream of work orders, today's pipeline, and the readers under test."""

    database: Database
    files: LegacyFiles
    numbers: list[int] = field(default_factory=list)

    @property
    def outcomes(self) -> LegacyOutcomes:
        return LegacyOutcomes(self.database, self.files, SECRET)

    def mail(self, number: int, text: str = "Where is my parcel?") -> str:
        line = {
            "schema_version": "1",
            "id": f"mail-{number}",
            "mailbox": "service@example.com",
            "sender": {"address": "ada@example.org", "name": "Ada"},
            "subject": "A parcel",
            "body_text": text,
            "received_at": "2026-03-01T10:00:00Z",
            "source": "graph",
        }
        self.files.work_orders.parent.mkdir(parents=True, exist_ok=True)
        with self.files.work_orders.open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
        return work_order_key(SECRET, f"mail-{number}")

    def legacy(self, refuses: Callable[[bytes], bool] = lambda _line: False) -> int:
        self.files.outbox.parent.mkdir(parents=True, exist_ok=True)
        follower = Follower(self.files.work_orders, self.files.pipeline_state)
        log = LineLog(self.files.outbox, refuses)
        return PipelineDaemon(self.files, follower, log, "Customer Service").turn()

    def append(self, data: bytes) -> None:
        self.files.outbox.parent.mkdir(parents=True, exist_ok=True)
        with self.files.outbox.open("ab") as file:
            file.write(data)

    def intake(self) -> IngestReport:
        return ingest(self.database, self.files.work_orders, SECRET)

    def rows(self, sql: str, *values: object) -> list[Row]:
        with self.database.transaction() as connection:
            return connection.execute(sql.encode(), values).fetchall()

    def run(self, sql: str, *values: object) -> None:
        with self.database.transaction() as connection:
            connection.execute(sql.encode(), values)

    def missing(self) -> list[tuple[str, str]]:
        found = LegacyOutbox(self.files, SECRET).check(self.database)
        return [(subject, violation.check) for subject, violation in found]

    def alerts(self) -> list[str]:
        return [
            row["kind"] for row in self.rows("SELECT kind FROM alerts WHERE resolved_at IS NULL")
        ]


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return House(database, LegacyFiles(tmp_path))


def test_drafts_and_escalations_become_outcomes(house: House) -> None:
    drafted = house.mail(1)
    escalated = house.mail(2, "I will call my lawyer.")
    assert house.legacy() == 2
    report = house.outcomes.ingest()
    assert (report.accepted, report.quarantined) == (2, 0)
    assert set(report.accepted_keys) == {drafted, escalated}
    found = {row["work_order_key"]: row for row in house.rows("SELECT * FROM legacy_outcomes")}
    assert (found[drafted]["escalated"], found[drafted]["reasons"]) == (False, [])
    assert (found[escalated]["escalated"], found[escalated]["reasons"]) == (True, ["legal"])
    assert found[drafted]["recipient"] == "ada@example.org"
    assert "thank you" in found[drafted]["body_text"]
    assert found[drafted]["origin"] == "live"


def test_an_installation_without_todays_path_is_told_nothing(house: House) -> None:
    assert house.outcomes.ingest().not_read == "file is missing"
    assert house.alerts() == []
    assert house.missing() == []


def test_an_outbox_that_vanishes_after_it_was_read_is_told(house: House) -> None:
    house.mail(1)
    house.legacy()
    house.outcomes.ingest()
    house.files.outbox.unlink()
    assert house.outcomes.ingest().not_read
    assert house.alerts() == ["intake.unreadable"]


def test_every_line_is_counted_over_rotation(house: House) -> None:
    house.mail(1)
    house.legacy()
    house.outcomes.ingest()
    os.rename(house.files.outbox, f"{house.files.outbox}.1")  # noqa: PTH104 - as logrotate does
    house.mail(2)
    house.legacy()
    assert house.outcomes.ingest().accepted == 1
    generations = count_lines(house.database, house.files.outbox).generations
    assert [(g.accepted, g.difference) for g in generations] == [(1, 0), (1, 0)]


def test_a_line_written_twice_is_a_duplicate_and_another_decision_is_told(house: House) -> None:
    key = house.mail(1)
    house.legacy()
    line = house.files.outbox.read_bytes()
    house.append(line)
    changed = json.loads(line) | {"decision": "escalate", "reasons": ["legal"]}
    house.append(json.dumps(changed).encode() + b"\n")
    report = house.outcomes.ingest()
    assert (report.accepted, report.duplicate) == (1, 2)
    (row,) = house.rows("SELECT * FROM legacy_outcomes")
    assert (row["work_order_key"], row["escalated"]) == (key, False)
    assert house.alerts() == ["legacy.outcome_revised"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{}\n", "schema: schema_version: missing"),
        (b"not json\n", "not JSON"),
        (b'{"schema_version":"1","schema_version":"1"}\n', "duplicate JSON key"),
        (b"\xff\n", "invalid UTF-8"),
        (b"[" * 200_000 + b"\n", "nested too deep"),
        (b"x" * (1 << 20) + b"xx\n", "oversized line"),
    ],
)
def test_a_line_nobody_can_read_is_kept_told_and_named(
    house: House, line: bytes, reason: str
) -> None:
    house.append(line)
    assert house.outcomes.ingest().quarantined == 1
    (row,) = house.rows("SELECT stream, reason FROM quarantine")
    assert (row["stream"], row["reason"]) == ("outbox", reason)
    assert house.alerts() == ["intake.quarantined"]
    assert ("outbox:1:0", "legacy_outcome_unreadable") in house.missing()


def test_a_bad_line_does_not_keep_the_next_from_being_read(house: House) -> None:
    house.append(b"not json\n")
    key = house.mail(1)
    house.legacy()
    assert house.outcomes.ingest().accepted_keys == (key,)


def test_an_outcome_before_its_work_order_is_no_breach(house: House) -> None:
    house.mail(1)
    house.legacy()
    house.outcomes.ingest()
    breaches = audit(house.database, None, [], outbox=LegacyOutbox(house.files, SECRET)).breaches
    assert breaches == ()


def test_the_lines_of_both_streams_do_not_mix(house: House) -> None:
    house.mail(1)
    house.legacy()
    house.outcomes.ingest()
    assert house.intake().accepted == 1
    assert house.intake().revised == 0
    outbox = LegacyOutbox(house.files, SECRET)
    report = audit(house.database, None, [house.files.work_orders], outbox=outbox)
    assert [b for b in report.breaches if b.check != "silent"] == []


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM legacy_outcomes",
        "DELETE FROM legacy_outcomes; DELETE FROM intake_line WHERE stream = 'outbox'",
        (
            "DELETE FROM legacy_outcomes; DELETE FROM intake_line WHERE stream = 'outbox';"
            " DELETE FROM intake_offset WHERE stream = 'outbox'"
        ),
    ],
)
def test_a_lost_outcome_is_named_and_comes_back_when_it_is_read_again(
    house: House, loss: str
) -> None:
    key = house.mail(1)
    house.intake()
    house.legacy()
    house.outcomes.ingest()
    assert house.missing() == []
    house.run(loss)
    old = house.files.outbox.stat().st_mtime - 600
    os.utime(house.files.outbox, (old, old))
    named = house.missing()
    assert (key, "legacy_outcome_lost") in named or (
        "outbox", "legacy_outcomes_unread"
    ) in named  # fmt: skip
    house.outcomes.reread()
    house.outcomes.ingest()
    assert [each for each in house.missing() if each[1] == "legacy_outcome_lost"] == []
    assert house.rows("SELECT work_order_key AS key FROM legacy_outcomes") == [{"key": key}]


def test_a_work_order_that_todays_path_went_past_without_a_line_is_named(house: House) -> None:
    kept, lost = house.mail(1), house.mail(2)
    house.intake()
    house.legacy()
    first, _, _ = house.files.outbox.read_bytes().partition(b"\n")
    house.files.outbox.write_bytes(first + b"\n")
    house.outcomes.ingest()
    assert house.missing() == [(lost, "legacy_outcome_lost")]
    assert kept != lost


def test_lines_that_wait_too_long_are_named_and_young_ones_are_not(house: House) -> None:
    house.mail(1)
    house.intake()
    house.legacy()
    assert house.missing() == []
    old = house.files.outbox.stat().st_mtime - 600
    os.utime(house.files.outbox, (old, old))
    assert house.missing() == [("outbox", "legacy_outcomes_unread")]


def test_a_mail_that_today_s_path_has_not_reached_yet_is_not_missed(house: House) -> None:
    house.mail(1)
    house.legacy()
    house.mail(2)
    house.intake()
    house.outcomes.ingest()
    assert house.missing() == []


def test_a_changed_outbox_is_named(house: House) -> None:
    house.mail(1)
    house.legacy()
    house.outcomes.ingest()
    said = house.files.outbox.read_bytes()
    house.files.outbox.write_bytes(said.replace(b"draft", b"drafT", 1))
    assert [check for _, check in house.missing()] == ["stream_changed"]


def test_erasing_a_mail_reaches_its_outcome_what_was_sent_and_the_outbox(house: House) -> None:
    key, other = house.mail(1), house.mail(2)
    house.intake()
    house.legacy()
    house.outcomes.ingest()
    house.run("UPDATE work_orders SET state = 'held', final_at = now()")
    house.run("UPDATE swarm_jobs SET state = 'done'")
    house.run(
        "INSERT INTO reply_outcomes (work_order_key, origin, publisher, act, sent_text)"
        " VALUES (%s, 'live', 'legacy', 'rewritten', 'Dear Ada, it is lost.')",
        key,
    )
    before = house.files.outbox.read_bytes()
    eraser = Eraser(house.database, house.files.home, SECRET)
    erased = eraser.erase("mail-1", actor="tester", reason="she asked")
    assert erased.left == {}
    assert house.rows("SELECT work_order_key AS key FROM legacy_outcomes") == [{"key": other}]
    assert house.rows("SELECT 1 AS x FROM reply_outcomes") == []
    after = house.files.outbox.read_bytes()
    assert len(after) == len(before)
    assert b"mail-1" not in after
    house.append(before.split(b"\n")[0] + b"\n")
    report = house.outcomes.ingest()
    assert (report.accepted, report.erased) == (0, 1)
    assert house.missing() == []


def test_a_violation_never_quotes_the_line(house: House) -> None:
    house.append(b'{"id": "secret-words"}\n')
    house.outcomes.ingest()
    told: list[Violation] = [v for _, v in LegacyOutbox(house.files, SECRET).check(house.database)]
    assert told
    assert not any("secret-words" in v.detail for v in told)
