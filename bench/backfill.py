"""How fast are replays? Imports invented history into an embedded Postgres and replays it.

Measures, with the rules and as many processes as are installed by default: work orders a second
from the launch of the processes to the last stored result, loading included and not, and the
processor time a work order costs (which a busy machine does not change).

    .venv/bin/python bench/backfill.py [--orders 1000] [--processes 2]

Target on two free cores: at least 20 work orders a second.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from history_rows import how
from invented_history import write

from swarm.shadow.history.importing import Files, Importer
from swarm.shadow.history.mapping import mapping_of
from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.migrate import migrate

TARGET = 20.0
SECRET = "of benches"  # noqa: S105 - keys of a database that is gone in a minute
KEYS = "SELECT work_order_key AS key FROM history_orders ORDER BY 1"
WORKED = """
SELECT count(*) AS n, extract(epoch FROM max(at) - min(at))::float AS seconds,
       count(DISTINCT at) AS batches FROM replays
"""


def main() -> int:
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="swarm-bench-"))
    try:
        url = embedded.create_database(embedded.start(folder / "pg"), "bench")
        migrate(url)
        database = Database(url)
        importing = taken_in(database, folder, options.orders)
        with database.transaction() as connection:
            keys = [row["key"] for row in connection.execute(KEYS)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        report = how(database, processes=options.processes).replay(keys)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with database.transaction() as connection:
            worked = connection.execute(WORKED).fetchone() or {}
        started = time.monotonic()
        how(database, processes=options.processes, keep=False).compare(keys)
        comparing = time.monotonic() - started
        database.close()
    finally:
        embedded.stop(folder / "pg")
        shutil.rmtree(folder, ignore_errors=True)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    steady = worked["n"] / worked["seconds"] if worked.get("seconds") else 0.0
    print(f"load average           {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"import                 {options.orders / importing:8.1f} work orders a second")
    print(f"replay, all of it      {report.per_second:8.1f} a second ({report.seconds:.1f} s)")
    print(f"replay, once loaded    {steady:8.1f} a second")
    print(
        f"processor time         {1000 * spent / len(keys):8.1f} ms a work order, loading included"
    )
    print(f"comparison             {len(keys) / comparing:8.1f} a second, loading included")
    return 0 if report.per_second >= TARGET else 1


def taken_in(database: Database, folder: Path, number: int) -> float:
    started = time.monotonic()
    importer = Importer(database, SECRET, mapping_of(None), "bench")
    importer.take_in(Files(*write(folder, number)))
    return time.monotonic() - started


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
