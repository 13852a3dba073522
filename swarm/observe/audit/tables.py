"""The promises as questions to the tables: each finds what breaks one, and must find nothing.

A question is one SELECT that gives ``subject`` and ``detail`` per breach. What needs the mailbox or
the intake streams is asked elsewhere (``mailbox``, ``promises``), and so are event chains.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from swarm.store.database import Connection
from swarm.store.releases import waived_of

Parameters = Mapping[str, object]
"""``required``: rule ids; ``lease_grace``, ``settle_grace``, ``sending_limit``: intervals."""


@dataclass(frozen=True, slots=True)
class Question:
    """One promise, asked of the tables. ``name`` is stable: reports and tests refer to it."""

    promise: int
    name: str
    sql: str


_LINE_WITHOUT_WORK_ORDER = """
SELECT DISTINCT l.work_order_key AS subject, 'accepted line without a work order' AS detail
  FROM intake_line l LEFT JOIN work_orders w ON w.key = l.work_order_key
 WHERE l.status = 'accepted' AND l.work_order_key IS NOT NULL AND w.key IS NULL
"""

_WORK_ORDER_WITHOUT_LINE = """
SELECT w.key AS subject, count(l.id) || ' accepted lines, expected 1' AS detail
  FROM work_orders w
  LEFT JOIN intake_line l ON l.work_order_key = w.key AND l.status = 'accepted'
 GROUP BY w.key HAVING count(l.id) <> 1
"""

_QUARANTINE_MISMATCH = """
SELECT coalesce(l.stream, q.stream) || ':' || coalesce(l.generation, q.generation)
       || ':' || coalesce(l.byte_offset, q.byte_offset) AS subject,
       CASE WHEN q.stream IS NULL THEN 'quarantined line whose bytes were not kept'
            ELSE 'quarantined bytes without a line' END AS detail
  FROM (SELECT * FROM intake_line WHERE status = 'quarantined') l
  FULL JOIN quarantine q USING (stream, generation, byte_offset)
 WHERE l.id IS NULL OR q.stream IS NULL
"""

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

_SILENT = """
SELECT w.key AS subject, 'live (' || w.state || ') but no job drives it: '
       || coalesce(j.state, 'none') AS detail
  FROM work_orders w LEFT JOIN swarm_jobs j ON j.work_order_key = w.key
 WHERE w.state IN ('accepted', 'running')
   AND coalesce(j.state, 'none') NOT IN ('queued', 'requested', 'running')
"""

_PUBLISHING_WITHOUT_LEDGER = """
SELECT w.key AS subject, 'publishing but the ledger has no row' AS detail
  FROM work_orders w LEFT JOIN publication_ledger l ON l.work_order_key = w.key
 WHERE w.state = 'publishing' AND l.work_order_key IS NULL
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
SELECT w.key AS subject, 'escalated without owner and timer (ES-22)' AS detail
  FROM work_orders w LEFT JOIN escalations e ON e.work_order_key = w.key
 WHERE w.state = 'escalated' AND e.work_order_key IS NULL
"""

_PUBLISHED_WITHOUT_CONFIRMATION = """
SELECT w.key AS subject, 'published but the ledger says ' || coalesce(l.state, 'nothing') AS detail
  FROM work_orders w LEFT JOIN publication_ledger l ON l.work_order_key = w.key
 WHERE w.state = 'published' AND l.state IS DISTINCT FROM 'CONFIRMED'
"""

# What today's publisher did binds only work orders handed to it; one that we escalate on our own
# stays escalated. The grace covers the sweep that lets a work order follow its publication.
_ENDED_BUT_NOT_SETTLED = """
SELECT w.key AS subject, 'ledger ' || l.state || ' but the work order is ' || w.state AS detail
  FROM publication_ledger l JOIN work_orders w ON w.key = l.work_order_key
 WHERE l.changed_at < now() - %(settle_grace)s
   AND (l.publisher = 'swarm' OR w.state = 'publishing')
   AND ((l.state = 'CONFIRMED' AND w.state <> 'published')
     OR (l.state = 'HELD' AND w.state NOT IN ('held', 'escalated'))
     OR (l.state = 'DEAD' AND w.state NOT IN ('dead', 'held', 'escalated')))
"""

_SENDING_TOO_LONG = """
SELECT work_order_key AS subject, 'SENDING since ' || intent_at AS detail
  FROM publication_ledger WHERE state = 'SENDING' AND intent_at < now() - %(sending_limit)s
"""

# Two POSTs whose outcome was not "proven not sent" are the most the protocol ever allows.
_POSTED_TOO_OFTEN = """
SELECT work_order_key AS subject, uncertain_posts || ' posts of unproven outcome' AS detail
  FROM publication_ledger WHERE uncertain_posts > 2
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
 WHERE l.publisher = 'swarm' AND l.state IN ('SENDING', 'ACCEPTED', 'UNKNOWN', 'CONFIRMED')
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
 WHERE l.publisher = 'swarm' AND l.state IN ('SENDING', 'ACCEPTED', 'UNKNOWN', 'CONFIRMED')
"""

_ARTIFACT_WITHOUT_EVENT = """
SELECT a.work_order_key AS subject, 'output of ' || a.stage || ' without its event' AS detail
  FROM artifacts a
 WHERE NOT EXISTS (
        SELECT 1 FROM workflow_events e
         WHERE e.work_order_key = a.work_order_key AND e.stage = a.stage
           AND e.detail->>'artifact_sha256' = a.sha256)
"""

QUESTIONS = (
    Question(1, "line_without_work_order", _LINE_WITHOUT_WORK_ORDER),
    Question(1, "work_order_without_line", _WORK_ORDER_WITHOUT_LINE),
    Question(1, "quarantine_mismatch", _QUARANTINE_MISMATCH),
    Question(1, "quarantine_without_alert", _QUARANTINE_WITHOUT_ALERT),
    Question(1, "silent", _SILENT),
    Question(1, "publishing_without_ledger", _PUBLISHING_WITHOUT_LEDGER),
    Question(1, "driven_though_final", _DRIVEN_THOUGH_FINAL),
    Question(1, "lease_forgotten", _LEASE_FORGOTTEN),
    Question(1, "final_without_alert", _FINAL_WITHOUT_ALERT),
    Question(1, "publication_without_alert", _PUBLICATION_WITHOUT_ALERT),
    Question(1, "escalation_without_owner", _ESCALATION_WITHOUT_OWNER),
    Question(1, "published_without_confirmation", _PUBLISHED_WITHOUT_CONFIRMATION),
    Question(1, "ended_but_not_settled", _ENDED_BUT_NOT_SETTLED),
    Question(2, "sending_too_long", _SENDING_TOO_LONG),
    Question(2, "posted_too_often", _POSTED_TOO_OFTEN),
    Question(3, "would_be_sent", _WOULD_BE_SENT),
    Question(4, "left_without_pass", _LEFT_UNAPPROVED),
    Question(5, "left_against_a_ruling", _LEFT_AGAINST_A_RULING),
    Question(6, "artifact_without_event", _ARTIFACT_WITHOUT_EVENT),
)


def ask(connection: Connection, parameters: Parameters) -> Iterator[tuple[Question, str, str]]:
    """Yield each breach as its question, subject and detail."""
    for question in QUESTIONS:
        for row in connection.execute(question.sql, parameters):
            yield question, row["subject"], row["detail"]
