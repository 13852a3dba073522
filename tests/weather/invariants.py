"""What must hold while it storms, and when it is over. Each breach is one sentence.

Asked of Postgres as a person who reads, and of the mailbox's double. What is legal only for a
while has a limit in seconds; a fault may last 40, and what it held up needs time to come back.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import psycopg

from weather.house import House
from weather.kinds import Excuses

LIMITS = {"SENDING": 240, "lease": 240, "requested": 600, "unalerted": 240}

_WITHOUT_PASS = """
SELECT l.work_order_key AS key FROM publication_ledger l
  JOIN publication_payload p USING (work_order_key, publisher)
 WHERE l.state IN ('SENDING', 'ACCEPTED', 'UNKNOWN', 'CONFIRMED') AND l.attempts > 0
   AND (NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.draft_sha256 = p.draft_sha256
                       AND v.evidence_sha256 = p.evidence_sha256 AND v.version = p.ruleset
                       AND v.ruling = 'pass')
        OR EXISTS (SELECT 1 FROM verdicts v WHERE v.draft_sha256 = p.draft_sha256
                      AND v.evidence_sha256 = p.evidence_sha256 AND v.version = p.ruleset
                      AND v.ruling <> 'pass'))
"""
_ILLEGAL = """
SELECT w.key, w.state || ' with job ' || coalesce(j.state, 'none')
       || ' and publication ' || coalesce(l.state, 'none') AS stands
  FROM work_orders w
  LEFT JOIN swarm_jobs j ON j.work_order_key = w.key
  LEFT JOIN publication_ledger l ON l.work_order_key = w.key
 WHERE (w.final_at IS NULL AND j.state IS NULL)
    OR (w.state IN ('accepted', 'running') AND j.state IN ('done', 'dead'))
    OR (w.state = 'dead' AND j.state NOT IN ('dead', 'done'))
    OR (w.state = 'published' AND l.state IS DISTINCT FROM 'CONFIRMED')
    OR (w.state = 'publishing' AND l.state IS NULL)
    OR ((w.final_at IS NULL) = (w.state IN ('published', 'escalated', 'declined', 'held', 'dead')))
"""
_TOO_OLD = """
SELECT work_order_key AS key, 'SENDING since ' || changed_at AS stands FROM publication_ledger
 WHERE state = 'SENDING' AND changed_at < clock_timestamp() - make_interval(secs => %s)
UNION ALL
SELECT work_order_key, 'its lease ended ' || lease_until FROM swarm_jobs
 WHERE state = 'running' AND lease_until < clock_timestamp() - make_interval(secs => %s)
UNION ALL
SELECT work_order_key, 'requested since ' || requested_at FROM swarm_jobs
 WHERE state = 'requested' AND requested_at < clock_timestamp() - make_interval(secs => %s)
"""
_UNALERTED = """
SELECT w.key, w.state AS stands FROM work_orders w
 WHERE w.state IN ('held', 'dead') AND w.final_at < clock_timestamp() - make_interval(secs => %s)
   AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.subject = w.key)
UNION ALL
SELECT 'the quarantine', count(*) || ' lines' FROM quarantine
HAVING count(*) > 0 AND NOT EXISTS (SELECT 1 FROM alerts WHERE kind LIKE 'intake.%%')
"""
_OPEN = """
SELECT (SELECT count(*) FROM work_orders WHERE final_at IS NULL)::int AS orders,
       (SELECT count(*) FROM publication_ledger
         WHERE state NOT IN ('CONFIRMED', 'HELD', 'DEAD'))::int AS publications
"""
_KNOWN = """
SELECT body->'ref'->>'internet_message_id' AS name FROM work_orders
"""


def running(house: House, excuses: Excuses) -> Iterator[str]:
    """Yield what is broken now; raises ``psycopg.Error`` or ``httpx.HTTPError`` unasked."""
    for row in house.rows(_WITHOUT_PASS):
        yield f"{row['key']} left without a pass of its bytes"
    for row in house.rows(_ILLEGAL):
        yield f"{row['key']} is {row['stands']}"
    limits = (LIMITS["SENDING"], LIMITS["lease"], LIMITS["requested"])
    for row in house.rows(_TOO_OLD, *limits):
        yield f"{row['key']} for too long: {row['stands']}"
    for row in house.rows(_UNALERTED, LIMITS["unalerted"]):
        yield f"{row['key']} is {row['stands']} and nobody was told"
    yield from drafted_twice(house, excuses)


def drafted_twice(house: House, excuses: Excuses) -> Iterator[str]:
    """Yield keys of which the mailbox got two drafts, but where the Zap itself ran twice."""
    with house.sandbox() as control:
        done = [each for each in control.deliveries() if each["state"] == "drafted"]
    drafts, requests = Counter[str](), Counter[str]()
    for each in done:
        payload = each["payload"]
        assert isinstance(payload, dict)
        key = str(payload["idempotency_key"])
        drafts[key] += 1
        requests[str(each["request_id"])] += 1
        if requests[str(each["request_id"])] > 1:
            for check in ("drafted_twice", "draft_without_ledger", "same_draft_twice"):
                excuses.expect(check, key, "the Zap ran twice")
            drafts[key] -= 1
    yield from (f"{key} was drafted {n} times" for key, n in drafts.items() if n > 1)


def open_now(house: House) -> str:
    """What has not ended, in words; empty when all has. Trouble of asking is open too."""
    try:
        (row,) = house.rows(_OPEN)
    except psycopg.Error as error:
        return f"Postgres does not answer ({type(error).__name__})"
    if row["orders"] or row["publications"]:
        return f"{row['orders']} work orders and {row['publications']} publications are open"
    return ""


def unread(house: House, written: set[str]) -> set[str]:
    """Mails that are neither a work order nor sorted out with a reason."""
    left = written - {row["name"] for row in house.rows(_KNOWN)}
    if not left:
        return left
    sorted_out = {row["original_id"] for row in house.rows("SELECT original_id FROM sorted_out")}
    return left - {name for name, number in _events(house) if number in sorted_out}


def _events(house: House) -> Iterator[tuple[str, str]]:
    """Message-ID and id of every event; a table of what was sorted out has the id alone."""
    for line in (house.home / "intake" / "events.jsonl").read_bytes().splitlines():
        with suppress(ValueError):
            event = json.loads(line)
            yield str(event["internet_message_id"]), str(event["id"])
