"""The intake tick that waits for a line keeps one thread of four; every other sensor gets its turn.

A whole installation, idle and with mail; Dagster's own record of ticks says who was asked when.
"""

import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from correspondent import write_to_us
from installation import Running, running_up

from swarm.sandbox.remote import SandboxControl
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.faults

WATCHED = 60.0
QUICK = ("intake", "publications", "reaper")
_TICKS = """
SELECT coalesce(i.instigator_body::jsonb #>> '{origin,instigator_name}',
                i.instigator_body::jsonb #>> '{origin,job_name}'),
       extract(epoch FROM t.timestamp AT TIME ZONE 'UTC')::float
  FROM public.job_ticks t JOIN public.instigators i USING (selector_id)
 WHERE t.timestamp AT TIME ZONE 'UTC' > now() - make_interval(secs => %s) ORDER BY t.timestamp
"""


@pytest.fixture(scope="module")
def house() -> Iterator[Running]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-starve-"))
    port = any_free_port()
    options = ("--no-samples", "--port", str(port))
    with running_up(folder / "home", folder / "up.log", *options):
        yield Running(folder / "home", port)
    shutil.rmtree(folder, ignore_errors=True)


def longest_gaps(house: Running) -> dict[str, float]:
    """Sensor -> the longest time in which it was not asked."""
    began = time.time()
    time.sleep(WATCHED)
    with psycopg.connect(house.settings["DATABASE_URL"]) as connection:
        rows = connection.execute(_TICKS, (WATCHED,)).fetchall()
    asked: defaultdict[str, list[float]] = defaultdict(lambda: [began])
    for name, at in rows:
        asked[name].append(float(at))
    ended = time.time()
    return {
        name: max(b - a for a, b in zip(times, [*times[1:], ended], strict=True))
        for name, times in asked.items()
    }


def test_an_idle_installation_asks_every_sensor_as_often_as_before(house: Running) -> None:
    gaps = longest_gaps(house)
    assert {"intake", "publications", "reaper", "reply_outcomes"} <= set(gaps)
    quick = {
        name: gap for name, gap in gaps.items() if name in ("intake", "publications", "reaper")
    }
    assert max(quick.values()) < 15, gaps


def test_with_mail_it_does_so_too(house: Running) -> None:
    port = (house.home / "sandbox" / "port").read_text("ascii").strip()
    with closing(SandboxControl(f"http://127.0.0.1:{port}")) as control:
        write_to_us(control, range(30))
    gaps = longest_gaps(house)
    assert max(gaps[name] for name in QUICK) < 20, gaps
