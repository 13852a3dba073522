"""/metrics, /healthz and /readyz over HTTP, with the database there, busy, and away."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from scraping import Scrape

from swarm.errors import ConfigurationError
from swarm.observe.metrics.reading import TimeLimits, read
from swarm.observe.metrics.streams import HomeFiles
from swarm.settings import CoreSettings
from swarm.store.database import Database
from swarm.up.programs import any_free_port
from swarm.watchman.endpoint import serving

pytestmark = pytest.mark.integration

NAMES = ["database", "migrations", "dagster_daemon", "intake", "worker"]

# As Dagster's own migrations make them, as far as we read them.
_DAGSTER = """
CREATE TABLE public.daemon_heartbeats (daemon_type text, daemon_id text, timestamp timestamp,
                                       body text);
CREATE TABLE public.instigators (selector_id text, status text, instigator_type text,
                                 instigator_body text);
INSERT INTO public.daemon_heartbeats VALUES ('SENSOR', 'x', now() AT TIME ZONE 'UTC', '');
INSERT INTO public.instigators VALUES ('s', 'DECLARED_IN_CODE', 'SENSOR', jsonb_build_object(
    'origin', jsonb_build_object('job_name', 'intake'), 'job_specific_data',
    jsonb_build_object('last_tick_timestamp', extract(epoch FROM now())))::text);
INSERT INTO engine_heartbeats (process, role, engine, parts) VALUES ('p', 'workers', 'e', '{}');
"""


def core(url: str, home: Path, **more: object) -> CoreSettings:
    told = {"database_url": url, "swarm_key_secret": "s", "swarm_home": home, **more}
    return CoreSettings.model_validate(told)


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    port = any_free_port()
    with (
        serving(core(database_url, tmp_path), port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        yield client


@pytest.fixture
def away(tmp_path: Path) -> Iterator[httpx.Client]:
    """The endpoint in front of a database that is not there."""
    port = any_free_port()
    url = f"postgresql://x@127.0.0.1:{any_free_port()}/x"
    with (
        serving(core(url, tmp_path), port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        yield client


def ready(client: httpx.Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/readyz")
    body = answer.json()
    assert [check["name"] for check in body["checks"]] == NAMES
    assert body["ready"] is (answer.status_code == 200)
    return answer.status_code, {check["name"]: check for check in body["checks"]}


def test_a_scrape_is_one_that_prometheus_takes(client: httpx.Client) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    now = Scrape(answer.text)
    assert now("swarm_up") == 1
    assert now("process_start_time_seconds") > 0
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=answer.text, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_it_speaks_openmetrics_to_who_asks_for_it(client: httpx.Client) -> None:
    answer = client.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_everything_that_must_be_so_is_ready_by_name(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as connection:
        connection.execute(_DAGSTER)
    status, checks = ready(client)
    assert status == 200, checks
    assert all(check["ok"] and check["why"] == "" for check in checks.values())


@pytest.mark.parametrize(
    ("name", "statement", "why"),
    [
        ("migrations", "DELETE FROM schema_migrations WHERE name LIKE '0062%%'", "0062_tallies"),
        (
            "dagster_daemon",
            "UPDATE public.daemon_heartbeats SET timestamp = timestamp - interval '1 hour'",
            "last heard of 36",
        ),
        ("intake", "DELETE FROM public.instigators", "never said that it lives"),
        ("worker", "DELETE FROM engine_heartbeats", "never said that it lives"),
        ("dagster_daemon", "DROP TABLE public.daemon_heartbeats", "has never run"),
    ],
)
def test_what_is_not_so_is_told_by_name_and_why(
    client: httpx.Client, database: Database, name: str, statement: str, why: str
) -> None:
    with database.transaction() as connection:
        connection.execute(_DAGSTER)
        connection.execute(statement.replace("%%", "%"))
    status, checks = ready(client)
    assert status == 503
    assert why in checks[name]["why"]
    assert [other for other, check in checks.items() if not check["ok"]] == [name]


def test_without_its_database_it_answers_all_the_same(away: httpx.Client) -> None:
    assert away.get("/healthz").text == "ok\n"
    now = Scrape(away.get("/metrics").text)
    assert now("swarm_up") == 0
    assert now("process_start_time_seconds") > 0
    status, checks = ready(away)
    assert status == 503
    assert "cannot be reached" in checks["database"]["why"]
    assert checks["worker"]["why"] == "not asked: the database does not answer"


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_but_get_is_answered(away: httpx.Client, method: str, path: str) -> None:
    assert away.request(method, path).status_code == 405
    assert away.get("/").status_code == 404


def test_a_table_that_is_locked_holds_no_scrape(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE swarm.swarm_jobs IN ACCESS EXCLUSIVE MODE")
        found = read(database, HomeFiles(tmp_path), TimeLimits(statement=0.2, total=1))
    database.close()
    values = {family.name: family.samples[0].value for family in found if family.samples}
    assert values["swarm_up"] == 0
    assert "swarm_work_orders" in values  # asked before


def test_no_statement_is_begun_after_the_time_is_over(database: Database, tmp_path: Path) -> None:
    ticks = iter([0.0, 0.0, 0.1, 0.2, *[99.0] * 9])
    found = read(database, HomeFiles(tmp_path), TimeLimits(), clock=lambda: next(ticks))
    assert [(found[0].name, found[0].samples[0].value)] == [("swarm_up", 0)]


def test_it_listens_on_loopback_alone_and_on_one_address_more_when_asked(
    database_url: str, tmp_path: Path
) -> None:
    port = any_free_port()
    with serving(core(database_url, tmp_path), port), pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), 5)
    port = any_free_port()
    with serving(core(database_url, tmp_path, metrics_listen="127.0.0.2"), port):
        for address in ("127.0.0.1", "127.0.0.2"):
            assert httpx.get(f"http://{address}:{port}/healthz", timeout=30).status_code == 200
    with (
        pytest.raises(ConfigurationError, match="METRICS_LISTEN"),
        serving(core(database_url, tmp_path, metrics_listen="192.0.2.7"), port),
    ):
        pass


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "::", "*", ""])  # noqa: S104
def test_it_does_not_listen_everywhere(tmp_path: Path, everywhere: str) -> None:
    with pytest.raises(ValueError, match="must name one address"):
        core("postgresql:///x", tmp_path, metrics_listen=everywhere)
