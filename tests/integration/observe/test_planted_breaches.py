# ruff: noqa: E501 - one breach a line reads as a table
"""A live installation is clean; each breach planted into a copy of it is named, by both scopes.

The installation is made by the objects of production and audited clean once, so that the audit
leans on its mark; each case gets a copy of its own and breaks one thing behind everybody's back.
"""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from live_installation import Installation, alive, copied

from swarm.models import canonical_sha256
from swarm.observe.audit.report import AuditReport, Scope
from swarm.publishing.ledger.payload import StoredPayload, draft_sha256

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation")


@pytest.fixture(scope="module")
def live(postgres_server: str, folder: Path) -> Iterator[Installation]:
    with alive(postgres_server, folder, f"live_{uuid.uuid4().hex[:8]}") as installation:
        yield installation


@pytest.fixture
def copy(live: Installation, postgres_server: str, tmp_path: Path) -> Iterator[Installation]:
    with copied(live, postgres_server, f"copy_{uuid.uuid4().hex[:8]}", tmp_path) as copy:
        yield copy


def named(report: AuditReport) -> set[tuple[str, str]]:
    return {(breach.check, breach.subject) for breach in report.breaches}


def assert_named(copy: Installation, check: str, subject: str) -> None:
    """By an audit of what is new, and by a whole one; nothing of it is remembered as clean."""
    for scope in Scope:
        report = copy.audit(scope)
        assert (check, copy.keys.get(subject, subject)) in named(report), report.breaches
        assert not report.holds


# --- nothing is wrong -----------------------------------------------------------------------------


def test_the_live_installation_is_clean_and_the_second_audit_leans_on_the_first(
    live: Installation,
) -> None:
    first, second = live.firsts
    assert first.breaches == second.breaches == ()
    assert (first.scope, second.scope) == (Scope.FULL, Scope.NEW)
    assert (first.since, second.since) == (None, first.at)
    assert first.totals.recomputed == first.totals.work_orders == len(live.keys)
    still_open = {"queued", "running", "lost", "fought"}
    assert second.totals.recomputed == len(still_open)


def test_an_untouched_copy_is_clean_in_both_scopes(copy: Installation) -> None:
    for scope in Scope:
        report = copy.audit(scope)
        assert (report.breaches, report.facts) == ((), ())


# --- planted by SQL -------------------------------------------------------------------------------

_LEDGER = "UPDATE publication_ledger SET"
_JOB = "UPDATE swarm_jobs SET"
_ORDER = "UPDATE work_orders SET"
_DAYS = "now() - interval '3 days'"


def _where(order: str) -> str:
    return f"WHERE work_order_key = :{order}"


def _text(table: str, path: str, order: str, more: str = "") -> str:
    changed = f"jsonb_set(body, '{{{path}}}', '\"Something else\"')"
    name = "key" if table == "work_orders" else "work_order_key"
    return f"UPDATE {table} SET body = {changed} WHERE {name} = :{order} {more}"


# What is said of it; the statement; the name of the check; whose subject it is.
PLANTED = [
    # too long, never, or at no time
    ("READY for days", f"{_LEDGER} state = 'READY', publisher = 'swarm', changed_at = {_DAYS} {_where('fought')}", "publication_waits", "fought"),
    ("ACCEPTED for days", f"{_LEDGER} changed_at = {_DAYS} {_where('lost')}", "publication_waits", "lost"),
    ("UNKNOWN for days", f"{_LEDGER} state = 'UNKNOWN', changed_at = {_DAYS} {_where('lost')}", "publication_waits", "lost"),
    ("PENDING for days", f"{_LEDGER} changed_at = {_DAYS} {_where('fought')}", "publication_waits", "fought"),
    ("SENDING for an hour", f"{_LEDGER} state = 'SENDING', intent_at = now() - interval '1 hour' {_where('lost')}", "sending_too_long", "lost"),
    ("SENDING since never", f"{_LEDGER} state = 'SENDING', intent_at = NULL {_where('lost')}", "sending_too_long", "lost"),
    ("publishing for days", f"{_ORDER} accepted_at = {_DAYS} WHERE key = :fought", "open_too_long", "fought"),
    ("accepted for days", f"{_ORDER} accepted_at = {_DAYS} WHERE key = :queued", "open_too_long", "queued"),
    ("queued for days", f"{_JOB} state = 'queued', not_before = {_DAYS} {_where('queued')}", "job_waits", "queued"),
    ("requested for days", f"{_JOB} requested_at = {_DAYS} {_where('queued')}", "request_forgotten", "queued"),
    ("requested at no time", f"{_JOB} requested_at = NULL {_where('queued')}", "job_without_times", "queued"),
    ("running without a lease", f"{_JOB} lease_until = NULL {_where('running')}", "job_without_times", "running"),
    ("running without a heartbeat", f"{_JOB} heartbeat_at = NULL {_where('running')}", "job_without_times", "running"),
    ("running for nobody", f"{_JOB} run_id = NULL {_where('running')}", "job_without_times", "running"),
    ("due in 2999", f"{_JOB} state = 'queued', not_before = '2999-01-01' {_where('queued')}", "never_due", "queued"),
    ("requested in 2999", f"{_JOB} requested_at = '2999-01-01' {_where('queued')}", "never_due", "queued"),
    ("leased until 2999", f"{_JOB} lease_until = '2999-01-01' {_where('running')}", "never_due", "running"),
    ("lease run out", f"{_JOB} lease_until = {_DAYS} {_where('running')}", "lease_forgotten", "running"),
    ("published in 2999", f"{_LEDGER} not_before = '2999-01-01' {_where('fought')}", "never_due", "fought"),
    ("never looked at", f"{_LEDGER} look_at = NULL {_where('lost')}", "never_due", "lost"),
    ("looked at in 2999", f"{_LEDGER} look_at = '2999-01-01' {_where('lost')}", "never_due", "lost"),
    ("ACCEPTED in 2999", f"{_LEDGER} changed_at = '2999-01-01' {_where('lost')}", "from_the_future", "lost"),
    ("accepted in 2999", f"{_ORDER} accepted_at = '2999-01-01' WHERE key = :queued", "from_the_future", "queued"),
    ("no job", f"DELETE FROM swarm_jobs {_where('queued')}", "silent", "queued"),
    ("a job done", f"{_JOB} state = 'done' {_where('running')}", "state_without_job", "running"),
    # other bytes
    ("the payload's text", _text("publication_payload", "body_text", "published"), "payload_changed", "published"),
    ("the payload's recipient", _text("publication_payload", "to", "waiting"), "payload_changed", "waiting"),
    ("the payload's mail", _text("publication_payload", "message_id", "other"), "payload_changed", "other"),
    ("a payload not yet posted", _text("publication_payload", "body_html", "fought"), "payload_changed", "fought"),
    ("legacy's payload", _text("publication_payload", "body_text", "shadowed", "AND publisher = 'legacy'"), "payload_changed", "shadowed"),
    ("a payload gone", f"DELETE FROM publication_payload {_where('published')}", "payload_changed", "published"),
    ("a payload that would be sent", "UPDATE publication_payload SET body = body || '{\"auto_send\": \"true\"}' " + _where("published"), "would_be_sent", "published"),
    *(
        (f"the output of {stage}", f"UPDATE artifacts SET body = body || '{{\"x\": 1}}' {_where('published')} AND stage = '{stage}'", "artifact_changed", "published")
        for stage in ("received", "thread", "crm", "tier", "context", "draft", "tone", "fact", "qa", "policy", "publish")
    ),
    ("the draft is gone", f"DELETE FROM artifacts {_where('published')} AND stage = 'draft'", "artifact_missing", "published"),
    ("an escalation's tier is gone", f"DELETE FROM artifacts {_where('escalated')} AND stage = 'tier'", "artifact_missing", "escalated"),
    ("a draft with another's hash", f"UPDATE artifacts SET sha256 = repeat('f', 64) {_where('held')} AND stage = 'draft'", "artifact_without_event", "held"),
    ("the mail's text", _text("work_orders", "body_text", "published"), "mail_changed", "published"),
    ("a mail nobody has read", _text("work_orders", "subject", "queued"), "mail_changed", "queued"),
    ("the mail's sender", _text("work_orders", "sender,address", "escalated"), "mail_changed", "escalated"),
    ("the mail's id", f"{_ORDER} original_id = 'another' WHERE key = :held", "mail_changed", "held"),
    ("a kept revision", _text("revision", "body_text", "superseded"), "mail_changed", "superseded"),
    # the row against the chain and the log
    ("held turned published", f"{_ORDER} state = 'published' WHERE key = :superseded", "state_not_in_chain", "superseded"),
    ("escalated turned held", f"{_ORDER} state = 'held' WHERE key = :escalated", "state_not_in_chain", "escalated"),
    ("dead turned accepted", f"{_ORDER} state = 'accepted', final_at = NULL WHERE key = :dead", "state_not_in_chain", "dead"),
    ("published turned running", f"{_ORDER} state = 'running', final_at = NULL WHERE key = :published", "state_not_in_chain", "published"),
    ("another tier", f"{_ORDER} tier = 3 WHERE key = :published", "tier_not_in_chain", "published"),
    ("a tier lowered", f"{_ORDER} tier = 1 WHERE key = :escalated", "tier_not_in_chain", "escalated"),
    ("an event changed", f"UPDATE workflow_events SET actor = 'nobody' {_where('escalated')} AND seq = 2", "chain", "escalated"),
    ("an event gone", f"DELETE FROM workflow_events {_where('escalated')} AND seq = 2", "chain", "escalated"),
    ("the whole chain gone", f"DELETE FROM workflow_events {_where('published')}", "chain", "published"),
    ("the whole chain gone, and its head", f"DELETE FROM workflow_events {_where('superseded')} ;; {_ORDER} chain_seq = 0, chain_hash = repeat('0', 64) WHERE key = :superseded", "state_not_in_chain", "superseded"),
    ("the chain's end gone, and its head moved", f"DELETE FROM workflow_events e USING work_orders w WHERE w.key = e.work_order_key AND w.key = :published AND e.seq = w.chain_seq ;; UPDATE work_orders w SET chain_seq = e.seq, chain_hash = e.hash FROM (SELECT seq, hash FROM workflow_events {_where('published')} ORDER BY seq DESC LIMIT 1) e WHERE w.key = :published", "state_not_in_chain", "published"),
    ("the log gone", "TRUNCATE publication_log", "ledger_not_in_log", "published"),
    ("a claim gone from the log", f"DELETE FROM publication_log {_where('published')} AND event = 'claimed'", "impossible_move", "published"),
    ("a log line of another fence", f"UPDATE publication_log SET fence = 7 {_where('lost')} AND event = 'accepted'", "impossible_move", "lost"),
    ("confirmed twice", "INSERT INTO publication_log (work_order_key, fence, event) VALUES (:published, 1, 'confirmed')", "confirmed_twice", "published"),
    ("an uncertain post made ready again", f"{_LEDGER} state = 'READY', ever_uncertain = false, uncertain_posts = 0, publisher = 'swarm' {_where('lost')}", "ledger_not_in_log", "lost"),
    ("a fence lowered", f"{_LEDGER} fence = 0 {_where('published')}", "ledger_not_in_log", "published"),
    ("attempts forgotten", f"{_LEDGER} attempts = 0 {_where('lost')}", "ledger_not_in_log", "lost"),
    ("HELD turned CONFIRMED", f"{_LEDGER} state = 'CONFIRMED' {_where('held')}", "ledger_not_in_log", "held"),
    ("the ledger's row gone", f"DELETE FROM publication_ledger {_where('published')}", "log_without_row", "published"),
    ("one draft for two", f"{_LEDGER} draft_id = (SELECT draft_id FROM publication_ledger {_where('published')}) {_where('other')} OR work_order_key = :published", "same_draft_twice", "*"),
    # who is in office
    ("an escalation that legacy drafted", "INSERT INTO publication_ledger (work_order_key, publisher, state, epoch, draft_id) VALUES (:escalated, 'legacy', 'CONFIRMED', 1, 'x')", "out_of_office", "escalated"),
    ("another epoch", f"{_LEDGER} epoch = 2 {_where('published')}", "out_of_office", "published"),
    ("another publisher", f"{_LEDGER} publisher = 'legacy' {_where('other')}", "out_of_office", "other"),
    ("an epoch to come", f"{_LEDGER} epoch = 99 {_where('published')}", "out_of_office", "published"),
    ("control without history", "UPDATE publisher_control SET active = 'legacy', epoch = epoch + 1", "control_without_history", "publisher_control"),
    ("control by another actor", "UPDATE publisher_control SET actor = 'nobody'", "control_without_history", "publisher_control"),
    ("no control", "DELETE FROM publisher_control", "control_without_history", "publisher_control"),
    ("the last switch forgotten", "DELETE FROM publisher_history WHERE epoch = (SELECT max(epoch) FROM publisher_history)", "control_without_history", "publisher_control"),
    ("an early switch forgotten", "DELETE FROM publisher_history WHERE epoch = 2", "history_with_a_gap", "publisher_history"),
    ("a switch to come", "INSERT INTO publisher_history (epoch, active, reason, actor) VALUES (99, 'legacy', 'x', 'x')", "control_without_history", "publisher_control"),
    ("another's term", "UPDATE publisher_history SET active = 'legacy' WHERE epoch = 1", "out_of_office", "published"),
    ("a lease until 2999", "INSERT INTO publisher_lease (holder, epoch, lease_until) VALUES ('x', 1, '2999-01-01')", "lease_of_the_future", "publisher_lease"),
    # verdicts and escalations
    ("a PASS gone", f"DELETE FROM verdicts {_where('published')} AND rule = 'ES-07'", "left_without_pass", "published"),
    ("a PASS of a held draft gone", f"DELETE FROM verdicts {_where('held')} AND rule = 'ES-07'", "verdict_missing", "held"),
    ("a PASS made a FAIL", f"UPDATE verdicts SET ruling = 'fail' {_where('published')} AND rule = 'ES-07'", "left_against_a_ruling", "published"),
    ("a PASS nobody gave", "INSERT INTO verdicts (rule, version, draft_sha256, evidence_sha256, ruling, decided_by, work_order_key) VALUES ('ES-07', 'x', 'd', 'e', 'pass', 'x', :escalated)", "verdict_without_event", "escalated"),
    ("no owner", "UPDATE escalations SET owner = ' '", "escalation_without_owner", "escalated"),
    ("no class", "UPDATE escalations SET classes = '[]'", "escalation_without_owner", "escalated"),
    ("no escalation", "DELETE FROM escalations", "escalation_without_owner", "escalated"),
    ("acknowledge by 2999", "UPDATE escalations SET acknowledge_by = '2999-01-01'", "escalation_without_owner", "escalated"),
    ("acknowledged by nobody", "UPDATE escalations SET acknowledged_at = now()", "escalation_without_owner", "escalated"),
    ("overdue and nobody paged", "UPDATE escalations SET acknowledge_by = now() - interval '1 day'", "escalation_without_page", "escalated"),
    # the intake
    ("a line called duplicate", f"UPDATE intake_line SET status = 'duplicate' {_where('queued')}", "work_order_without_line", "queued"),
    ("a lost mail called duplicate", f"DELETE FROM swarm_jobs {_where('queued')} ;; DELETE FROM work_orders WHERE key = :queued ;; UPDATE intake_line SET status = 'duplicate' {_where('queued')}", "duplicate_of_nothing", "work_orders:1:*"),
    ("a lost mail called another's duplicate", f"DELETE FROM swarm_jobs {_where('queued')} ;; DELETE FROM work_orders WHERE key = :queued ;; UPDATE intake_line l SET status = 'duplicate', work_order_key = o.work_order_key, canonical_sha256 = o.canonical_sha256 FROM (SELECT * FROM intake_line {_where('running')}) o WHERE l.work_order_key = :queued", "stream_changed", "work_orders:1:*"),
    ("a bad line called duplicate", "DELETE FROM quarantine ;; UPDATE intake_line SET status = 'duplicate' WHERE status = 'quarantined'", "duplicate_of_nothing", "work_orders:1:*"),
    ("a line of nobody", f"UPDATE intake_line SET work_order_key = NULL {_where('queued')}", "line_without_work_order", "work_orders:1:*"),
    ("a work order gone", f"DELETE FROM swarm_jobs {_where('queued')} ;; DELETE FROM work_orders WHERE key = :queued", "line_without_work_order", "queued"),
    ("a line gone", f"DELETE FROM intake_line {_where('queued')}", "stream_count", "work_orders.jsonl:1"),
    ("the counter turned back", "UPDATE intake_offset SET lines = lines - 1", "stream_count", "work_orders.jsonl:1"),
    ("the kept bytes gone", "DELETE FROM quarantine", "quarantine_mismatch", "work_orders:1:*"),
    # shortened
    ("the alerts gone", "TRUNCATE alerts CASCADE", "shortened", "alerts"),
    ("one alert gone", "DELETE FROM alerts WHERE id = (SELECT min(id) FROM alerts)", "shortened", "alerts"),
    ("the log shortened", f"DELETE FROM publication_log {_where('lost')}", "shortened", "publication_log"),
    ("a run gone", f"DELETE FROM workflow_runs {_where('published')}", "shortened", "workflow_runs"),
    ("all of one work order gone", " ;; ".join(f"DELETE FROM {table} WHERE {column} = :dead" for table, column in (("swarm_jobs", "work_order_key"), ("workflow_events", "work_order_key"), ("workflow_runs", "work_order_key"), ("intake_line", "work_order_key"), ("work_orders", "key"))) + " ;; UPDATE intake_offset SET lines = lines - 1", "shortened", "work_orders"),
    # what holds the tables together
    ("a trigger dropped", "DROP TRIGGER verdicts_are_immutable ON verdicts", "trigger", "verdicts.verdicts_are_immutable"),
    ("a trigger disabled", "ALTER TABLE work_orders DISABLE TRIGGER tier_never_falls", "trigger", "work_orders.tier_never_falls"),
    ("all triggers disabled", "ALTER TABLE work_orders DISABLE TRIGGER ALL", "trigger", "work_orders.final_states_stay"),
    ("a function that refuses nothing", "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'", "trigger", "refuse_change"),
    ("a rule that swallows alerts", "CREATE RULE quiet AS ON INSERT TO alerts DO INSTEAD NOTHING", "schema_changed", "rule alerts.quiet"),
    ("the ledger's key dropped", "ALTER TABLE publication_ledger DROP CONSTRAINT publication_ledger_pkey", "schema_changed", "constraint publication_ledger.publication_ledger_pkey"),
    ("the alerts' index dropped", "DROP INDEX alerts_fire_once", "schema_changed", "unique index alerts_fire_once"),
    ("everybody may write", "GRANT UPDATE ON publication_ledger TO PUBLIC", "rights", "publication_ledger"),
    ("somebody may write", "GRANT INSERT ON verdicts TO pg_monitor", "schema_changed", "rights on verdicts"),
    ("another owner", "ALTER TABLE verdicts OWNER TO pg_monitor", "schema_changed", "rights on verdicts"),
    # the audit's own memory
    ("a mark changed", "UPDATE audit_mark SET counts = '{}' WHERE id = 1", "mark_broken", "audit_mark"),
    ("a mark gone", "DELETE FROM audit_mark WHERE id = 2", "mark_broken", "audit_mark"),
    ("all marks gone", "TRUNCATE audit_mark", "mark_broken", "audit_mark"),
]  # fmt: skip  # one breach a line


@pytest.mark.parametrize(
    ("statement", "check", "subject"),
    [pytest.param(*planted, id=said) for said, *planted in PLANTED],
)
def test_a_planted_breach_is_named(
    copy: Installation, statement: str, check: str, subject: str
) -> None:
    copy.tamper(*statement.split(" ;; "))
    for scope in Scope:
        report = copy.audit(scope)
        wanted = copy.keys.get(subject, subject)
        said = {each for name, each in named(report) if name == check}
        prefix = wanted.removesuffix("*")
        assert wanted in said or (prefix != wanted and any(s.startswith(prefix) for s in said)), (
            report.breaches
        )


def test_at_least_forty_breaches_are_planted() -> None:
    assert len(PLANTED) + len(FILES) >= 40


# --- a careful forger -----------------------------------------------------------------------------


def test_a_payload_forged_with_all_its_hashes_and_passes_is_named(copy: Installation) -> None:
    """Text, hash, draft hash, ledger and PASSes agree; only the chain tells another story."""
    key = copy.keys["published"]
    with copy.database.transaction() as connection:
        row = connection.execute(
            "SELECT body FROM publication_payload WHERE work_order_key = %s", (key,)
        ).fetchone()
    assert row is not None
    forged = StoredPayload.model_validate(
        row["body"] | {"body_text": row["body"]["body_text"].replace("order", "invoice", 1) + " "}
    )
    sha256, draft = forged.digest(), draft_sha256(forged)
    assert sha256 == canonical_sha256(forged.model_dump())
    body = forged.model_dump_json().replace("'", "''")
    copy.tamper(
        "INSERT INTO verdicts SELECT rule, version, '" + draft + "', evidence_sha256, ruling,"
        " reasons, decided_by, work_order_key, at FROM verdicts WHERE work_order_key = :published",
        f"UPDATE publication_ledger SET payload_sha256 = '{sha256}' {_where('published')}",
        f"UPDATE publication_payload SET body = '{body}', sha256 = '{sha256}',"
        f" draft_sha256 = '{draft}' {_where('published')}",
    )
    assert_named(copy, "payload_without_draft", "published")
    assert_named(copy, "verdict_without_event", "published")


# --- planted in the intake file -------------------------------------------------------------------


def _other_text(stream: Path) -> None:
    stream.write_bytes(stream.read_bytes().replace(b"could you tell me", b"could you sell me", 1))


def _a_line_gone(stream: Path) -> None:
    stream.write_bytes(b"".join(stream.read_bytes().splitlines(keepends=True)[1:]))


def _cut_off(stream: Path) -> None:
    stream.write_bytes(stream.read_bytes()[:-40])


def _gone(stream: Path) -> None:
    stream.unlink()


def _emptied(stream: Path) -> None:
    stream.write_bytes(b"")


FILES = [_other_text, _a_line_gone, _cut_off, _gone, _emptied]


@pytest.mark.parametrize("break_it", FILES, ids=lambda each: each.__name__)
def test_a_changed_intake_file_is_named(
    copy: Installation, break_it: Callable[[Path], None]
) -> None:
    break_it(copy.stream)
    for scope in Scope:
        assert "stream_changed" in {check for check, _ in named(copy.audit(scope))}
