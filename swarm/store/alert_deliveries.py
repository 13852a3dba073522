"""What each sink was told of each alert, and how each sink does. Every statement about it.

One process delivers to a sink at a time (``hold``); a message is marked after the sink took it, by
compare-and-set (``mark_told``): at least once, and twice only when a process dies in between. No
transaction is open while a sink is asked. What lives elsewhere: which messages are made of what is
due (``swarm.watchman.batches``), raising (``alerts``).
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from swarm.models import Noun
from swarm.store.database import Connection

HOLD: Final = timedelta(seconds=30)
"""How long a sink stays held by a process that says nothing more: longer than any message takes."""

FAILING_LONG: Final = timedelta(minutes=5)
"""A sink that takes nothing for so long is broken: it is alerted, and no heartbeat covers it."""

TOLD_AGAIN: Final = timedelta(minutes=10)
"""An alert that grew is told again so long after it was last told: neither silence nor a flood."""

# A transaction that raises an alert may commit later than a younger one; none takes an hour.
_LOOK_BACK: Final = timedelta(hours=1)

# Leases go by the database's clock: two watchmen need not agree about the time.
_HOLD = """
INSERT INTO alert_sinks AS s (sink, holder, held_until)
VALUES (%(sink)s, %(holder)s, clock_timestamp() + %(hold)s)
ON CONFLICT (sink) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
 WHERE s.holder IS NULL OR s.holder = excluded.holder OR s.held_until < clock_timestamp()
RETURNING sink, since, turned_at, took_at, failures, failing_since, next_try, last_error
"""

_LET_GO = "UPDATE alert_sinks SET holder = NULL, held_until = NULL WHERE sink = %s AND holder = %s"

# Whatever is open, and whatever was raised since the last look, also if it is over by now.
_ENROL = """
INSERT INTO alert_deliveries (alert_id, sink)
SELECT a.id, s.sink FROM alert_sinks s, alerts a
 WHERE s.sink = %(sink)s
   AND (a.resolved_at IS NULL
        OR (a.at > coalesce(s.turned_at, s.since) - %(back)s AND a.resolved_at > s.since))
   AND NOT EXISTS (SELECT 1 FROM alert_deliveries d WHERE d.alert_id = a.id AND d.sink = s.sink)
ON CONFLICT DO NOTHING
"""

# What is kept quiet and over before anybody was told needs no telling any more.
_DROP_OVER = """
UPDATE alert_deliveries d SET over_at = now()
  FROM alerts a
 WHERE a.id = d.alert_id AND d.sink = %(sink)s AND d.over_at IS NULL AND d.told = 0
   AND a.resolved_at IS NOT NULL AND a.kind = ANY(%(quiet)s)
"""

_TURNED = "UPDATE alert_sinks SET turned_at = %(now)s WHERE sink = %(sink)s"

_DUE = """
SELECT a.id, a.kind, a.subject, a.detail, a.count, a.at, a.resolved_at, a.resolved_by,
       d.told, d.bundle
  FROM alert_deliveries d JOIN alerts a ON a.id = d.alert_id
 WHERE d.sink = %(sink)s AND d.over_at IS NULL AND a.kind <> ALL(%(quiet)s)
   AND (d.not_before IS NULL OR d.not_before <= %(now)s)
   AND (d.told = 0 OR a.resolved_at IS NOT NULL
        OR (a.count > d.told AND d.told_at <= %(now)s - %(again)s))
   AND (d.bundle IS NULL OR NOT EXISTS (
        SELECT 1 FROM alert_deliveries o JOIN alerts b ON b.id = o.alert_id
         WHERE o.sink = d.sink AND o.bundle = d.bundle AND b.resolved_at IS NULL))
 ORDER BY a.id LIMIT 50000
"""

_LATELY = """
SELECT a.kind, count(*) FILTER (WHERE d.bundle IS NULL)::int AS alone,
       count(DISTINCT d.bundle)::int AS digests
  FROM alert_deliveries d JOIN alerts a ON a.id = d.alert_id
 WHERE d.sink = %(sink)s AND d.told_at > %(now)s - %(again)s GROUP BY 1
"""

_MARK_TOLD = """
UPDATE alert_deliveries d
   SET told = m.count, refusals = 0, not_before = NULL,
       told_at = CASE WHEN %(over)s THEN coalesce(d.told_at, %(now)s) ELSE %(now)s END,
       bundle = coalesce(d.bundle, %(bundle)s),
       over_at = CASE WHEN %(over)s THEN %(now)s::timestamptz END
  FROM unnest(%(ids)s::bigint[], %(before)s::int[], %(counts)s::int[]) AS m (id, before, count)
 WHERE d.sink = %(sink)s AND d.alert_id = m.id AND d.told = m.before AND d.over_at IS NULL
"""

_MARK_DELIVERED = """
UPDATE alerts SET delivered_at = %(now)s WHERE id = ANY(%(ids)s) AND delivered_at IS NULL
"""

_TOOK = """
UPDATE alert_sinks
   SET took_at = %(now)s, failures = 0, failing_since = NULL, next_try = NULL, last_error = ''
 WHERE sink = %(sink)s
"""

_FAILED = """
UPDATE alert_sinks
   SET failures = failures + 1, failing_since = coalesce(failing_since, %(now)s),
       next_try = %(next_try)s, last_error = %(error)s
 WHERE sink = %(sink)s
"""

_REFUSED = """
UPDATE alert_deliveries
   SET refusals = refusals + 1,
       not_before = %(now)s + least(interval '1 minute' * power(2, least(refusals, 9)),
                                    interval '6 hours')
 WHERE sink = %(sink)s AND alert_id = ANY(%(ids)s)
"""

_NOTE_ERROR = "UPDATE alert_sinks SET last_error = %(error)s WHERE sink = %(sink)s"

_SINKS = """
SELECT s.sink, s.since, s.turned_at, s.took_at, s.failures, s.failing_since, s.next_try,
       s.last_error,
       (SELECT count(*)::int FROM alert_deliveries d JOIN alerts a ON a.id = d.alert_id
         WHERE d.sink = s.sink AND d.over_at IS NULL
           AND (d.told = 0 OR a.resolved_at IS NOT NULL)) AS waiting,
       (SELECT coalesce(max(d.refusals), 0)::int FROM alert_deliveries d
         WHERE d.sink = s.sink AND d.over_at IS NULL) AS refusals
  FROM alert_sinks s WHERE s.turned_at IS NOT NULL ORDER BY s.sink
"""

_TOLD_TO = """
SELECT sink, told, told_at, bundle, over_at, refusals FROM alert_deliveries
 WHERE alert_id = %s ORDER BY sink
"""


class SinkState(Noun):
    """How a sink does. ``turned_at`` None: nobody has looked yet what it must be told."""

    sink: str
    since: datetime
    turned_at: datetime | None
    took_at: datetime | None
    failures: int
    failing_since: datetime | None
    next_try: datetime | None
    last_error: str
    waiting: int = 0
    refusals: int = 0

    def broken(self, now: datetime) -> bool:
        """Whether it has taken nothing for so long that it is no hiccup."""
        return self.failing_since is not None and now - self.failing_since >= FAILING_LONG


class Due(Noun):
    """An alert of which a sink must be told something; ``told`` is the count it knows, 0: none."""

    id: int
    kind: str
    subject: str
    detail: str
    count: int
    at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    told: int
    bundle: str | None


class Lately(Noun):
    """What a sink was told of a kind within the last ten minutes: messages, and digests."""

    alone: int = 0
    digests: int = 0


class ToldTo(Noun):
    """What one sink knows of an alert."""

    sink: str
    told: int
    told_at: datetime | None
    bundle: str | None
    over_at: datetime | None
    refusals: int


def hold(connection: Connection, sink: str, holder: str) -> SinkState | None:
    """Take or keep the sink for this process; None while another one has it."""
    values = {"sink": sink, "holder": holder, "hold": HOLD}
    row = connection.execute(_HOLD, values).fetchone()
    return None if row is None else SinkState.model_validate(row)


def let_go(connection: Connection, sink: str, holder: str) -> None:
    """Give the sink to whoever asks next."""
    connection.execute(_LET_GO, (sink, holder))


def due(
    connection: Connection, sink: str, *, quiet: Collection[str], now: datetime
) -> tuple[Due, ...]:
    """Return what the sink must be told now, oldest first; kinds in ``quiet`` wait."""
    values = {"sink": sink, "quiet": list(quiet), "now": now, "again": TOLD_AGAIN}
    connection.execute(_ENROL, {"sink": sink, "back": _LOOK_BACK})
    connection.execute(_DROP_OVER, values)
    connection.execute(_TURNED, values)
    return tuple(Due.model_validate(row) for row in connection.execute(_DUE, values))


def lately(connection: Connection, sink: str, now: datetime) -> dict[str, Lately]:
    """Return what the sink was told within the last ten minutes, by kind."""
    values = {"sink": sink, "now": now, "again": TOLD_AGAIN}
    rows = connection.execute(_LATELY, values).fetchall()
    return {row["kind"]: Lately(alone=row["alone"], digests=row["digests"]) for row in rows}


def mark_told(
    connection: Connection,
    sink: str,
    told: Sequence[Due],
    *,
    bundle: str | None,
    over: bool,
    now: datetime,
) -> int:
    """Note that the sink took a message about these; returns how many were as read before."""
    values = {
        "sink": sink,
        "ids": [each.id for each in told],
        "before": [each.told for each in told],
        "counts": [each.count for each in told],
        "bundle": bundle,
        "over": over,
        "now": now,
    }
    connection.execute(_TOOK, values)
    connection.execute(_MARK_DELIVERED, values)
    return connection.execute(_MARK_TOLD, values).rowcount


def mark_failed(
    connection: Connection, sink: str, error: str, *, now: datetime, next_try: datetime
) -> None:
    """Note that the sink takes nothing now, and when it is tried again."""
    values = {"sink": sink, "error": error, "now": now, "next_try": next_try}
    connection.execute(_FAILED, values)


def mark_refused(
    connection: Connection, sink: str, told: Sequence[Due], error: str, now: datetime
) -> None:
    """Note that the sink will not have this one message; it is tried again later and later."""
    ids = [each.id for each in told]
    connection.execute(_REFUSED, {"sink": sink, "ids": ids, "now": now})
    connection.execute(_NOTE_ERROR, {"sink": sink, "error": error})


def sinks(connection: Connection) -> tuple[SinkState, ...]:
    """Return how every sink does that anybody ever looked after."""
    return tuple(SinkState.model_validate(row) for row in connection.execute(_SINKS))


def told_to(connection: Connection, alert_id: int) -> tuple[ToldTo, ...]:
    """Return which sinks know of an alert."""
    return tuple(ToldTo.model_validate(row) for row in connection.execute(_TOLD_TO, (alert_id,)))
