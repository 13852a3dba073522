"""T05: two Dagster daemons of two homes on one database; the second refuses to start.

Real processes, started as ``swarm up`` starts them; a lock of a real Postgres decides.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from swarm.sandbox import environment as sandbox_environment

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
_NO_PORT = 9
_SECONDS = 90.0
_HOLDERS = """
SELECT a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'advisory' AND l.classid = 7004 AND l.granted AND a.datname = current_database()
"""


class Homes:
    """Daemons of homes of their own, and the database they share."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    @contextmanager
    def daemon(self, name: str) -> Iterator["subprocess.Popen[bytes]"]:
        home = self.folder / name
        home.mkdir()
        (home / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
        (home / "workspace.yaml").write_text("load_from: []\n")
        given = {
            **os.environ, **sandbox_environment(_NO_PORT),
            "SWARM_HOME": str(home), "SWARM_KEY_SECRET": "s", "DATABASE_URL": self.url,
            "DAGSTER_POSTGRES_URL": self.url.replace("postgresql://", "postgresql+psycopg2://"),
            "DAGSTER_HOME": str(home), "CELERY_BROKER_URL": "filesystem://",
            "CELERY_BROKER_DIR": str(home / "broker"),
        }  # fmt: skip
        command = [sys.executable, "-m", "swarm_assets.runtime.one_daemon", "run",
                   "-w", str(home / "workspace.yaml")]  # fmt: skip
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(command, env=given, cwd=home, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def said(self, name: str) -> str:
        return (self.folder / name / "log").read_text()

    def beats(self) -> int:
        """How many heartbeats of Dagster's threads are younger than ten seconds."""
        with psycopg.connect(self.url) as connection:
            if not self.one(connection, "SELECT to_regclass('public.daemon_heartbeats')"):
                return 0
            young = "SELECT count(*) FROM public.daemon_heartbeats WHERE timestamp > now() - %s"
            return int(self.one(connection, f"{young}::interval", "10 seconds") or 0)

    @staticmethod
    def one(connection: "psycopg.Connection[tuple[object, ...]]", query: str, *values: str) -> int:
        row = connection.execute(query.encode(), values).fetchone()
        return row[0] if row else 0  # type: ignore[return-value]

    @contextmanager
    def next_in_line(self) -> Iterator[None]:
        """Another session that stands in the queue for the lock, and holds it when it is free."""
        with psycopg.connect(self.url, autocommit=True) as waiting, ThreadPoolExecutor(1) as pool:
            pool.submit(waiting.execute, "SELECT pg_advisory_lock(7004, 1)")
            wait_for(self.queue, "another session stands in the queue")
            yield

    def queue(self) -> int:
        with psycopg.connect(self.url) as connection:
            return self.one(connection, _HOLDERS.replace("l.granted", "NOT l.granted"))

    def holder(self) -> int:
        with psycopg.connect(self.url) as connection:
            return self.one(connection, _HOLDERS)


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture
def homes(database_url: str, tmp_path: Path) -> Homes:
    return Homes(tmp_path, database_url)


@pytest.mark.fault("T05")
def test_the_second_refuses_with_a_sentence_and_starts_when_the_first_is_killed(
    homes: Homes,
) -> None:
    with ExitStack() as both:
        first = both.enter_context(homes.daemon("first"))
        wait_for(homes.beats, "the first daemon beats")
        second = both.enter_context(homes.daemon("second"))
        assert second.wait(_SECONDS) == 2
        first_one = f"the Dagster daemon on {os.uname().nodename}, pid {first.pid}"
        assert f"another one works on this database: {first_one}" in homes.said("second")
        assert first.poll() is None
        first.kill()
        first.wait()
        third = both.enter_context(homes.daemon("third"))
        wait_for(homes.holder, "the third holds the lock")
        assert third.poll() is None


@pytest.mark.fault("T05")
def test_who_lost_its_session_and_finds_the_place_free_goes_on(homes: Homes) -> None:
    with homes.daemon("first") as daemon:
        wait_for(homes.beats, "it beats")
        lost = homes.holder()
        with psycopg.connect(homes.url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", (lost,))
        wait_for(lambda: homes.holder() not in (0, lost), "it took its place again")
        assert daemon.poll() is None


@pytest.mark.fault("T05")
def test_who_lost_its_session_and_finds_the_place_taken_ends_at_once(homes: Homes) -> None:
    with homes.daemon("first") as daemon:
        wait_for(homes.beats, "it beats")
        with homes.next_in_line():  # Postgres hands it the lock in the moment it is free
            with psycopg.connect(homes.url, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(%s, 5000)", (homes.holder(),))
            assert daemon.wait(_SECONDS) == 2
        assert "this daemon lost its place" in homes.said("first")
