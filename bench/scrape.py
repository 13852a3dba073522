"""What does a scrape cost a large installation? Fills the tables, scrapes, asks each query alone.

    .venv/bin/python bench/scrape.py [--orders 100000] [--scrapes 20]

Beside it stands what counting the rows at each scrape would cost, which is why counters are
tallied by triggers (migration 0062) instead.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from filled_tables import fill

from swarm.observe.metrics import tallies
from swarm.observe.metrics.gauges import GAUGES
from swarm.observe.metrics.reading import read
from swarm.observe.metrics.streams import HomeFiles
from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.migrate import migrate

COUNTED = (
    "SELECT kind, count(*) FROM workflow_events WHERE kind <> 'stage.finished' GROUP BY kind",
    "SELECT outcome, count(*) FROM workflow_runs GROUP BY outcome",
    "SELECT status, count(*) FROM intake_line GROUP BY status",
    "SELECT reason, count(*) FROM sorted_out GROUP BY reason",
    "SELECT model, sum(cost), sum(input_tokens), avg(latency_ms) FROM model_calls GROUP BY model",
    (
        "SELECT width_bucket(extract(epoch FROM l.changed_at - w.accepted_at)::float,"
        " ARRAY[60, 600, 3600]::float[]), count(*) FROM publication_ledger l JOIN work_orders w"
        " ON w.key = l.work_order_key WHERE l.state = 'CONFIRMED' GROUP BY 1"
    ),
)


def main() -> int:
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="swarm-bench-"))
    server = embedded.start(folder / "postgres")
    try:
        empty = embedded.create_database(server, "empty")
        migrate(empty)
        full = embedded.create_database(server, "full", template="empty")
        began = time.perf_counter()
        fill(full, options.orders)
        print(f"filled {options.orders} work orders in {time.perf_counter() - began:.0f} s")
        compared(empty, full, folder, options.scrapes)
    finally:
        embedded.stop(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def compared(empty: str, full: str, folder: Path, scrapes: int) -> None:
    small, large = Database(empty), Database(full)
    try:
        first, usual = scraped(small, folder, scrapes)
        print(f"a scrape of an empty database: first {first:.0f} ms, then {usual:.0f} ms")
        first, filled = scraped(large, folder, scrapes)
        print(f"of the filled one: first {first:.0f} ms, then {filled:.0f} ms,"
              f" {filled / usual:.1f} times as long")  # fmt: skip
        counted = sum(milliseconds(large, sql) for sql in COUNTED)
        print(f"counting the rows instead: {counted:.0f} ms, {counted / filled:.0f} times as long")
        ours = [gauge for gauge in GAUGES if not gauge.needs]
        slowest = sorted((milliseconds(large, g.sql, g.always), g.name) for g in ours)
        for took, name in slowest[-5:]:
            print(f"  {name} {took:.1f} ms")
        print(f"  all tallies {milliseconds(large, tallies.SUMS):.1f} ms")
    finally:
        small.close()
        large.close()


def scraped(database: Database, folder: Path, scrapes: int) -> tuple[float, float]:
    """Return milliseconds of the first scrape, and the median of the others."""
    files = HomeFiles(folder)
    first = timed(lambda: read(database, files))
    return first, statistics.median(timed(lambda: read(database, files)) for _ in range(scrapes))


def milliseconds(database: Database, sql: str, always: tuple[str, ...] = ()) -> float:
    values = {"always": list(always)} if always else None
    with database.transaction() as connection:
        return min(timed(lambda: connection.execute(sql, values).fetchall()) for _ in range(3))


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--scrapes", type=int, default=20)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
