"""How long does an audit take? Builds an installation of N work orders and audits it both ways.

    .venv/bin/python bench/audit.py [--orders 100000] [--new 200]

One work order goes through the real stages, ledger, hook and mailbox of the sandbox; the others are
copies of its rows under keys of their own, every hash and chain made anew, so that the audit has
the same work as with real ones. The mailbox of the bench finds each draft at once.

Targets on two cores with 100,000 work orders: --full at most 120 s, what is new at most 10 s.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import psycopg
from psycopg.rows import dict_row

from swarm.clients.protocol import FoundDraft
from swarm.intake.stream.keys import work_order_key
from swarm.models import canonical_sha256
from swarm.observe.audit.promises import Memory, audit
from swarm.observe.audit.report import Scope
from swarm.safety.ruleset import REQUIRED_FOR_PUBLISH
from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.event_chain import GENESIS, row_hash
from swarm.store.migrate import migrate

TABLES = {
    "work_orders": "key",
    "swarm_jobs": "work_order_key",
    "workflow_runs": "work_order_key",
    "artifacts": "work_order_key",
    "verdicts": "work_order_key",
    "publication_payload": "work_order_key",
    "publication_ledger": "work_order_key",
    "publication_log": "work_order_key",
    "workflow_events": "work_order_key",
    "intake_line": "work_order_key",
}
COPIED_AT_ONCE = 500
FULL_TARGET, NEW_TARGET = 120.0, 10.0


class EveryDraft:
    """A mailbox that holds the draft of every work order."""

    def find_dispatched(self, *, key: str, **_: object) -> Sequence[FoundDraft]:
        now = datetime.now(UTC)
        return [FoundDraft(message_id=key, folder="sentitems", is_draft=False, created_at=now)]

    def drafts(self) -> Sequence[object]:
        return ()


def main() -> int:
    from live_installation import alive  # noqa: PLC0415 - a process of the pool need not load it

    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="swarm-bench-"))
    server = embedded.start(folder / "postgres")
    try:
        migrate(embedded.create_database(server, "template_swarm"))
        with alive(server, folder, "bench") as live:
            url, key = live.database.url, live.keys["published"]
        return measured(url, key, folder, options)
    finally:
        embedded.stop(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)


def measured(url: str, key: str, folder: Path, options: argparse.Namespace) -> int:
    began = time.perf_counter()
    with psycopg.connect(url, options="-c search_path=swarm") as connection:
        only_the_template(connection, key)
        template = rows_of(connection, key)
        multiply(connection, key, template, range(options.orders - 1))
    vacuumed(url)
    print(f"built {options.orders} work orders in {time.perf_counter() - began:.0f} s")
    full = timed(url, folder, Scope.FULL)
    nothing_new = timed(url, folder, Scope.NEW)
    with psycopg.connect(url, options="-c search_path=swarm") as connection:
        new = range(options.orders, options.orders + options.new)
        multiply(connection, key, template, new)
    some_new = timed(url, folder, Scope.NEW)
    print(f"--full {full:.1f} s, nothing new {nothing_new:.1f} s")
    print(f"{options.new} new ones {some_new:.1f} s")
    return 0 if full <= FULL_TARGET and max(nothing_new, some_new) <= NEW_TARGET else 1


def timed(url: str, folder: Path, scope: Scope) -> float:
    database = Database(url)
    began = time.perf_counter()
    report = audit(
        database,
        EveryDraft(),  # type: ignore[arg-type]
        [],
        required_rules=REQUIRED_FOR_PUBLISH,
        scope=scope,
        memory=Memory(folder / "mark.json", "bench"),
    )
    seconds = time.perf_counter() - began
    database.close()
    looked = f"{report.totals.recomputed} recomputed, {len(report.breaches)} breaches"
    print(f"{scope}: {seconds:.1f} s, {looked}", flush=True)
    for breach in report.breaches[:5]:
        print("  ", breach)
    return seconds


# --- building -------------------------------------------------------------------------------------


def only_the_template(connection: psycopg.Connection, key: str) -> None:
    """Take everything else out, so that nothing but the copies is measured."""
    connection.execute("SET session_replication_role = replica")
    for table, column in [
        *TABLES.items(),
        ("escalations", "work_order_key"),
        ("revision", "work_order_key"),
    ]:
        connection.execute(f"DELETE FROM {table} WHERE {column} IS DISTINCT FROM '{key}'")
    connection.execute("DELETE FROM intake_line WHERE status <> 'accepted'")
    connection.execute("TRUNCATE quarantine, alerts, audit_mark, intake_offset")


def rows_of(connection: psycopg.Connection, key: str) -> dict[str, list[dict[str, Any]]]:
    cursor = connection.cursor(row_factory=dict_row)
    return {
        table: cursor.execute(
            f"SELECT * FROM {table} WHERE {column} = %s ORDER BY 1, 2", (key,)
        ).fetchall()
        for table, column in TABLES.items()
    }


def multiply(
    connection: psycopg.Connection,
    key: str,
    template: Mapping[str, list[dict[str, Any]]],
    numbers: range,
) -> None:
    for start in range(0, len(numbers), COPIED_AT_ONCE):
        batch = [Copy(key, template, n).rows for n in numbers[start : start + COPIED_AT_ONCE]]
        for table in TABLES:
            columns = [c for c in template[table][0] if c != "id"]
            with connection.cursor().copy(
                f"COPY {table} ({', '.join(columns)}) FROM STDIN"
            ) as copy:
                for rows in batch:
                    for row in rows[table]:
                        copy.write_row([as_written(row[c]) for c in columns])
        connection.commit()


def as_written(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list) else value


class Copy:
    """The template's rows as another work order's: its key, and every hash that follows from it."""

    def __init__(self, key: str, template: Mapping[str, list[dict[str, Any]]], number: int) -> None:
        new = work_order_key("bench", str(number))
        self.swaps = [(key, new), (marker(key), marker(new))]
        self.number = number
        self.rows = {table: [*self._copied(table, rows)] for table, rows in template.items()}

    def _copied(self, table: str, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        make = getattr(self, f"_{table}", self._row)
        if table == "artifacts":
            rows = sorted(rows, key=lambda row: row["at"])
        return map(make, rows)

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(row, default=str)
        for old, new in self.swaps:
            text = text.replace(old, new)
        swapped = json.loads(text)
        return {name: swapped[name] if isinstance(value, str | dict | list) else value
                for name, value in row.items()}  # fmt: skip

    def _work_orders(self, row: dict[str, Any]) -> dict[str, Any]:
        new = self._row(row)
        new["original_id"] = new["body"]["original_id"] = f"bench-{self.number}"
        self.swaps += [(row["original_id"], new["original_id"])]
        self.swaps += [(canonical_sha256(row["body"]), canonical_sha256(new["body"]))]
        self.order = new
        return new

    def _workflow_runs(self, row: dict[str, Any]) -> dict[str, Any]:
        return {**self._row(row), "run_id": f"{row['run_id']}-{self.number}"}

    def _swarm_jobs(self, row: dict[str, Any]) -> dict[str, Any]:
        return {**self._row(row), "run_id": f"{row['run_id']}-{self.number}"}

    def _artifacts(self, row: dict[str, Any]) -> dict[str, Any]:
        new = self._row(row)
        new["sha256"] = canonical_sha256(new["body"])
        self.swaps.append((row["sha256"], new["sha256"]))
        if row["stage"] == "draft":
            self.swaps.append((content(row["body"]), content(new["body"])))
        return new

    def _publication_payload(self, row: dict[str, Any]) -> dict[str, Any]:
        new = self._row(row)
        new["sha256"] = canonical_sha256(new["body"])
        self.swaps.append((row["sha256"], new["sha256"]))
        return new

    def _publication_ledger(self, row: dict[str, Any]) -> dict[str, Any]:
        return {**self._row(row), "draft_id": f"draft-{self.number}", "look_at": None}

    def _workflow_events(self, row: dict[str, Any]) -> dict[str, Any]:
        new = self._row(row)
        new["previous_hash"] = GENESIS if row["seq"] == 1 else self.head
        self.head = new["hash"] = row_hash(new)
        self.order["chain_hash"] = self.head
        return new

    def _intake_line(self, row: dict[str, Any]) -> dict[str, Any]:
        said = {n: v for n, v in self.order["body"].items() if n not in ("key", "original_id")}
        place = {
            "byte_offset": 10_000_000 + self.number,
            "canonical_sha256": canonical_sha256(said),
        }
        return {**self._row(row), **place}


def marker(key: str) -> str:
    return key[3:11].upper()


def content(draft: Mapping[str, Any]) -> str:
    parts = {name: draft[name] for name in ("subject", "body_text", "body_html")}
    people = {n: [a["address"].lower() for a in draft[n]] for n in ("to", "cc")}
    return canonical_sha256({**parts, **people})


def vacuumed(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--new", type=int, default=200)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
