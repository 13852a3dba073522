"""The gates over real rows: good evidence passes, each seeded gap turns its gate and is named."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb
from publishing_world import key_of
from readiness_world import (
    CLASSES,
    ENGINE,
    HISTORY,
    LIVE,
    PER_CLASS,
    Evidence,
    alive,
    compare,
    comparison,
    danger,
    lay,
    strata,
)

from swarm.cutover.gates import GATES
from swarm.cutover.models import GateVerdict
from swarm.errors import ConfigurationError, DatabaseRefusedError
from swarm.models import EscalationClass
from swarm.shadow.models import Origin
from swarm.store import embedded
from swarm.store.database import Database

pytestmark = pytest.mark.integration

KEY = key_of(7)
PASS, FAIL, INCONCLUSIVE = GateVerdict


@pytest.fixture(scope="module")
def laid(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with the whole evidence, to be copied for each test."""
    url = embedded.create_database(postgres_server, "evidence", template="template_swarm")
    database = Database(url)
    lay(database, tmp_path_factory.mktemp("home"))
    database.close()
    yield "evidence"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute('DROP DATABASE "evidence" WITH (FORCE)')


@pytest.fixture
def evidence(
    laid: str, postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Evidence]:
    """All is good; who wrote is known to be nobody else (what a build with roles answers)."""
    monkeypatch.setattr("swarm.cutover.reading.reader.foreign", lambda _connection: ())
    name = f"test_{uuid.uuid4().hex[:12]}"
    database = Database(embedded.create_database(postgres_server, name, template=laid))
    with database.transaction() as connection:
        alive(connection)
    yield Evidence(database, tmp_path)
    database.close()
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def spoiled(evidence: Evidence, gate: str, verdict: GateVerdict = FAIL) -> None:
    """This gate alone changed; ``not_peeked`` is inconclusive in between, as it should be."""
    found = evidence.verdicts()
    assert found.pop("not_peeked") is INCONCLUSIVE
    assert found.pop(gate) is verdict
    assert set(found.values()) == {PASS}, found


def due(evidence: Evidence) -> object:
    with evidence.database.transaction() as connection:
        row = connection.execute(
            "INSERT INTO looks (at, actor) VALUES (clock_timestamp() + interval '20 ms', 'anna')"
            " RETURNING at"
        ).fetchone()
        connection.execute("SELECT pg_sleep(0.021)")
    assert row
    return row["at"]


def test_good_evidence_at_a_planned_look_earns_a_certificate(evidence: Evidence) -> None:
    evaluation = evidence.evaluate(look=due(evidence))
    assert {g.gate: (g.verdict, g.reasons) for g in evaluation.gates} == dict.fromkeys(
        GATES, (PASS, ())
    )
    assert evaluation.certificate is not None, evaluation.refused
    assert evaluation.certificate.engine == ENGINE
    assert evaluation.certificate.counts["comparisons"] == LIVE + HISTORY + PER_CLASS * len(CLASSES)


def test_good_evidence_in_between_earns_none(evidence: Evidence) -> None:
    evaluation = evidence.evaluate()
    assert evaluation.certificate is None
    assert [g.gate for g in evaluation.gates if g.verdict is not PASS] == ["not_peeked"]


def test_every_gate_has_a_stored_row_with_its_numbers(evidence: Evidence) -> None:
    evaluation = evidence.evaluate()
    with evidence.database.transaction() as connection:
        rows = connection.execute("SELECT gate, verdict, body FROM gate_results").fetchall()
    assert [row["gate"] for row in sorted(rows, key=lambda r: list(GATES).index(r["gate"]))] == [
        *GATES
    ]
    assert all(row["body"]["numbers"] for row in rows)
    assert evaluation.report_id == 1


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The set of this build is left unmeasured: it takes a minute, and another version is asked."""
    monkeypatch.setattr("swarm.cutover.must_escalate.measure_missing", lambda _database: 14)


@pytest.mark.usefixtures("unmeasured")
def test_an_empty_database_passes_nothing_and_fails_nothing(
    database: Database, tmp_path: Path
) -> None:
    evidence = Evidence(database, tmp_path)
    assert set(evidence.verdicts().values()) == {INCONCLUSIVE}


def test_who_wrote_is_unknown_in_a_build_without_that_knowledge(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm.cutover.reading.reader.foreign", lambda _connection: None)
    spoiled(evidence, "no_manual_inserts", INCONCLUSIVE)


def test_a_row_by_somebody_else_is_named(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "work_orders: 3 rows by anna"
    monkeypatch.setattr("swarm.cutover.reading.reader.foreign", lambda _connection: (said,))
    spoiled(evidence, "no_manual_inserts")
    assert said in evidence.gate("no_manual_inserts").reasons


# --- seeded gaps ----------------------------------------------------------------------------------

GAPS = {
    "a lost line": ("completeness", "DELETE FROM intake_line WHERE work_order_key = '{key}'"),
    "a lost work order": (
        "completeness",
        (
            "UPDATE intake_line SET work_order_key = 'wo_aaaaaaaaaaaaaaaaaaaaaaaa'"
            " WHERE work_order_key = '{key}'"
        ),
    ),
    "a work order without an end": (
        "completeness",
        "UPDATE work_orders SET state = 'publishing', final_at = NULL WHERE key = '{key}'",
    ),
    "a lost outcome of legacy": (
        "completeness",
        "DELETE FROM legacy_outcomes WHERE work_order_key = '{key}'",
    ),
    "a missing event": (
        "durable_records",
        "DELETE FROM workflow_events WHERE work_order_key = '{key}' AND seq = 4",
    ),
    "a missing last event": (
        "durable_records",
        "DELETE FROM workflow_events WHERE work_order_key = '{key}' AND seq = 11",
    ),
    "no event at all": (
        "durable_records",
        "DELETE FROM workflow_events WHERE work_order_key = '{key}'",
    ),
    "a changed event": (
        "durable_records",
        "UPDATE workflow_events SET actor = 'nobody' WHERE work_order_key = '{key}' AND seq = 4",
    ),
    "a missing output": (
        "durable_records",
        "DELETE FROM artifacts WHERE work_order_key = '{key}' AND stage = 'fact'",
    ),
    "a duplicate draft": (
        "effects",
        (
            "INSERT INTO alerts (kind, subject, detail)"
            " VALUES ('publication.duplicate', '{key}', 'two drafts')"
        ),
    ),
    "a duplicate that was settled": (
        "effects",
        (
            "INSERT INTO alerts (kind, subject, detail, resolved_at)"
            " VALUES ('publication.duplicate', '{key}', 'two drafts', now())"
        ),
    ),
    "one confirmed twice": (
        "effects",
        (
            "INSERT INTO publication_log (work_order_key, fence, event)"
            " VALUES ('{key}', 2, 'confirmed')"
        ),
    ),
    "one draft of two": (
        "effects",
        (
            "UPDATE publication_ledger SET draft_id = 'one'"
            " WHERE work_order_key IN ('{key}', '{last}')"
        ),
    ),
    "an unconfirmed publication": (
        "effects",
        (
            "UPDATE publication_ledger SET state = 'UNKNOWN',"
            " changed_at = now() - interval '31 minutes' WHERE work_order_key = '{key}';"
            "UPDATE work_orders SET state = 'publishing', final_at = NULL, accepted_at = now()"
            " WHERE key = '{key}'"
        ),
    ),
    "a draft in the wrong thread": (
        "effects",
        (
            'UPDATE publication_payload SET body = body || \'{{"conversation_id": "other"}}\''
            " WHERE work_order_key = '{key}'"
        ),
    ),
    "a draft after a reply": (
        "effects",
        (
            "UPDATE reply_outcomes SET act = 'answered_otherwise', acted_at = offered_at - interval"
            " '1 minute' WHERE work_order_key = '{key}'"
        ),
    ),
}


@pytest.mark.parametrize("seeded", GAPS)
def test_each_seeded_gap_turns_exactly_its_gate_and_is_named(
    evidence: Evidence, seeded: str
) -> None:
    gate, statement = GAPS[seeded]
    # The last in the alphabet cannot be named by chance among the first.
    for one in statement.format(key=KEY, last=key_of(9)).split(";"):
        evidence.write(one)
    if seeded == "a work order without an end":  # it drives itself: only its end is missing
        assert evidence.verdicts()["completeness"] is FAIL
    else:
        spoiled(evidence, gate)
    found = evidence.gate(gate)
    assert any(
        key in (*found.named, *found.reasons) or any(key in said for said in found.reasons)
        for key in (KEY, "wo_aaaaaaaaaaaaaaaaaaaaaaaa")
    ), found


def test_an_orphan_partition_is_named(evidence: Evidence) -> None:
    evidence.write(
        "CREATE TABLE public.dynamic_partitions (partitions_def_name text, partition text)"
    )
    orphan = "wo_" + "b" * 24
    evidence.write("INSERT INTO public.dynamic_partitions VALUES ('work_orders', %s)", orphan)
    evidence.write("INSERT INTO public.dynamic_partitions VALUES ('work_orders', %s)", KEY)
    evidence.write("INSERT INTO public.dynamic_partitions VALUES ('history', 'wo_x')")
    spoiled(evidence, "completeness")
    assert evidence.gate("completeness").named == (orphan,)


# --- safety ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("escalation", CLASSES)
def test_a_planted_regression_in_one_class_fails_and_names_class_and_work_orders(
    evidence: Evidence, escalation: EscalationClass
) -> None:
    missed = [danger(5000 + n, escalation, missed=(escalation,), new_classes=()) for n in range(3)]
    with evidence.database.transaction() as connection:
        compare(connection, missed)
    spoiled(evidence, "safety")
    found = evidence.gate("safety")
    assert found.reasons[0].startswith(f"{escalation}: 3 of {PER_CLASS + 3} missed")
    assert set(found.named) == {each.work_order_key for each in missed}


def test_too_few_of_a_class_is_inconclusive_and_says_how_many_are_missing(
    evidence: Evidence,
) -> None:
    evidence.write(
        "DELETE FROM comparisons WHERE work_order_key IN (SELECT work_order_key FROM comparisons"
        " WHERE body->'needed' ? 'press' LIMIT 10)"
    )
    spoiled(evidence, "safety", INCONCLUSIVE)
    assert evidence.gate("safety").reasons == ("press: 9 missing, has 50",)


def test_a_miss_counts_even_in_a_class_that_is_none(evidence: Evidence) -> None:
    unknown = EscalationClass.UNKNOWN
    with evidence.database.transaction() as connection:
        compare(connection, [danger(5000, unknown, missed=(unknown,))])
    assert evidence.gate("safety").verdict is FAIL


@pytest.mark.usefixtures("unmeasured")
def test_a_set_measured_at_another_version_is_inconclusive(evidence: Evidence) -> None:
    evidence.write("UPDATE must_escalate_measurements SET ruleset = 'older'")
    older = {**ENGINE.model_dump(), "ruleset": "newer"}
    evidence.write("UPDATE engine_heartbeats SET parts = %s", Jsonb(older))
    found = evidence.gate("must_escalate")
    assert found.verdict is INCONCLUSIVE
    assert found.reasons == ("the set is not measured at this version yet (newer)",)


def measured(evidence: Evidence, part: str, change: dict[str, object]) -> None:
    """Change what was measured in the first class of a file."""
    evidence.write(
        "UPDATE must_escalate_measurements SET body = jsonb_set(body, '{counts,0}',"
        " body->'counts'->0 || %s) WHERE part = %s",
        Jsonb(change),
        part,
    )


@pytest.mark.usefixtures("unmeasured")
def test_a_set_of_which_a_part_is_not_measured_is_inconclusive(evidence: Evidence) -> None:
    evidence.write("UPDATE must_escalate_measurements SET part = 'x' WHERE part = 'held-it'")
    evidence.write('UPDATE engine_heartbeats SET parts = parts || \'{"ruleset": "another"}\'')
    evidence.write("UPDATE must_escalate_measurements SET ruleset = 'another'")
    spoiled(evidence, "must_escalate", INCONCLUSIVE)


def test_a_missed_plain_sentence_fails_and_is_named(evidence: Evidence) -> None:
    measured(evidence, "must-escalate-en", {"found": 8, "missed": ["must-escalate-en:3"]})
    spoiled(evidence, "must_escalate")
    assert "must-escalate-en:3" in evidence.gate("must_escalate").reasons[0]


def test_fewer_hints_than_before_fail(evidence: Evidence) -> None:
    measured(evidence, "held-en", {"found": 0})
    spoiled(evidence, "must_escalate")


# --- quality, coverage, speed, people -------------------------------------------------------------


def worse(evidence: Evidence, number: int) -> None:
    evidence.write(
        "UPDATE comparisons SET body = body || '{\"new_sent\": 0.3}' WHERE work_order_key IN"
        " (SELECT work_order_key FROM comparisons WHERE body->>'new_sent' IS NOT NULL"
        "  AND origin = 'history' LIMIT %s)",
        number,
    )


def test_drafts_that_are_worse_beyond_the_margin_fail(evidence: Evidence) -> None:
    worse(evidence, 60)
    spoiled(evidence, "quality")


def test_drafts_that_are_a_little_worse_are_not_shown_to_be_as_good(evidence: Evidence) -> None:
    worse(evidence, 16)
    spoiled(evidence, "quality", INCONCLUSIVE)


def test_too_few_pairs_are_inconclusive_and_say_how_many(evidence: Evidence) -> None:
    evidence.write(
        "UPDATE comparisons SET body = body || '{\"legacy_sent\": null}' WHERE work_order_key IN"
        " (SELECT work_order_key FROM comparisons WHERE body->>'new_sent' IS NOT NULL LIMIT 340)"
    )
    spoiled(evidence, "quality", INCONCLUSIVE)
    assert evidence.gate("quality").reasons == ("44 pairs missing, has 300",)


def test_rules_that_answer_differently_when_asked_twice_fail(evidence: Evidence) -> None:
    evidence.write(
        'UPDATE replays SET body = body || \'{"decision": "escalated"}\''
        " WHERE pass = 2 AND work_order_key = %s",
        KEY,
    )
    spoiled(evidence, "quality")
    assert KEY in evidence.gate("quality").named


def test_a_missing_kind_is_inconclusive_and_named(evidence: Evidence) -> None:
    evidence.write("UPDATE comparisons SET body = jsonb_set(body, '{strata,attachments}', 'false')")
    spoiled(evidence, "coverage", INCONCLUSIVE)
    assert evidence.gate("coverage").reasons == ("with attachment: 10 missing, has 0",)


def test_a_language_that_is_often_spoken_must_be_covered(evidence: Evidence) -> None:
    for language, number in (("fr", 60), ("nl", 12)):
        with evidence.database.transaction() as connection:
            begin = 6000 if language == "fr" else 7000
            rows = [comparison(begin + n, strata=strata(language=language)) for n in range(number)]
            compare(connection, rows)
    assert evidence.gate("coverage").verdict is PASS  # Dutch is one in a hundred here
    evidence.write(
        "DELETE FROM comparisons WHERE origin = 'history' AND body->>'needed' = '[]'"
        " AND body#>>'{strata,language}' = 'en'"
    )
    evidence.write(
        "DELETE FROM comparisons WHERE body->>'needed' <> '[]' AND NOT body->'needed' ? 'press'"
    )
    assert "language nl: 8 missing, has 12" in evidence.gate("coverage").reasons


def test_a_live_work_order_that_was_not_compared_is_named(evidence: Evidence) -> None:
    evidence.write("UPDATE comparisons SET at = now() - interval '3 hours'")
    evidence.write("DELETE FROM comparisons WHERE work_order_key = %s", KEY)
    spoiled(evidence, "coverage", INCONCLUSIVE)
    assert evidence.gate("coverage").named == (KEY,)


def test_comparisons_that_failed_are_no_agreement(evidence: Evidence) -> None:
    evidence.write(
        'UPDATE comparisons SET body = body || \'{"pair": "one_failed", "failed": "x"}\''
        " WHERE work_order_key IN (SELECT work_order_key FROM comparisons"
        "  WHERE origin = 'history' AND body->>'needed' = '[]' LIMIT 30)"
    )
    assert evidence.gate("coverage").verdict is INCONCLUSIVE


SPOILED = {
    "too slow": (
        "latency_cost",
        "UPDATE comparisons SET body = body || '{\"new_ms\": 900}'",
    ),
    "too dear": ("latency_cost", "UPDATE comparisons SET body = body || '{\"new_cost\": 0.6}'"),
    "dead letters": ("latency_cost", "UPDATE swarm_jobs SET state = 'dead' WHERE token = 1"),
    "tried again too often": ("latency_cost", "UPDATE swarm_jobs SET failures = 1"),
    "a dead hook": (
        "latency_cost",
        ("UPDATE publication_ledger SET publisher = 'swarm', state = 'READY',"
        " last_error = 'HTTP 503'"),
    ),
    "other recipients": (
        "review_path",
        ("UPDATE publication_payload SET body = body || '{\"to\": \"other@example.com\"}'"
        " WHERE publisher = 'swarm'"),
    ),
    "another subject": (
        "review_path",
        ("UPDATE publication_payload SET body = body || '{\"subject\": \"Where is my parcel?\"}'"
        " WHERE publisher = 'swarm'"),
    ),
    "no reference line": (
        "review_path",
        ("UPDATE publication_payload SET body = body || '{\"body_text\": \"Hello\"}'"
        " WHERE publisher = 'swarm'"),
    ),
    "no html": (
        "review_path",
        ("UPDATE publication_payload SET body = body || '{\"body_html\": \"\"}'"
        " WHERE publisher = 'swarm'"),
    ),
    "another folder": (
        "review_path",
        ("UPDATE publication_ledger SET publisher = 'swarm', draft_folder = 'archive'"
        " WHERE draft_id > 'draft-wo_aaaaaaab'"),
    ),
    "nobody changes a word": (
        "oversight",
        "UPDATE reply_outcomes SET act = 'sent_unchanged'",
    ),
    "sent unread": (
        "oversight",
        "UPDATE reply_outcomes SET acted_at = offered_at + interval '2 seconds'",
    ),
    "nobody looks at escalations": (
        "oversight",
        ("INSERT INTO escalations (work_order_key, classes, reasons, owner, received_at,"
        " acknowledge_by) SELECT key, '[\"legal\"]', '[]', 'lead', now() - interval '1 hour',"
        " now() - interval '1 minute' FROM work_orders LIMIT 1"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILED)
def test_each_limit_turns_its_gate(evidence: Evidence, how: str) -> None:
    gate, statement = SPOILED[how]
    evidence.write(statement)
    assert evidence.gate(gate).verdict is FAIL


TOO_FEW = {
    "latency_cost": "DELETE FROM comparisons WHERE NOT body->'needed' ? 'human_requested'",
    "review_path": "DELETE FROM publication_payload WHERE publisher = 'swarm'",
    "oversight": "DELETE FROM reply_outcomes WHERE work_order_key < 'wo_aaaaaacz'",
    "effects": "DELETE FROM publication_ledger; DELETE FROM publication_log",
}


@pytest.mark.parametrize("gate", TOO_FEW)
def test_too_little_is_never_a_pass(evidence: Evidence, gate: str) -> None:
    for statement in TOO_FEW[gate].split(";"):
        evidence.write(statement)
    found = evidence.gate(gate)
    assert found.verdict is INCONCLUSIVE, found
    assert found.reasons


# --- tolerances -----------------------------------------------------------------------------------

TOLERANCE = """
[[tolerance]]
name = "no_reply_sign"
owner = "anna"
reason = "today's path writes none"
expires = {expires}
predicate = "{predicate}"
"""


def tolerate(
    evidence: Evidence, expires: str = "2999-01-01", predicate: str = "subject_prefix"
) -> None:
    text = TOLERANCE.format(expires=expires, predicate=predicate)
    (evidence.home / "tolerances.toml").write_text(text)


def test_a_tolerance_covers_its_difference_and_is_counted(evidence: Evidence) -> None:
    evidence.write(SPOILED["another subject"][1])
    tolerate(evidence)
    found = evidence.evaluate()
    assert {g.gate: g.verdict for g in found.gates}["review_path"] is PASS
    assert [(t.name, t.used, t.in_force) for t in found.report.tolerances] == [
        ("no_reply_sign", LIVE, True)
    ]


def test_an_expired_one_tolerates_nothing_any_more(evidence: Evidence) -> None:
    evidence.write(SPOILED["another subject"][1])
    tolerate(evidence, expires="2026-01-01")
    found = evidence.evaluate()
    assert {g.gate: g.verdict for g in found.gates}["review_path"] is FAIL
    assert [t.in_force for t in found.report.tolerances] == [False]


def test_no_danger_is_tolerated(evidence: Evidence) -> None:
    tolerate(evidence, predicate="legal")
    with pytest.raises(ConfigurationError, match="predicate"):
        evidence.evaluate()


def test_a_tolerance_that_is_added_later_ends_the_certificate(evidence: Evidence) -> None:
    assert evidence.evaluate(look=due(evidence)).certificate
    tolerate(evidence)
    evidence.evaluate()
    with evidence.database.transaction() as connection:
        row = connection.execute("SELECT reason FROM certificate_voids").fetchone()
    assert row == {"reason": "the tolerances were changed"}


# --- looks ----------------------------------------------------------------------------------------


def test_each_further_look_may_spend_less(evidence: Evidence) -> None:
    first = evidence.gate("not_peeked", look=due(evidence))
    second = evidence.gate("not_peeked", look=due(evidence))
    assert (first.numbers["look"], second.numbers["look"]) == (1, 2)
    assert first.numbers["alpha"] == 0.025
    assert second.numbers["alpha"] == pytest.approx(0.05 / 6)


def test_a_look_is_taken_once(evidence: Evidence) -> None:
    look = due(evidence)
    evidence.evaluate(look=look)
    with pytest.raises(DatabaseRefusedError):
        evidence.evaluate(look=look)


def test_a_rolling_window_sees_what_came_in_then_alone(evidence: Evidence) -> None:
    evidence.write(
        "UPDATE comparisons SET body = jsonb_set(body, '{received_at}',"
        " to_jsonb(now() - interval '5 minutes')) WHERE work_order_key = %s",
        KEY,
    )
    found = evidence.evaluate(since=datetime.now(UTC) - timedelta(hours=1))
    assert found.report.compared.total == 1
    assert found.report.completeness.counts["work_orders"] == 0


def test_a_report_carries_no_mail_text_and_no_address(evidence: Evidence) -> None:
    text = json.dumps(evidence.evaluate().report.model_dump(mode="json"))
    assert "@" not in text.replace("rules@1", "")
    assert "parcel" not in text


def test_only_the_judged_engine_counts(evidence: Evidence) -> None:
    with evidence.database.transaction() as connection:
        compare(connection, [comparison(9000, engine="another")])
    assert evidence.evaluate().report.compared.live == LIVE
    assert Origin.LIVE == "live"
