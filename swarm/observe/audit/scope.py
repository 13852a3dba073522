"""Which work orders an audit must work out again: those anything was written for, and the open.

A row that was written since the last clean audit carries a younger transaction number, whoever
wrote it and whatever triggers were off; what was taken out shows in the counts (``marks``). So an
audit of what is new misses nothing that a whole one would find in the tables, as long as the last
one was clean: nobody can change a row and leave its ``xmin`` as it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from psycopg import sql

from swarm.observe.audit.findings import Violation
from swarm.observe.audit.marks import Here, Mark, here
from swarm.store.database import Connection

# What only grows, but for an erasure: table -> the column that names the work order, if any.
_TABLES: Final[Mapping[str, str | None]] = {
    "work_orders": "key",
    "swarm_jobs": "work_order_key",
    "workflow_runs": "work_order_key",
    "workflow_events": "work_order_key",
    "artifacts": "work_order_key",
    "verdicts": "work_order_key",
    "model_calls": "work_order_key",
    "escalations": "work_order_key",
    "revision": "work_order_key",
    "publication_ledger": "work_order_key",
    "publication_payload": "work_order_key",
    "publication_log": "work_order_key",
    "intake_line": "work_order_key",
    "intake_offset": None,
    "legacy_outcomes": None,
    "reply_outcomes": None,  # each look writes, and changes nothing of its work order
    "alerts": None,
    "model_endpoints": None,
    "publisher_history": None,
    "legacy_proof": None,
    "legacy_decommission": None,
    "releases": "work_order_key",
    "sorted_out": None,
    "erasure": None,
    "tombstone": None,
    "switch_wish": None,
}

_ERASED = "erased lines and erasures"

_SCAN = """
SELECT count(*) AS rows, count(*) FILTER (WHERE age(xmin) > %(age)s) AS untouched,
       count(*) FILTER (WHERE age(xmin) > %(now)s) AS settled,
       array_agg(DISTINCT {column}) FILTER (WHERE age(xmin) <= %(age)s) AS keys
  FROM {table}
"""

# No program of ours ever changes a row of these: what was there must be there as it was.
_APPENDED: Final = frozenset(
    {
        "workflow_events",
        "verdicts",
        "model_calls",
        "revision",
        "publication_log",
        "publisher_history",
        "legacy_proof",
        "legacy_decommission",
        "releases",
        "tombstone",
    }
)

# Rows that change and are numbered: so many there were up to this number.
_NUMBERED: Final = ("alerts", "intake_line")

_UP_TO = """
SELECT coalesce(max(id), 0) AS last, count(*) FILTER (WHERE id <= %(last)s) AS rows FROM {table}
"""

# Of somebody whose mails were all sorted out no line of the stream is erased.
_ERASED_LINES = """
SELECT (SELECT count(*) FROM intake_line WHERE line_sha256 = 'erased')
     + (SELECT count(*) FROM erasure) AS rows
"""

_ALL = "SELECT key FROM work_orders UNION SELECT work_order_key FROM publication_ledger ORDER BY 1"

_OPEN = """
SELECT key FROM work_orders WHERE final_at IS NULL
 UNION
SELECT work_order_key FROM publication_ledger
 WHERE state NOT IN ('CONFIRMED', 'HELD', 'DEAD')
 ORDER BY 1
"""

# A person may do something to a draft at any time, and no table tells of it: the newest are always
# looked for.
_TO_SEARCH = """
SELECT work_order_key AS key FROM publication_ledger WHERE work_order_key = ANY(%s)
 UNION
(SELECT work_order_key FROM publication_ledger ORDER BY changed_at DESC, work_order_key LIMIT 100)
 ORDER BY 1
"""

_NOTHING_IS_NEW = -1


class Written:
    """What one look at every table gave: how many rows there are, and whose are new.

    ``untouched``: rows that nobody has written since the mark; ``up_to``: rows up to the last
    number there was at the mark.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.untouched: dict[str, int] = {}
        self.up_to: dict[str, int] = {}
        self.keys: set[str] = set()


def look(connection: Connection, since: Mark | None, *, comparable: bool) -> Written:
    """Count every table, and collect the work orders written for since the mark.

    Not ``comparable``: transaction numbers of the mark mean nothing here; rows are counted only.
    """
    written = Written()
    age = _age(connection, since.horizon) if since and comparable else _NOTHING_IS_NEW
    ages = {"age": age, "now": _age(connection, here(connection).horizon)}
    for table, column in _TABLES.items():
        row = connection.execute(_scan(table, column), ages).fetchone() or {}
        written.counts[table] = row["rows"]
        # What was still being written at the mark counts as new next time, so it is not counted.
        written.counts[_settled(table)] = row["settled"]
        written.untouched[table] = row["untouched"] if comparable else row["rows"]
        written.keys |= {key for key in row["keys"] or () if key is not None}
    for table in _NUMBERED:
        _count_up_to(connection, table, since, written)
    written.counts[_ERASED] = (connection.execute(_ERASED_LINES).fetchone() or {})["rows"]
    return written


def _settled(table: str) -> str:
    return f"settled {table}"


def _scan(table: str, column: str | None) -> sql.Composed:
    return sql.SQL(_SCAN).format(
        table=sql.Identifier(table),
        column=sql.Identifier(column) if column else sql.SQL("NULL::text"),
    )


def _count_up_to(connection: Connection, table: str, since: Mark | None, written: Written) -> None:
    name = f"last of {table}"
    last = since.counts.get(name, 0) if since is not None else 0
    statement = sql.SQL(_UP_TO).format(table=sql.Identifier(table))
    row = connection.execute(statement, {"last": last}).fetchone() or {}
    written.counts[name], written.up_to[table] = row["last"], row["rows"]


def shortened(mark: Mark, written: Written) -> Iterator[tuple[str, Violation]]:
    """Yield every table in which rows of the mark are missing, or were written anew."""
    for table in _TABLES:
        there, were = written.counts[table], mark.counts.get(table, 0)
        if table in _NUMBERED:
            there = written.up_to[table]
        elif table in _APPENDED:
            there, were = written.untouched[table], mark.counts.get(_settled(table), 0)
        if there < were:
            said = f"{there} rows left of the {were} that the audit of {mark.at:%Y-%m-%d %H:%M:%SZ}"
            yield table, Violation(1, "shortened", f"{said} saw")


def artifacts_replaced(mark: Mark, written: Written) -> bool:
    """Whether an output of the mark is not there as it was: its run wrote it anew, or it is gone.

    The first is no breach, and looks like the second when others have come since.
    """
    return written.untouched["artifacts"] < mark.counts.get(_settled("artifacts"), 0)


def comparable(mark: Mark, now: Here) -> bool:
    """Whether the mark's transaction numbers mean anything here: same cluster, not yet wrapped."""
    same = mark.cluster == now.cluster and mark.horizon <= now.horizon
    return same and now.horizon - mark.horizon < 1 << 30


def erased_since(mark: Mark, counts: Mapping[str, int]) -> bool:
    """Whether work orders were erased since: then fewer rows are as they should be."""
    return counts[_ERASED] > mark.counts.get(_ERASED, 0)


def all_keys(connection: Connection) -> list[str]:
    """Return every work order that the tables or the ledger know."""
    return [row["key"] for row in connection.execute(_ALL)]


def open_keys(connection: Connection) -> list[str]:
    """Return what is not at its end."""
    return [row["key"] for row in connection.execute(_OPEN)]


def to_search(connection: Connection, keys: Sequence[str]) -> list[str]:
    """Return the publications among these, and the newest, on whose drafts people are at work."""
    return [row["key"] for row in connection.execute(_TO_SEARCH, (list(keys),))]


def _age(connection: Connection, horizon: int) -> int:
    row = connection.execute(
        "SELECT age((%s::bigint %% 4294967296)::text::xid) AS age", (horizon,)
    ).fetchone()
    return int(row["age"]) if row else _NOTHING_IS_NEW
