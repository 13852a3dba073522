"""Every promise holds in a good world; each way to break one is named (INV)."""

import pytest
from watched_house import CUSTOMER, SUBJECT

from swarm.legacy.publishing.shim import OutboxItem, store_payload
from swarm.observe.audit.promises import audit
from swarm.observe.audit.report import AuditReport
from swarm.publishing.control import PublisherName

pytestmark = pytest.mark.integration


OUTBOX_LINE = OutboxItem(
    schema_version="1",
    id="WO-e",
    decision="draft",
    to=CUSTOMER,
    subject=f"Re: {SUBJECT}",
    body_text="It is on its way.",
    mailbox="desk@ours.example",
    conversation_id="c-1",
    line_sha256="f" * 64,
)


def report(world) -> AuditReport:
    return audit(world.database, world.mailbox, [], required_rules=world.rules)


def breaches(world) -> list[tuple[int, str, str]]:
    return [(b.promise, b.check, b.subject) for b in report(world).breaches]


def test_a_good_world_has_no_breach_and_the_report_says_what_was_looked_at(world) -> None:
    taken = report(world)
    assert taken.holds, taken.breaches
    assert (taken.totals.lines, taken.totals.work_orders, taken.totals.final) == (3, 3, 2)
    assert taken.totals.publications == 1
    assert taken.totals.mailbox_searched
    assert AuditReport.model_validate_json(taken.model_dump_json()) == taken


# Each spoils one thing: SQL, the promise, the name of the check, whose subject it is.
SPOILED = [
    ("DELETE FROM swarm_jobs WHERE work_order_key = %(live)s", 1, "silent", "live"),
    ("UPDATE swarm_jobs SET state = 'done' WHERE work_order_key = %(live)s", 1, "silent", "live"),
    (
        "UPDATE swarm_jobs SET state = 'queued' WHERE work_order_key = %(escalated)s",
        1,
        "driven_though_final",
        "escalated",
    ),
    (
        (
            "UPDATE swarm_jobs SET lease_until = now() - interval '1 hour'"
            " WHERE work_order_key = %(live)s"
        ),
        1,
        "lease_forgotten",
        "live",
    ),
    (
        "UPDATE work_orders SET state = 'publishing' WHERE key = %(live)s",
        1,
        "publishing_without_ledger",
        "live",
    ),
    ("DELETE FROM escalations", 1, "escalation_without_owner", "escalated"),
    (
        "DELETE FROM intake_line WHERE work_order_key = %(live)s",
        1,
        "work_order_without_line",
        "live",
    ),
    (
        "UPDATE work_orders SET state = 'held', final_at = now() WHERE key = %(live)s",
        1,
        "final_without_alert",
        "live",
    ),
    (
        'UPDATE publication_payload SET body = body || \'{"auto_send": "true"}\'',
        3,
        "would_be_sent",
        "published",
    ),
    ("UPDATE publication_payload SET body = body - 'auto_send'", 3, "would_be_sent", "published"),
    (
        (
            "INSERT INTO verdicts (rule, version, draft_sha256, evidence_sha256, ruling,"
            " decided_by, work_order_key) SELECT 'ES-11', ruleset, draft_sha256,"
            " evidence_sha256, 'error', 'x', work_order_key FROM publication_payload"
        ),
        5,
        "left_against_a_ruling",
        "published",
    ),
    (
        "UPDATE publication_payload SET draft_sha256 = repeat('f', 64)",
        4,
        "left_without_pass",
        "published",
    ),
    (
        "UPDATE publication_payload SET ruleset = 'rules-2'",
        4,
        "left_without_pass",
        "published",
    ),
    (
        "UPDATE publication_payload SET sha256 = 'other bytes'",
        4,
        "left_without_pass",
        "published",
    ),
    (
        "UPDATE work_orders SET chain_seq = chain_seq + 1 WHERE key = %(live)s",
        6,
        "chain",
        "live",
    ),
    (
        "UPDATE artifacts SET sha256 = 'forged'",
        6,
        "artifact_without_event",
        "published",
    ),
]


@pytest.mark.parametrize(("sql", "promise", "check", "subject"), SPOILED)
def test_a_broken_promise_is_named(world, sql: str, promise: int, check: str, subject: str) -> None:
    world.run(sql, live=world.live, escalated=world.escalated)
    assert (promise, check, getattr(world, subject)) in breaches(world)


def test_a_line_whose_work_order_does_not_exist_is_named(world) -> None:
    world.run(
        "INSERT INTO intake_line (stream, generation, byte_offset, length, line_sha256, status,"
        " work_order_key) VALUES ('work_orders', 1, 900, 9, 'x', 'accepted', 'wo_gone')"
    )
    assert breaches(world) == [(1, "line_without_work_order", "wo_gone")]


def test_a_quarantined_line_needs_its_bytes_and_an_alert(world) -> None:
    world.run(
        "INSERT INTO intake_line (stream, generation, byte_offset, length, line_sha256, status)"
        " VALUES ('work_orders', 1, 900, 9, 'x', 'quarantined')"
    )
    assert breaches(world) == [(1, "quarantine_mismatch", "work_orders:1:900")]
    world.run(
        "INSERT INTO quarantine (stream, generation, byte_offset, length, sha256, head, reason)"
        " VALUES ('work_orders', 1, 900, 9, 'x', '', 'not JSON')"
    )
    assert breaches(world) == [(1, "quarantine_without_alert", "work_orders:1:900")]


@pytest.mark.parametrize(
    ("state", "named"),
    [
        ("READY", {"published_without_confirmation", "draft_without_claim"}),
        ("HELD", {"published_without_confirmation", "publication_without_alert"}),
        ("SENDING", {"published_without_confirmation", "sending_too_long"}),
    ],
)
def test_a_ledger_that_does_not_confirm_what_is_published_is_named(world, state, named) -> None:
    intent = "NULL" if state == "READY" else "now() - interval '1 hour'"
    world.run(f"UPDATE publication_ledger SET state = '{state}', intent_at = {intent}")
    assert named <= {check for _, check, _ in breaches(world)}


def test_a_publication_that_ended_without_its_work_order_is_named_after_the_grace(world) -> None:
    world.run(
        "UPDATE publication_ledger SET work_order_key = %(live)s",
        live=world.live,
    )
    world.run("UPDATE publication_payload SET work_order_key = %(live)s", live=world.live)
    assert (1, "ended_but_not_settled", world.live) in breaches(world)
    world.run("UPDATE publication_ledger SET changed_at = now()")
    assert (1, "ended_but_not_settled", world.live) not in breaches(world)


def test_what_we_escalate_stays_escalated_whatever_todays_sender_did(world) -> None:
    """Today's path was in office: no breach, but somebody must know."""
    world.appoint(PublisherName.LEGACY)
    with world.database.transaction() as connection:
        store_payload(connection, world.escalated, OUTBOX_LINE)
    world.post(world.escalated)
    taken = report(world)
    assert taken.holds, taken.breaches
    assert [(f.name, f.subject) for f in taken.facts] == [
        ("drafted_though_escalated", world.escalated)
    ]


def test_two_drafts_of_one_work_order_are_named_wherever_they_lie(world) -> None:
    world.mailbox.put(world.published, folder="sentitems")
    assert breaches(world) == [(2, "drafted_twice", world.published)]


def test_a_confirmation_without_a_draft_is_named(world) -> None:
    world.mailbox.found.clear()
    assert breaches(world) == [(2, "confirmed_without_draft", world.published)]


def test_a_mailbox_that_does_not_answer_is_not_a_clean_audit(world) -> None:
    world.mailbox.down = True
    assert breaches(world) == [
        (2, "not_searched", "mailbox"),
        (2, "not_searched", world.published),
    ]


def test_without_a_mailbox_the_report_says_that_nobody_looked(world) -> None:
    taken = audit(world.database, None, [], required_rules=world.rules)
    assert taken.holds
    assert not taken.totals.mailbox_searched


def test_a_stream_with_a_line_too_many_is_named(world, stream) -> None:
    """Promise 1: difference 0, not small."""
    path = stream("{}\n" * 3)
    world.run(
        "INSERT INTO intake_offset (stream, generation, byte_offset, marker_sha256, prefix_length,"
        " prefix_sha256, lines) VALUES ('work_orders', 1, 9, '', 0, '', 4)"
    )
    taken = audit(world.database, None, [path])
    named = [(b.promise, b.check) for b in taken.breaches]
    assert named == [(1, "stream_changed"), (1, "stream_count")]


def test_hundreds_of_publications_are_searched(world) -> None:
    world.appoint(PublisherName.LEGACY)
    world.run(
        "INSERT INTO publication_ledger (work_order_key, publisher, state, epoch)"
        " SELECT 'wo_' || rpad(translate(n::text, '0189', 'abcd'), 24, 'z'), 'legacy',"
        " 'PENDING_PAYLOAD', 2 FROM generate_series(1, 300) n"
    )
    assert report(world).holds
