"""The outbox of alerts: written in the transaction that found the trouble, delivered later.

An alert names a kind and a subject (a work-order key or a component), is one row while unresolved,
and never carries mail text. A condition (``raise_alert``: silent or not) fires once; where several
incidents share a subject (``raise_growing``) they are counted, and what was not told yet is told
again. What lives elsewhere: what each kind means (``alert_kinds``), who finds trouble (every room),
what each sink was told (``alert_deliveries``), telling them (``swarm.watchman``).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from swarm.models import Noun
from swarm.store.database import Connection

DEAD = "work_order.dead"
HELD = "work_order.held"
ESCALATION_URGENT = "escalation.urgent"
ESCALATION_OVERDUE = "escalation.overdue"
CONNECTIONS = "database.connections"
BACKLOG = "queue.backlog"
ROUNDS_LOST = "publishing.rounds_lost"
MODEL = "model.broken"
DIGEST = "digest.daily"
"""The morning summary on its way to the sinks: nothing to mend, so never counted as open."""

_RAISE = """
INSERT INTO alerts (kind, subject, detail) VALUES (%s, %s, %s)
ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO NOTHING
"""

_RAISE_MANY = """
INSERT INTO alerts (kind, subject, detail)
SELECT * FROM unnest(%(kinds)s::text[], %(subjects)s::text[], %(details)s::text[])
ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO NOTHING
"""

# What a person settled in part may grow again: what was told is never more than what there is.
_RAISE_GROWING = """
WITH raised AS (
    INSERT INTO alerts (kind, subject, detail, count)
    VALUES (%(kind)s, %(subject)s, %(detail)s, coalesce(%(total)s, 1))
    ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO UPDATE
       SET count = coalesce(%(total)s, alerts.count + 1), detail = excluded.detail
 RETURNING id, count)
UPDATE alert_deliveries d SET told = raised.count FROM raised
 WHERE d.alert_id = raised.id AND d.told > raised.count
"""

_RESOLVE = """
UPDATE alerts SET resolved_at = now() WHERE kind = %s AND subject = %s AND resolved_at IS NULL
"""

_RESOLVE_KIND = "UPDATE alerts SET resolved_at = now() WHERE kind = %s AND resolved_at IS NULL"

_OPEN = f"""
SELECT id, kind, subject, detail, count, at, delivered_at FROM alerts
 WHERE resolved_at IS NULL AND kind <> '{DIGEST}' ORDER BY id
"""

# Of kinds whose conditions were all looked at: what was not seen is over.
_RESOLVE_OTHERS = """
UPDATE alerts SET resolved_at = now()
 WHERE kind = ANY(%(kinds)s) AND resolved_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM unnest(%(seen_kinds)s::text[], %(subjects)s::text[]) AS s (k, n)
                    WHERE (s.k, s.n) = (alerts.kind, alerts.subject))
"""

# ES-22: past due without acknowledgement pages, once each; an acknowledgement resolves it.
_RAISE_OVERDUE = """
INSERT INTO alerts (kind, subject, detail)
SELECT %(kind)s, work_order_key,
       'owner ' || owner || ' should have acknowledged by ' || acknowledge_by::text
  FROM escalations WHERE acknowledged_at IS NULL AND acknowledge_by < now()
ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO NOTHING
"""

_ACKNOWLEDGE = """
UPDATE escalations SET acknowledged_at = now(), acknowledged_by = %(who)s
 WHERE work_order_key = %(key)s AND acknowledged_at IS NULL
"""


_CONNECTIONS = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int AS used,
       current_setting('max_connections')::int
       - current_setting('superuser_reserved_connections')::int
       - coalesce(current_setting('reserved_connections', true), '0')::int AS most
"""
_NEARLY_ALL, _AT_EASE = 0.9, 0.75  # of what the server takes: alerted at the one, over at the other

_BACKLOG = """
SELECT count(*)::int AS waiting, min(queued_at) AS since FROM swarm_jobs
 WHERE state IN ('queued', 'requested') AND not_before <= now()
"""
# One machine works off 1,000 in about eight minutes (0.5 s each); so many were never a day's mail.
_TOO_MANY_WAIT, _FEW_WAIT = 1000, 500  # alerted from the one, over below the other


class NewAlert(NamedTuple):
    """An alert to raise; ``subject`` is a work-order key or names a component."""

    kind: str
    subject: str
    detail: str


class Alert(Noun):
    """One alert as it stands in the outbox."""

    id: int
    kind: str
    subject: str
    detail: str
    count: int = 1
    at: datetime
    delivered_at: datetime | None = None


def raise_alert(connection: Connection, kind: str, subject: str, detail: str) -> bool:
    """Fire once per (kind, subject) while unresolved; False when it fires already.

    Runs inside the caller's transaction: no trouble without its alert, no alert without trouble.
    """
    return connection.execute(_RAISE, (kind, subject, detail)).rowcount == 1


def raise_many(connection: Connection, alerts: Sequence[NewAlert]) -> None:
    """Raise each, in one statement; standing ones are not repeated."""
    if alerts:
        kinds, subjects, details = (list(column) for column in zip(*alerts, strict=True))
        values = {"kinds": kinds, "subjects": subjects, "details": details}
        connection.execute(_RAISE_MANY, values)


def raise_growing(
    connection: Connection, kind: str, subject: str, detail: str, *, total: int | None = None
) -> None:
    """Raise one alert for incidents of one subject: its count becomes ``total``, or grows by one.

    Settled by ``resolve`` when all of them are over.
    """
    values = {"kind": kind, "subject": subject, "detail": detail, "total": total}
    connection.execute(_RAISE_GROWING, values)


def resolve(connection: Connection, kind: str, subject: str) -> bool:
    """Settle an alert whose cause is gone; False when none fires."""
    return connection.execute(_RESOLVE, (kind, subject)).rowcount == 1


def resolve_kind(connection: Connection, kind: str) -> int:
    """Settle the alerts of a kind, whatever their subjects; returns how many."""
    return connection.execute(_RESOLVE_KIND, (kind,)).rowcount


def resolve_others(
    connection: Connection, kinds: Collection[str], seen: Collection[tuple[str, str]]
) -> int:
    """Settle alerts of these kinds but those whose (kind, subject) was seen; returns how many."""
    values = {
        "kinds": list(kinds),
        "seen_kinds": [kind for kind, _ in seen],
        "subjects": [subject for _, subject in seen],
    }
    return connection.execute(_RESOLVE_OTHERS, values).rowcount


def open_alerts(connection: Connection) -> tuple[Alert, ...]:
    """Return the unresolved alerts, oldest first, without the morning summary."""
    return tuple(Alert.model_validate(row) for row in connection.execute(_OPEN))


def raise_overdue_escalations(connection: Connection) -> int:
    """Page for every escalation past its time without acknowledgement (ES-22); returns new ones."""
    return connection.execute(_RAISE_OVERDUE, {"kind": ESCALATION_OVERDUE}).rowcount


def watch_connections(connection: Connection) -> bool:
    """Alert that the server has hardly a connection left, until there are; True while it has not.

    Whoever gets none waits and tries again; without this nobody would know why.
    """
    row = connection.execute(_CONNECTIONS).fetchone() or {"used": 0, "most": 1}
    share = float(row["used"]) / float(row["most"])
    if share >= _NEARLY_ALL:
        detail = f"{row['used']} of {row['most']} connections of the database server are in use"
        raise_alert(connection, CONNECTIONS, "postgres", detail)
    elif share < _AT_EASE:
        resolve(connection, CONNECTIONS, "postgres")
    return share >= _NEARLY_ALL


def watch_backlog(connection: Connection) -> int:
    """Alert that more work orders wait than soon get their turn, until few do; returns how many.

    None is lost meanwhile and the oldest goes first; but a person may want more workers, or to know
    where all that mail comes from.
    """
    row = connection.execute(_BACKLOG).fetchone() or {"waiting": 0}
    waiting: int = row["waiting"]
    if waiting >= _TOO_MANY_WAIT:
        detail = (
            f"{waiting} work orders wait for a worker, the oldest since {row['since']:%F %T %Z}"
        )
        raise_growing(connection, BACKLOG, "swarm_jobs", detail, total=waiting)
    elif waiting < _FEW_WAIT:
        resolve(connection, BACKLOG, "swarm_jobs")
    return waiting


def acknowledge_escalation(connection: Connection, key: str, who: str) -> bool:
    """Note that a person took the escalation on and settle its alerts; False: nothing to take."""
    taken = connection.execute(_ACKNOWLEDGE, {"key": key, "who": who}).rowcount == 1
    if taken:
        resolve(connection, ESCALATION_OVERDUE, key)
        resolve(connection, ESCALATION_URGENT, key)
    return taken
