"""What is to be replayed: choosing work orders of a window, and the rows a sensor acts on.

Imported history and live work orders that ended, by the time their mail came. *Every K* takes one
of K at random, *stratified* draws evenly over month, language, attachment and what legacy decided:
both by a seeded hash, so the same seed draws the same. At most 5,000 are partitions at a time; the
others wait their turn.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from swarm.errors import RefusedError
from swarm.models import Noun
from swarm.store.database import Connection, Row

AT_A_TIME: Final = 5_000
"""Partitions of one set that Dagster's pages carry without freezing."""

_CANDIDATES = """
WITH found AS (
    SELECT work_order_key AS key, received_at, language,
           jsonb_array_length(body->'attachments') > 0 AS attachments
      FROM history_orders WHERE received_at >= %(since)s AND received_at < %(until)s
     UNION ALL
    SELECT w.key, (w.body->>'received_at')::timestamptz,
           coalesce((SELECT a.body->>'language' FROM artifacts a
                      WHERE a.work_order_key = w.key AND a.stage = 'received'
                      ORDER BY a.token DESC LIMIT 1), 'und'),
           jsonb_array_length(w.body->'attachments') > 0
      FROM work_orders w
     WHERE w.final_at IS NOT NULL AND (w.body->>'received_at')::timestamptz >= %(since)s
       AND (w.body->>'received_at')::timestamptz < %(until)s)
SELECT f.key, to_char(f.received_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, f.language,
       f.attachments, CASE WHEN l.work_order_key IS NULL THEN 'not known'
                           WHEN l.escalated THEN 'escalated' ELSE 'draft' END AS legacy
  FROM found f LEFT JOIN legacy_outcomes l ON l.work_order_key = f.key
 WHERE NOT EXISTS (SELECT 1 FROM replay_plan p WHERE p.work_order_key = f.key)
"""

_ADD = """
INSERT INTO replay_plan (work_order_key, twice, actor) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""

_WAITING = """
SELECT work_order_key AS key FROM replay_plan WHERE added_at IS NULL
 ORDER BY planned_at, work_order_key LIMIT %s
"""

_ADDED = "UPDATE replay_plan SET added_at = now() WHERE work_order_key = ANY(%s)"

# Done by this engine: compared, or replayed to a judgement nobody can be compared with.
_DONE = """
SELECT p.work_order_key AS key, max(r.at) AS at FROM replay_plan p
  JOIN replays r ON r.work_order_key = p.work_order_key AND r.engine = %(engine)s AND r.pass = 1
 WHERE p.added_at IS NOT NULL AND r.body->>'decision' <> 'not_replayable'
   AND (NOT p.twice OR EXISTS (SELECT 1 FROM replays n WHERE n.work_order_key = p.work_order_key
                                  AND n.engine = r.engine AND n.pass = 2))
   AND (EXISTS (SELECT 1 FROM comparisons c WHERE c.work_order_key = p.work_order_key
                   AND c.engine = r.engine)
        OR NOT EXISTS (SELECT 1 FROM legacy_outcomes l
                        WHERE l.work_order_key = p.work_order_key))
 GROUP BY 1 ORDER BY 2
"""

_LEAVE = "DELETE FROM replay_plan WHERE work_order_key = ANY(%s) AND added_at IS NOT NULL"

_TWICE = "SELECT work_order_key AS key FROM replay_plan WHERE twice AND work_order_key = ANY(%s)"

_STILL = "SELECT count(*) AS n FROM replay_plan WHERE added_at IS NULL"


class DrawnStratum(Noun):
    """A kind of work order, how many there are, and how many were drawn."""

    month: str
    language: str
    attachments: bool
    legacy: str
    there: int
    drawn: int


class Planned(Noun):
    """What a plan takes in."""

    keys: tuple[str, ...]
    strata: tuple[DrawnStratum, ...]
    twice: int = 0


class PlanRequest(Noun):
    """What somebody wants replayed. Neither ``every`` nor ``stratified``: all of the window."""

    since: datetime
    until: datetime
    every: int | None = None
    stratified: int | None = None
    noise: int | None = None
    seed: int = 0
    actor: str


def plan(connection: Connection, wish: PlanRequest) -> Planned:
    """Choose, and write the plan; raises ``RefusedError`` for a wish that contradicts itself."""
    if wish.every is not None and wish.stratified is not None:
        raise RefusedError("either every Kth or a stratified sample, not both")
    if wish.until <= wish.since:
        raise RefusedError("the window ends before it begins")
    asked = {"since": wish.since, "until": wish.until}
    found = connection.execute(_CANDIDATES, asked).fetchall()
    by_stratum: dict[tuple[str, str, bool, str], list[str]] = defaultdict(list)
    for row in sorted(found, key=lambda row: drawn(wish.seed, row["key"])):
        by_stratum[_stratum(row)].append(row["key"])
    keys = _chosen(wish, by_stratum)
    twice = {k for k in keys if wish.noise and drawn(wish.seed + 1, k) % wish.noise == 0}
    with connection.cursor() as cursor:
        cursor.executemany(_ADD, [(key, key in twice, wish.actor) for key in keys])
    taken = set(keys)
    strata = [
        DrawnStratum(
            month=month,
            language=language,
            attachments=attachments,
            legacy=legacy,
            there=len(there),
            drawn=sum(key in taken for key in there),
        )
        for (month, language, attachments, legacy), there in sorted(by_stratum.items())
    ]
    return Planned(keys=tuple(keys), strata=tuple(strata), twice=len(twice))


def drawn(seed: int, key: str) -> int:
    """Return where a key stands in the order of a seed."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:8], "big")


def evenly(strata: Iterable[Sequence[str]], number: int) -> list[str]:
    """Draw so many, as evenly as there are: one of each kind in turn, until they are enough."""
    rows = [list(reversed(each)) for each in strata]
    chosen: list[str] = []
    while len(chosen) < number and any(rows):
        for row in rows:
            if row and len(chosen) < number:
                chosen.append(row.pop())
    return chosen


def _chosen(
    wish: PlanRequest, by_stratum: dict[tuple[str, str, bool, str], list[str]]
) -> list[str]:
    if wish.stratified is not None:
        return evenly((by_stratum[each] for each in sorted(by_stratum)), wish.stratified)
    everything = sorted(key for keys in by_stratum.values() for key in keys)
    return [key for key in everything if drawn(wish.seed, key) % (wish.every or 1) == 0]


def _stratum(row: Row) -> tuple[str, str, bool, str]:
    return row["month"], row["language"], row["attachments"], row["legacy"]


# --- for whoever makes partitions of it -----------------------------------------------------------


def waiting(connection: Connection, room: int) -> list[str]:
    """Return what has no partition yet, oldest first, at most ``room``."""
    return [row["key"] for row in connection.execute(_WAITING, (max(0, room),))]


def still_waiting(connection: Connection) -> int:
    """Return how many have no partition yet."""
    row = connection.execute(_STILL).fetchone()
    return int(row["n"]) if row else 0


def added(connection: Connection, keys: Sequence[str]) -> None:
    """Note that these are partitions now."""
    connection.execute(_ADDED, (list(keys),))


def done(connection: Connection, engine: str) -> dict[str, datetime]:
    """Return what this engine has settled, and when, oldest first."""
    return {row["key"]: row["at"] for row in connection.execute(_DONE, {"engine": engine})}


def leave(connection: Connection, keys: Sequence[str]) -> None:
    """Take settled ones out of the plan."""
    connection.execute(_LEAVE, (list(keys),))


def twice(connection: Connection, keys: Sequence[str]) -> tuple[str, ...]:
    """Return which of these are to be replayed a second time, in their order."""
    found = {row["key"] for row in connection.execute(_TWICE, (list(keys),))}
    return tuple(key for key in keys if key in found)
