"""The promises as questions to the tables: each finds what breaks one, and must find nothing.

A question is one SELECT that gives ``subject`` and ``detail`` per breach; ``OF_A_BATCH`` are those
about verdicts, asked of the work orders in ``keys`` alone. What takes too long is asked in
``waiting``. What needs hashing is worked out in ``recompute``, what needs the mailbox or the
intake streams is asked in ``mailbox`` and ``streams``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from swarm.observe.audit import waiting
from swarm.observe.audit.question import Question
from swarm.store import reconciliation
from swarm.store.database import Connection
from swarm.store.releases import waived_of

Parameters = Mapping[str, object]
"""``required``: rule ids; ``keys``: work orders; the fields of ``Limits``: intervals."""


Answer: TypeAlias = tuple[Question, str, str]


# Per line, not per generation: the second bad line of an incident must be told as well.
_QUARANTINE_WITHOUT_ALERT = """
SELECT line.subject, 'a bad line that no open alert counts' AS detail
  FROM (SELECT stream || ':' || generation || ':' || byte_offset AS subject,
               stream || ':' || generation AS incident,
               row_number() OVER (PARTITION BY stream, generation ORDER BY byte_offset) AS nth
          FROM quarantine WHERE discarded_at IS NULL) line
 WHERE NOT EXISTS (
        SELECT 1 FROM alerts a
         WHERE a.kind = 'intake.quarantined' AND a.subject = line.incident
           AND a.resolved_at IS NULL AND a.count >= line.nth)
"""

_DRIVEN_THOUGH_FINAL = """
SELECT w.key AS subject, 'final (' || w.state || ') but its job is ' || j.state AS detail
  FROM work_orders w JOIN swarm_jobs j ON j.work_order_key = w.key
 WHERE (w.final_at IS NOT NULL AND j.state IN ('queued', 'requested'))
    OR (w.state <> 'dead' AND j.state = 'dead')
"""

_LEASE_FORGOTTEN = """
SELECT work_order_key AS subject, 'lease ran out at ' || lease_until || ', never reaped' AS detail
  FROM swarm_jobs WHERE state = 'running' AND lease_until < now() - %(lease_grace)s
"""

_FINAL_WITHOUT_ALERT = """
SELECT w.key AS subject, w.state || ' without alert' AS detail FROM work_orders w
 WHERE w.state IN ('held', 'dead')
   AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.subject = w.key)
"""

# An escalation has its owner and timer: a second alert for the same work order would be noise.
_PUBLICATION_WITHOUT_ALERT = """
SELECT l.work_order_key AS subject, 'ledger ' || l.state || ' without alert' AS detail
  FROM publication_ledger l
 WHERE l.state IN ('HELD', 'DEAD')
   AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.subject = l.work_order_key)
   AND NOT EXISTS (SELECT 1 FROM escalations e WHERE e.work_order_key = l.work_order_key)
"""

_ESCALATION_WITHOUT_OWNER = """
SELECT w.key AS subject, w.state || ' without owner and timer (ES-22)' AS detail
  FROM work_orders w LEFT JOIN escalations e ON e.work_order_key = w.key
 WHERE w.state IN ('escalated', 'declined') AND e.work_order_key IS NULL
"""

# What today's publisher did binds only work orders handed to it; one that we escalate on our own
# stays escalated. The grace covers the sweep that lets a work order follow its publication.
_ENDED_BUT_NOT_SETTLED = """
SELECT w.key AS subject, 'ledger ' || l.state || ' but the work order is ' || w.state AS detail
  FROM publication_ledger l JOIN work_orders w ON w.key = l.work_order_key
 WHERE l.changed_at < now() - %(settle_grace)s
   AND (l.publisher = 'swarm' OR w.state = 'publishing')
   AND ((l.state = 'CONFIRMED' AND w.state <> 'published')
     OR (l.state = 'HELD' AND w.state NOT IN ('held', 'escalated', 'declined'))
     OR (l.state = 'DEAD' AND w.state NOT IN ('dead', 'held', 'escalated', 'declined')))
"""

_SENDING_TOO_LONG = """
SELECT work_order_key AS subject,
       'SENDING since ' || coalesce(intent_at::text, 'an unknown time') AS detail
  FROM publication_ledger WHERE state = 'SENDING'
   AND coalesce(intent_at < now() - %(sending)s OR intent_at > now() + %(clock_slack)s, true)
"""

_WOULD_BE_SENT = """
SELECT work_order_key AS subject,
       publisher || ': auto_send is ' || coalesce(body->>'auto_send', 'missing') AS detail
  FROM publication_payload WHERE body->>'auto_send' IS DISTINCT FROM 'false'
"""

# From SENDING on, bytes may have left: each needs its stored passes, for exactly these hashes.
_LEFT_UNAPPROVED = f"""
SELECT l.work_order_key AS subject, l.state || ' without a stored PASS of ' || r.rule AS detail
  FROM publication_ledger l
  LEFT JOIN publication_payload p ON p.work_order_key = l.work_order_key
       AND p.publisher = l.publisher AND p.sha256 = l.payload_sha256
 CROSS JOIN unnest(%(required)s::text[]) AS r (rule)
 WHERE l.work_order_key = ANY(%(keys)s)
   AND l.publisher = 'swarm' AND l.state IN ('SENDING', 'ACCEPTED', 'UNKNOWN', 'CONFIRMED')
   AND r.rule <> ALL ({waived_of("l.work_order_key")})
   AND NOT EXISTS (
        SELECT 1 FROM verdicts v
         WHERE v.rule = r.rule AND v.version = p.ruleset AND v.ruling = 'pass'
           AND v.draft_sha256 = p.draft_sha256 AND v.evidence_sha256 = p.evidence_sha256)
"""

_LEFT_AGAINST_A_RULING = f"""
SELECT l.work_order_key AS subject,
       l.state || ' although ' || v.rule || ' ruled ' || v.ruling AS detail
  FROM publication_ledger l
  JOIN publication_payload p ON p.work_order_key = l.work_order_key
       AND p.publisher = l.publisher AND p.sha256 = l.payload_sha256
  JOIN verdicts v ON v.version = p.ruleset AND v.draft_sha256 = p.draft_sha256
       AND v.evidence_sha256 = p.evidence_sha256 AND v.ruling <> 'pass'
       AND v.rule <> ALL ({waived_of("l.work_order_key")})
 WHERE l.work_order_key = ANY(%(keys)s)
   AND l.publisher = 'swarm' AND l.state IN ('SENDING', 'ACCEPTED', 'UNKNOWN', 'CONFIRMED')
"""

# A duplicate repeats an accepted line: the same body, or a revision that was kept. An erased line
# is counted and says nothing more.
_DUPLICATE_OF_NOTHING = """
SELECT l.stream || ':' || l.generation || ':' || l.byte_offset AS subject,
       l.status || ' line of a mail that no accepted line brought' AS detail
  FROM intake_line l
 WHERE l.status = 'duplicate' AND l.line_sha256 <> 'erased' AND l.stream <> 'outbox'
   AND NOT EXISTS (
        SELECT 1 FROM intake_line a
         WHERE a.work_order_key = l.work_order_key AND a.status = 'accepted'
           AND a.stream <> 'outbox' AND (a.canonical_sha256 = l.canonical_sha256 OR EXISTS (
                SELECT 1 FROM revision r WHERE r.work_order_key = l.work_order_key
                   AND r.canonical_sha256 = l.canonical_sha256)))
"""

_LINE_OF_NOBODY = """
SELECT stream || ':' || generation || ':' || byte_offset AS subject,
       'accepted line that names no work order' AS detail
  FROM intake_line
 WHERE status = 'accepted' AND work_order_key IS NULL AND line_sha256 <> 'erased'
"""

_ESCALATION_WITHOUT_PAGE = """
SELECT e.work_order_key AS subject, 'overdue since ' || e.acknowledge_by || ', nobody was paged'
       AS detail
  FROM escalations e
 WHERE e.acknowledged_at IS NULL AND e.acknowledge_by < now() - %(request)s
   AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.subject = e.work_order_key
                    AND a.kind = 'escalation.overdue')
"""

# Today's sender may be ahead of our intake, and for a while must be able to.
_PUBLICATION_OF_NOTHING = """
SELECT l.work_order_key AS subject, 'publication of ' || l.publisher || ' (' || l.state
       || ') without a work order' AS detail
  FROM publication_ledger l LEFT JOIN work_orders w ON w.key = l.work_order_key
 WHERE w.key IS NULL AND (l.publisher = 'swarm' OR l.created_at < now() - %(waiting)s)
"""

_PAYLOAD_GONE = """
SELECT l.work_order_key AS subject, l.state || ': the payload it names is not stored' AS detail
  FROM publication_ledger l
  LEFT JOIN publication_payload p ON p.work_order_key = l.work_order_key
       AND p.publisher = l.publisher
 WHERE l.payload_sha256 IS NOT NULL AND p.work_order_key IS NULL
"""

# --- who is in office -----------------------------------------------------------------------------

_CONTROL_WITHOUT_HISTORY = """
SELECT 'publisher_control' AS subject,
       coalesce('epoch ' || c.epoch || ', ' || c.active, 'nobody') || ' in office; the history: '
       || coalesce('epoch ' || h.epoch || ', ' || h.active, 'nothing') AS detail
  FROM (SELECT 1 AS one) AS always
  LEFT JOIN publisher_control c ON true
  LEFT JOIN (SELECT * FROM publisher_history ORDER BY epoch DESC LIMIT 1) h ON true
 WHERE coalesce((c.epoch, c.active, c.actor, c.reason) IS DISTINCT FROM
                (h.epoch, h.active, h.actor, h.reason), true)
   AND NOT coalesce(h.epoch IS NULL AND c.epoch = 0 AND c.active = 'none', false)
"""

_NO_CONTROL = """
SELECT 'publisher_control' AS subject, 'there is no row: nobody can publish or be appointed'
       AS detail
 WHERE NOT EXISTS (SELECT 1 FROM publisher_control)
"""

_HISTORY_WITH_A_GAP = """
SELECT 'publisher_history' AS subject, 'epoch ' || wanted || ' is missing' AS detail
  FROM generate_series(1, (SELECT max(epoch) FROM publisher_history)) AS wanted
 WHERE NOT EXISTS (SELECT 1 FROM publisher_history WHERE epoch = wanted)
"""

# Every write of publisher or epoch takes both from the office of that moment, under lock 7001.
_OUT_OF_OFFICE = """
SELECT l.work_order_key AS subject, l.state || ' of ' || l.publisher || ' under epoch ' || l.epoch
       || ', when ' || coalesce(h.active, 'nobody known') || ' was in office' AS detail
  FROM publication_ledger l
  LEFT JOIN (SELECT epoch, active FROM publisher_history UNION ALL SELECT 0, 'none') h
    ON h.epoch = l.epoch
 WHERE h.active IS DISTINCT FROM l.publisher
"""

_LEASE_OF_THE_FUTURE = """
SELECT 'publisher_lease' AS subject, 'held until ' || lease_until || ' under epoch ' || p.epoch
       AS detail
  FROM publisher_lease p, publisher_control c
 WHERE p.epoch > c.epoch OR (p.released_at IS NULL AND p.lease_until > now() + %(furthest_due)s)
"""

# A payload is made in the world its home lives in then, never before its mail came in.
_OF_ANOTHER_WORLD = """
SELECT p.work_order_key AS subject,
       p.publisher || ': made in world ' || p.world || ', the mail in ' || w.world
       || ', and this is ' || current_world() AS detail
  FROM publication_payload p JOIN work_orders w ON w.key = p.work_order_key
 WHERE p.world < w.world OR p.world > current_world()
"""

QUESTIONS = (
    Question(1, "line_without_work_order", reconciliation.LINE_WITHOUT_WORK_ORDER),
    Question(1, "work_order_without_line", reconciliation.WORK_ORDER_WITHOUT_LINE),
    Question(1, "quarantine_mismatch", reconciliation.QUARANTINE_MISMATCH),
    Question(1, "quarantine_without_alert", _QUARANTINE_WITHOUT_ALERT),
    Question(1, "silent", reconciliation.SILENT),
    Question(1, "publishing_without_ledger", reconciliation.PUBLISHING_WITHOUT_LEDGER),
    Question(1, "driven_though_final", _DRIVEN_THOUGH_FINAL),
    Question(1, "lease_forgotten", _LEASE_FORGOTTEN),
    Question(1, "final_without_alert", _FINAL_WITHOUT_ALERT),
    Question(1, "publication_without_alert", _PUBLICATION_WITHOUT_ALERT),
    Question(1, "escalation_without_owner", _ESCALATION_WITHOUT_OWNER),
    Question(1, "published_without_confirmation", reconciliation.PUBLISHED_WITHOUT_CONFIRMATION),
    Question(1, "ended_but_not_settled", _ENDED_BUT_NOT_SETTLED),
    Question(2, "sending_too_long", _SENDING_TOO_LONG),
    Question(2, "posted_too_often", reconciliation.POSTED_TOO_OFTEN),
    Question(2, "of_another_world", _OF_ANOTHER_WORLD),
    Question(3, "would_be_sent", _WOULD_BE_SENT),
    Question(1, "duplicate_of_nothing", _DUPLICATE_OF_NOTHING),
    Question(1, "line_without_work_order", _LINE_OF_NOBODY),
    Question(1, "escalation_without_page", _ESCALATION_WITHOUT_PAGE),
    Question(1, "publication_of_nothing", _PUBLICATION_OF_NOTHING),
    Question(2, "log_without_row", reconciliation.LOG_WITHOUT_ROW),
    Question(4, "payload_changed", _PAYLOAD_GONE),
    Question(2, "same_draft_twice", reconciliation.SAME_DRAFT_TWICE),
    Question(2, "control_without_history", _CONTROL_WITHOUT_HISTORY),
    Question(2, "control_without_history", _NO_CONTROL),
    Question(2, "history_with_a_gap", _HISTORY_WITH_A_GAP),
    Question(2, "out_of_office", _OUT_OF_OFFICE),
    Question(2, "lease_of_the_future", _LEASE_OF_THE_FUTURE),
    *waiting.QUESTIONS,
)

OF_A_BATCH = (
    Question(4, "left_without_pass", _LEFT_UNAPPROVED),
    Question(5, "left_against_a_ruling", _LEFT_AGAINST_A_RULING),
)


def ask(connection: Connection, parameters: Parameters) -> Iterator[Answer]:
    """Yield each breach over all tables as its question, subject and detail."""
    return _asked(connection, QUESTIONS, parameters)


def ask_of(connection: Connection, parameters: Parameters) -> Iterator[Answer]:
    """Yield each breach of the work orders in ``keys``."""
    return _asked(connection, OF_A_BATCH, parameters)


def _asked(
    connection: Connection, questions: Sequence[Question], parameters: Parameters
) -> Iterator[Answer]:
    for question in questions:
        for row in connection.execute(question.sql, parameters):
            yield question, row["subject"], row["detail"]
