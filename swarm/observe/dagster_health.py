"""Does Dagster still work? Read from its own tables by plain SQL, and from two sockets.

A dead daemon, a sensor that somebody switched off or a code server that hangs stop all work, and
none of them can report it. Facts are read, a pure function judges them. What lives elsewhere: how
long a trouble must last before anybody is told (``swarm.watchman``).
"""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field

from swarm.models import Noun
from swarm.observe.dagster_names import SCHEDULES, SENSORS
from swarm.observe.trouble import Trouble
from swarm.settings import on_loopback
from swarm.store.database import Database, table_exists

DAEMON: Final = "dagster.daemon_silent"
OFF: Final = "dagster.sensor_off"
SILENT: Final = "dagster.sensor_silent"
FAILING: Final = "dagster.sensor_failing"
CODE_SERVER: Final = "dagster.code_server"
WEBSERVER: Final = "dagster.webserver"

KINDS_WATCHED: Final = (DAEMON, OFF, SILENT, FAILING, CODE_SERVER, WEBSERVER)

# Each of the daemon's loops beats every 30 s. These three carry the work; a loop may be away alone.
_LOOPS: Final = ("SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR")
BEAT_LIMIT: Final = 75.0
_FAILED_TICKS: Final = 3  # in a row, and nothing else in between

# One evaluation may take a minute (then Dagster gives it up); a due one waits for a free thread.
_TICK_GRACE: Final = 90.0

_HEARTBEATS = "SELECT daemon_type, timestamp AT TIME ZONE 'UTC' AS at FROM public.daemon_heartbeats"

_TICKS = """
SELECT coalesce(i.instigator_body::json -> 'origin' ->> 'instigator_name',
                i.instigator_body::json -> 'origin' ->> 'job_name') AS name,
       i.status, t.last_at, t.ended
  FROM public.instigators i
  LEFT JOIN LATERAL (
        SELECT max(timestamp) AT TIME ZONE 'UTC' AS last_at,
               array_agg(status ORDER BY timestamp DESC) FILTER (WHERE status <> 'STARTED') AS ended
          FROM (SELECT status, timestamp FROM public.job_ticks
                 WHERE selector_id = i.selector_id
                 ORDER BY timestamp DESC LIMIT 4) newest) t ON true
"""

# What a server of HTTP/2 must answer to at once, with its own SETTINGS (RFC 9113, 3.4): a process
# that is stopped still accepts connections, and says nothing.
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
_ANSWER_SECONDS: Final = 5.0


class Ticks(Noun):
    """What Dagster keeps of one sensor or schedule; ``ended`` are its last states, newest first."""

    name: str
    status: str
    last_at: AwareDatetime | None
    ended: tuple[str, ...] = ()


class DagsterFacts(Noun):
    """What a look at Dagster showed."""

    now: AwareDatetime
    heartbeats: Mapping[str, AwareDatetime] = Field(description="Loop of the daemon -> last beat")
    ticks: Mapping[str, Ticks]
    code_server: bool = Field(description="Whether it answers")
    webserver: bool = Field(description="Whether it answers, as far as it is on this machine")


def look(database: Database, *, workspace: Path, ui_url: str) -> DagsterFacts | None:
    """Read the facts; None where Dagster never ran on this database. Raises a ``DatabaseError``.

    ``workspace`` is the file in which ``swarm up`` names the code server's socket; a host without
    one has no code server to ask.
    """
    code_server, webserver = _code_server_answers(workspace), _webserver_answers(ui_url)
    with database.transaction() as connection:
        if not table_exists(connection, "public.job_ticks"):
            return None
        beats = connection.execute(_HEARTBEATS).fetchall()
        ticks = [_ticks(row) for row in connection.execute(_TICKS).fetchall() if row["name"]]
    return DagsterFacts(
        now=datetime.now(UTC),
        heartbeats={row["daemon_type"]: row["at"] for row in beats},
        ticks={each.name: each for each in ticks},
        code_server=code_server,
        webserver=webserver,
    )


def troubles(facts: DagsterFacts) -> tuple[Trouble, ...]:
    """Return what is wrong; what follows from a dead daemon or code server is not told again."""
    found = [*_daemon(facts)]
    if not facts.code_server:
        found.append(Trouble(CODE_SERVER, "code-server", "its socket does not answer"))
    alive = not found
    if not facts.webserver:
        found.append(Trouble(WEBSERVER, "webserver", "its port does not answer"))
    for name, seconds in {**SENSORS, **SCHEDULES}.items():
        found += _of_ticks(name, seconds, facts, alive=alive)
    return tuple(found)


def _daemon(facts: DagsterFacts) -> Iterator[Trouble]:
    ages = {
        loop: (facts.now - facts.heartbeats[loop]).total_seconds()
        for loop in _LOOPS
        if loop in facts.heartbeats
    }
    silent = {loop: age for loop, age in ages.items() if age > BEAT_LIMIT}
    missing = [loop for loop in _LOOPS if loop not in ages]
    if missing and not ages:
        yield Trouble(DAEMON, "dagster-daemon", "it has never beaten its heart")
    elif silent or missing:
        oldest = max(silent.values(), default=0.0)
        loops = ", ".join(sorted({*silent, *missing})).lower()
        yield Trouble(DAEMON, "dagster-daemon", f"{loops}: last beat {oldest:.0f} s ago")


def _of_ticks(name: str, seconds: int, facts: DagsterFacts, *, alive: bool) -> Iterator[Trouble]:
    known = facts.ticks.get(name)
    if known is not None and known.status == "STOPPED":
        yield Trouble(OFF, name, f"{_what(name)} {name} is switched off")
        return
    if not alive:
        return
    if known is None or known.last_at is None:
        if name in SENSORS:  # a schedule's first time may be a day away
            yield Trouble(SILENT, name, f"{_what(name)} {name} was never asked")
        return
    age = (facts.now - known.last_at).total_seconds()
    if age > tick_limit(seconds):
        yield Trouble(SILENT, name, f"{_what(name)} {name} was last asked {age:.0f} s ago")
    elif known.ended[:_FAILED_TICKS] == ("FAILURE",) * _FAILED_TICKS:
        yield Trouble(FAILING, name, f"the last {_FAILED_TICKS} ticks of {name} failed")


def tick_limit(seconds: int) -> float:
    """Return after how many seconds a sensor or schedule due every ``seconds`` is silent."""
    return 2 * seconds + _TICK_GRACE


def _what(name: str) -> str:
    return "the sensor" if name in SENSORS else "the schedule"


def _ticks(row: Mapping[str, object]) -> Ticks:
    return Ticks.model_validate({**row, "ended": row["ended"] or ()})


def _code_server_answers(workspace: Path) -> bool:
    path = _socket_of(workspace)
    if path is None:
        return True
    try:
        with closing(socket.socket(socket.AF_UNIX)) as asking:
            asking.settimeout(_ANSWER_SECONDS)
            asking.connect(path)
            asking.sendall(_PREFACE)
            return bool(asking.recv(9))
    except OSError:
        return False


def _socket_of(workspace: Path) -> str | None:
    """Return the socket that ``swarm.up.programs.write_dagster_home`` wrote, if it did."""
    try:
        lines = workspace.read_text("utf-8").splitlines()
    except OSError:
        return None
    named = (line.partition("socket:")[2].strip() for line in lines if "socket:" in line)
    return next((str(json.loads(each)) for each in named), None)


def _webserver_answers(ui_url: str) -> bool:
    """Whether the port answers; a UI behind somebody's proxy is the proxy's to watch."""
    parts = urlsplit(ui_url)
    if not on_loopback(parts.hostname):
        return True
    place = (parts.hostname or "", parts.port or 80)
    try:
        with closing(socket.create_connection(place, _ANSWER_SECONDS)) as asking:
            asking.settimeout(_ANSWER_SECONDS)
            asking.sendall(b"GET /server_info HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return bool(asking.recv(16))
    except OSError:
        return False
