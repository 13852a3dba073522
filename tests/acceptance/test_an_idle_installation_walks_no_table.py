"""With a long history behind it, an installation that has nothing to do reads next to nothing.

Nobody names the statements here: Postgres counts what every program of a running installation
reads, sensors, rounds, watchman and screens together.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from filled_tables import GROWING, fill
from installation import running_up

from swarm.store import embedded
from swarm.store.roles import url_as
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.acceptance

ORDERS = 20_000
SETTLES = 20.0  # after the tables were filled: what is new is looked at once
WATCHED = 30.0  # seconds; the slowest sensor that looks at growing tables has a beat of them

LONG_AGO = "(now() - interval '29 days' - n * interval '1 s')"
"""What 20,000 ended a minute ago is looked at; what ended a month ago is history."""

READ = """
SELECT relname, seq_tup_read FROM pg_stat_user_tables
 WHERE schemaname = 'swarm' AND relname = ANY(%s)
"""


@pytest.fixture(scope="module")
def superuser() -> Iterator[psycopg.Connection]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-idle-"))
    home = folder / "home"
    try:
        with running_up(home, folder / "up.log", "--no-samples", "--port", str(any_free_port())):
            described = json.loads((home / "run" / "environment.json").read_text("utf-8"))
            known = json.loads((home / "database_logins.json").read_text("utf-8"))
            who = embedded.SUPERUSER
            url = url_as(described["DATABASE_URL"], who, known[who])
            fill(url, ORDERS, events=3, ended=LONG_AGO)
            with psycopg.connect(url, autocommit=True) as connection:
                yield connection
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def rows_read(superuser: psycopg.Connection) -> dict[str, int]:
    """How many rows were read from end to end of each growing table so far."""
    superuser.execute("SELECT pg_stat_clear_snapshot()")
    return dict(superuser.execute(READ, (sorted(GROWING),)).fetchall())


def test_no_table_that_grows_with_every_mail_is_walked_while_nothing_happens(
    superuser: psycopg.Connection,
) -> None:
    time.sleep(SETTLES)
    before = rows_read(superuser)
    time.sleep(WATCHED)
    after = rows_read(superuser)
    walked = {name: after[name] - before[name] for name in after}
    assert {name: rows for name, rows in walked.items() if rows > ORDERS / 10} == {}
