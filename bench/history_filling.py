"""Fills a stopped installation with a long history: for ``history.py``.

One work order that went the whole way is copied by COPY under keys of its own, every hash and chain
made anew (``audit.py``), with its lines in the intake files; the newest of the copies are live
partitions, with a run, its events and materializations in Dagster's tables.
"""

import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import audit
import psycopg
from psycopg.rows import dict_row

from swarm.installation.logins import passwords
from swarm.intake.stream.bookmarks import fresh, moved, open_stream
from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.rows import save_bookmark
from swarm.legacy.home import IntakeFiles
from swarm.legacy.jsonl import marker, write_state
from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.embedded import SUPERUSER
from swarm.store.roles import url_as

PUBLISHED = "SELECT key FROM work_orders WHERE state = 'published' ORDER BY final_at DESC LIMIT 1"
_RUN = "SELECT run_id FROM workflow_runs WHERE work_order_key = %s ORDER BY token DESC LIMIT 1"
_DAGSTERS = {  # table -> its column of a run; ids are made anew, and what refers to them too
    "runs": "run_id",
    "run_tags": "run_id",
    "event_logs": "run_id",
    "asset_check_executions": "run_id",
}
_EVENT_IDS = {
    "asset_event_tags": "event_id",
    "asset_check_executions": "evaluation_event_storage_id",
}


class Lines(audit.Lines):
    """The intake files of the installation, which have lines already."""

    def __init__(self, home: Path) -> None:
        self.files = IntakeFiles(home)
        self.offset = self.files.work_orders.stat().st_size
        self.count = self.files.work_orders.read_bytes().count(b"\n")

    def bookmark(self, connection: Any) -> None:
        """Say, as the readers do, that everything was read."""
        with open_stream(self.files.work_orders) as (file,):
            save_bookmark(connection, "work_orders", moved(fresh(1), file, self.offset, self.count))
        end = self.files.events.stat().st_size
        with self.files.events.open("rb") as events:
            proof = {"offset": end, "marker": marker(events.fileno(), end)}
        write_state(self.files.processor_state, proof)


def fill(home: Path, orders: int, partitions: int) -> None:
    """Copy one published work order, while nothing but the database runs."""
    known = passwords(home / "database_logins.json")
    url = url_as(embedded.start(home / "postgres", logins=known), SUPERUSER, known[SUPERUSER])
    try:
        with psycopg.connect(url, options="-c search_path=swarm,public") as connection:
            connection.execute("SET session_replication_role = replica")
            (key,) = connection.execute(PUBLISHED).fetchone() or ("",)
            (run,) = connection.execute(_RUN, (key,)).fetchone() or ("",)
            lines = Lines(home)
            template = audit.rows_of(connection, key)
            audit.multiply(connection, key, template, range(orders), lines)
            newest = range(orders - partitions, orders)
            live(connection, key, run, [work_order_key("bench", f"bench-{n}") for n in newest])
        database = Database(url)
        with database.transaction() as connection:
            lines.bookmark(connection)
        database.close()
        audit.vacuumed(url)
    finally:
        embedded.stop(home / "postgres")


def live(connection: psycopg.Connection, key: str, run: str, keys: Sequence[str]) -> None:
    """Give each key its partition, and in Dagster's tables the run that made it."""
    connection.execute(
        "INSERT INTO dynamic_partitions (partitions_def_name, partition)"
        " SELECT partitions_def_name, k FROM dynamic_partitions, unnest(%s::text[]) AS k"
        " WHERE partition = %s",
        (list(keys), key),
    )
    rows = {table: of_run(connection, table, column, run) for table, column in _DAGSTERS.items()}
    ids = [row["id"] for row in rows["event_logs"]]
    rows["asset_event_tags"] = of_run(connection, "asset_event_tags", "event_id", ids)
    top = connection.execute("SELECT max(id) FROM event_logs").fetchone()
    next_id = int(top[0]) + 1 if top else 1
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        copies = []
        for new in some:
            copies.append(Run(key, run, new, {old: next_id + n for n, old in enumerate(ids)}))
            next_id += len(ids)
        for table, found in rows.items():
            copied(connection, table, [copy.row(table, row) for copy in copies for row in found])
    connection.execute("SELECT setval('event_logs_id_seq', %s)", (next_id,))
    connection.commit()


def of_run(
    connection: psycopg.Connection, table: str, column: str, run: object
) -> list[dict[str, Any]]:
    cursor = connection.cursor(row_factory=dict_row)
    one = "= ANY(%s)" if isinstance(run, list) else "= %s"
    query = f"SELECT * FROM {table} WHERE {column} {one} ORDER BY 1"
    return cursor.execute(query.encode(), (run,)).fetchall()


class Run:
    """Dagster's rows of one run, as another work order's run."""

    def __init__(self, key: str, run: str, new: str, events: Mapping[int, int]) -> None:
        self._swaps = ((run, str(uuid.uuid4())), (key, new))
        self._events = events

    def row(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with another run, another partition, and ids of its own."""
        new = {column: self._said(value) for column, value in row.items()}
        if table == "event_logs":
            new["id"] = self._events[row["id"]]
        elif "id" in new:
            del new["id"]
        if refers := _EVENT_IDS.get(table):
            new[refers] = self._events.get(row[refers], row[refers])
        return new

    def _said(self, value: object) -> object:
        if not isinstance(value, str):
            return audit.as_written(value)
        for old, new in self._swaps:
            value = value.replace(old, new)
        return value


def copied(
    connection: psycopg.Connection, table: str, rows: Sequence[Mapping[str, object]]
) -> None:
    if not rows:
        return
    columns = [*rows[0]]
    with connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row[column] for column in columns])
