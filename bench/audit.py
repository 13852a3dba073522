"""How long does an audit take? Builds an installation of N work orders and audits it both ways.

    .venv/bin/python bench/audit.py [--orders 100000] [--new 200]

One work order goes through the real stages, ledger, hook and mailbox of the sandbox; the others are
copies of its rows under keys of their own, every hash and chain made anew, so that the audit has
the same work as with real ones. Each has its line of 3 kB in the intake files, too. The mailbox of
the bench finds each draft at once, and its inbox holds the newest 5,000 mails.

Targets on two cores with 100,000 work orders: --full at most 120 s, what is new at most 10 s.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import psycopg
from psycopg.rows import dict_row

from swarm.clients.protocol import FoundDraft, InboundMessage
from swarm.intake.stream.bookmarks import fresh, moved, open_stream
from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.line import content_sha256
from swarm.intake.stream.rows import save_bookmark
from swarm.legacy.home import IntakeFiles
from swarm.legacy.jsonl import marker, write_state
from swarm.models import canonical_sha256
from swarm.observe.audit.arrivals import Arrivals
from swarm.observe.audit.promises import Memory, audit
from swarm.observe.audit.report import Scope
from swarm.safety.ruleset import REQUIRED_FOR_PUBLISH
from swarm.store import embedded
from swarm.store.database import Connection, Database
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
# Mails come one after the other: what lists the newest would sort a history of one moment whole.
LONG_AGO, APART = timedelta(days=365), timedelta(minutes=1)
FULL_TARGET, NEW_TARGET = 120.0, 10.0


class EveryDraft:
    """A mailbox that holds the draft of every work order."""

    def __init__(self, orders: int) -> None:
        self.orders = orders

    def find_dispatched(self, *, key: str, **_: object) -> Sequence[FoundDraft]:
        now = datetime.now(UTC)
        return [FoundDraft(message_id=key, folder="sentitems", is_draft=False, created_at=now)]

    def drafts(self) -> Sequence[object]:
        return ()

    def inbox(self, since: datetime, until: datetime) -> Sequence[InboundMessage]:
        del since, until
        newest = range(min(5_000, self.orders))
        return [InboundMessage(message_id=f"m-bench-{number}") for number in newest]


class Lines:
    """The intake files of the bench: what each work order was read from."""

    def __init__(self, home: Path) -> None:
        self.files = IntakeFiles(home)
        self.files.events.parent.mkdir(parents=True)
        self.offset = self.count = 0

    def add(self, number: int) -> dict[str, Any]:
        """Write a work order's line, and its event; returns its place in the stream."""
        said = {"schema_version": "1", "id": f"bench-{number}", "message_id": f"m-bench-{number}"}
        line = json.dumps({**said, "body_text": "Where is it? " * 230}).replace(", ", ",")
        data = line.replace(": ", ":").encode() + b"\n"
        for path in (self.files.events, self.files.work_orders):
            with path.open("ab") as file:
                file.write(data)
        place = {
            "byte_offset": self.offset,
            "length": len(data) - 1,
            "line_sha256": hashlib.sha256(data[:-1]).hexdigest(),
            "generation": 1,
            "stream": "work_orders",
        }
        self.offset, self.count = self.offset + len(data), self.count + 1
        return place

    def bookmark(self, connection: Connection) -> None:
        """Say, as the readers do, that everything was read."""
        with open_stream(self.files.work_orders) as (file,):
            save_bookmark(connection, "work_orders", moved(fresh(1), file, self.offset, self.count))
            proof = {"offset": self.offset, "marker": marker(file.descriptor, self.offset)}
        write_state(self.files.processor_state, proof)
        now = datetime.now(UTC)
        span = {"began": (now - timedelta(days=90)).isoformat(), "watermark": now.isoformat()}
        write_state(self.files.service_state, span)


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
        lines = Lines(folder / "read")
        without(connection, key)
        multiply(connection, key, template, range(options.orders), lines)
    mark_as_read(url, lines)
    vacuumed(url)
    print(f"built {options.orders} work orders in {time.perf_counter() - began:.0f} s")
    full = timed(url, folder, Scope.FULL, lines)
    nothing_new = timed(url, folder, Scope.NEW, lines)
    with psycopg.connect(url, options="-c search_path=swarm") as connection:
        new = range(options.orders, options.orders + options.new)
        multiply(connection, key, template, new, lines)
    mark_as_read(url, lines)
    some_new = timed(url, folder, Scope.NEW, lines)
    print(f"--full {full:.1f} s, nothing new {nothing_new:.1f} s")
    print(f"{options.new} new ones {some_new:.1f} s")
    return 0 if full <= FULL_TARGET and max(nothing_new, some_new) <= NEW_TARGET else 1


def mark_as_read(url: str, lines: Lines) -> None:
    database = Database(url)
    with database.transaction() as connection:
        lines.bookmark(connection)
    database.close()


def timed(url: str, folder: Path, scope: Scope, lines: Lines) -> float:
    database, mailbox = Database(url), EveryDraft(lines.count)
    began = time.perf_counter()
    report = audit(
        database,
        mailbox,  # type: ignore[arg-type]
        [lines.files.work_orders],
        required_rules=REQUIRED_FOR_PUBLISH,
        scope=scope,
        memory=Memory(folder / "mark.json", "bench"),
        arrivals=Arrivals(lines.files, mailbox, "service@example.com", "bench"),
    )
    seconds = time.perf_counter() - began
    database.close()
    looked = f"{report.totals.recomputed} recomputed, {len(report.breaches)} breaches"
    print(f"{scope}: {seconds:.1f} s, {looked}", flush=True)
    for check, count in Counter(breach.check for breach in report.breaches).items():
        first = next(breach for breach in report.breaches if breach.check == check)
        print(f"   {check} x{count}: {first.subject} {first.detail}")
    return seconds


def without(connection: psycopg.Connection, key: str) -> None:
    """Take the template out: it has no line in the files of the bench."""
    connection.execute("SET session_replication_role = replica")
    for table, column in TABLES.items():
        connection.execute(f"DELETE FROM {table} WHERE {column} = %s", (key,))
    connection.commit()


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
    lines: Lines,
) -> None:
    for start in range(0, len(numbers), COPIED_AT_ONCE):
        some = numbers[start : start + COPIED_AT_ONCE]
        batch = [Copy(key, template, n, lines.add(n)).rows for n in some]
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

    def __init__(
        self,
        key: str,
        template: Mapping[str, list[dict[str, Any]]],
        number: int,
        place: Mapping[str, Any],
    ) -> None:
        new = work_order_key("bench", f"bench-{number}")
        self.swaps = [(key, new), (reference(key), reference(new))]
        self.number, self.place = number, place
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
        new["accepted_at"] = row["accepted_at"] - LONG_AGO + self.number * APART
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
        said = content_sha256(self.order["body"])
        return {**self._row(row), **self.place, "canonical_sha256": said}


def reference(key: str) -> str:
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
