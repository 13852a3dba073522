"""How fast is a work order? Starts a fresh installation (rules specialists, sandbox) and measures

* sustained: seconds per work order over N work orders that arrive at once, from the moment they are
  in the intake stream until the last one is final (confirmed in the mailbox, or escalated);
* idle: from an intake line being written to the POST at the Zapier hook, one at a time.

    .venv/bin/python bench/throughput.py [--orders 100] [--singles 10] [--workers 2]

Targets on two cores: at most 0.6 s per work order, p50 of the idle latency at most 6 s.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from swarm.up.programs import any_free_port

SUSTAINED_TARGET, IDLE_TARGET = 0.6, 6.0
WARM = 6

FINAL = "SELECT count(*) FROM swarm.work_orders WHERE final_at IS NOT NULL AND original_id LIKE %s"
POSTED = """
SELECT extract(epoch FROM l.intent_at) FROM swarm.publication_ledger l
  JOIN swarm.work_orders w ON w.key = l.work_order_key WHERE w.original_id = %s
"""
OUTCOMES = """
SELECT state, count(*) FROM swarm.work_orders WHERE original_id LIKE %s GROUP BY 1 ORDER BY 1
"""


def main() -> int:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="swarm-bench-") as folder:
        home = Path(folder) / "home"
        with running(home, options.workers) as url, closing(connect(url)) as connection:
            warm_up(home, connection)
            latencies = [idle_latency(home, connection) for _ in range(options.singles)]
            seconds = sustained(home, connection, options.orders)
            outcomes = connection.execute(OUTCOMES, ("bench-many-%",)).fetchall()
    per_order = seconds / options.orders
    p50 = statistics.median(latencies)
    report(options, per_order, latencies, dict(outcomes))
    return 0 if per_order <= SUSTAINED_TARGET and p50 <= IDLE_TARGET else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=100)
    parser.add_argument("--singles", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


@contextmanager
def running(home: Path, workers: int) -> Iterator[str]:
    """A fresh installation in ``home``; yields the URL of its database."""
    command = [sys.executable, "-m", "swarm.cli", "up", "--no-samples"]
    command += ["--port", str(any_free_port()), "--workers", str(workers)]
    environment = {**os.environ, "SWARM_HOME": str(home)}
    log = home.parent / "up.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        wait(lambda: "up after" in log.read_text() or process.poll() is not None, 180)
        print(log.read_text(), file=sys.stderr)
        described = json.loads((home / "run" / "environment.json").read_text("utf-8"))
        yield described["DATABASE_URL"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True)


def warm_up(home: Path, connection: psycopg.Connection) -> None:
    """The first runs of each worker load code; a running system has done that long ago."""
    write(home, [line(f"bench-warm-{n}") for n in range(WARM)])
    wait(lambda: count(connection, "bench-warm-%") == WARM, 120)


def idle_latency(home: Path, connection: psycopg.Connection) -> float:
    name = f"bench-one-{uuid.uuid4().hex[:8]}"
    began = time.time()
    write(home, [line(name)])

    def posted() -> float | None:
        row = connection.execute(POSTED, (name,)).fetchone()
        return float(row[0]) if row and row[0] is not None else None

    wait(lambda: posted() is not None, 60)
    wait(lambda: count(connection, name) == 1, 60)
    at = posted()
    return (at or time.time()) - began


def sustained(home: Path, connection: psycopg.Connection, orders: int) -> float:
    began = time.monotonic()
    write(home, [line(f"bench-many-{n}") for n in range(orders)])
    wait(lambda: count(connection, "bench-many-%") == orders, 60 + 5 * orders)
    return time.monotonic() - began


def line(name: str) -> str:
    """A work order of the intake stream: a known customer asks for the state of an order."""
    return json.dumps(
        {
            "schema_version": "1",
            "id": name,
            "mailbox": "service@example.com",
            "internet_message_id": f"<{name}@bench.example.org>",
            "sender": {"address": "anna.keller@example.org", "name": "Anna Keller"},
            "to": [{"address": "service@example.com", "name": "Customer Service"}],
            "subject": "Where is order 48213?",
            "body_text": "Hello,\n\nwhat is the status of my order 48213?\n\nAnna Keller\n",
            "received_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "source": "bench",
        }
    )


def write(home: Path, lines: list[str]) -> None:
    with (home / "intake" / "work_orders.jsonl").open("a", encoding="utf-8") as stream:
        stream.write("".join(f"{text}\n" for text in lines))


def count(connection: psycopg.Connection, like: str) -> int:
    row = connection.execute(FINAL, (like,)).fetchone()
    return int(row[0]) if row else 0


def wait(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("gave up waiting")
        time.sleep(0.05)


def report(
    options: argparse.Namespace,
    per_order: float,
    latencies: list[float],
    outcomes: dict[str, int],
) -> None:
    ordered = sorted(latencies)
    rows = {
        "cores": str(os.cpu_count()),
        "workers": str(options.workers),
        "work orders at once": f"{options.orders} ({outcomes})",
        "sustained, s per work order": f"{per_order:.2f} (target {SUSTAINED_TARGET})",
        "idle: line to POST, p50 s": f"{statistics.median(ordered):.2f} (target {IDLE_TARGET})",
        "idle: line to POST, worst s": f"{ordered[-1]:.2f} (of {len(ordered)})",
    }
    for name, value in rows.items():
        print(f"{name:<32}{value}")


if __name__ == "__main__":
    sys.exit(main())
