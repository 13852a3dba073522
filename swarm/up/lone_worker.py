"""One worker started by hand or by a service manager: ``swarm worker``.

The same worker that ``swarm up`` keeps (``programs.worker_command``): its runs hold fence and
lease, spend from the budget and publish through the ledger like any other. What is added here is an
end that loses nothing: it stops taking, lets the runs in hand finish until a deadline, and says
what it left. A run that is left is the queue's again as soon as its lease has run out.

What lives elsewhere: asking for runs, which only Dagster's daemon does, and keeping workers alive
(``supervisor``, systemd).
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from swarm.errors import TransientError
from swarm.installation.home import Home, write_private
from swarm.models import Noun
from swarm.process_identity import Fate, ProcessIdentity, fate, this_process
from swarm.store.database import Database
from swarm.up.processes import kill_group, python
from swarm.up.programs import worker_command

_LOOK_SECONDS: Final = 0.5
_LOOKS: Final = (
    2  # in a row with nothing due: between two a run may pass from one state to the next
)
_GLOB: Final = "worker-*.json"

# What waits for a model that answers nobody is not due, however old it is.
_DUE = """
SELECT count(*) FILTER (WHERE state = 'queued' AND not_before <= now() AND waiting_since IS NULL)
           AS queued,
       count(*) FILTER (WHERE state = 'requested') AS requested
  FROM swarm_jobs
"""

# Whose runs they are says the tag each run carries (``swarm_assets.partitions.WORKER_TAG``).
_IN_HAND = """
SELECT j.work_order_key AS key
  FROM swarm_jobs j JOIN public.run_tags t ON t.run_id = j.run_id AND t.key = 'swarm/worker'
 WHERE j.state = 'running' AND t.value::jsonb ->> 'host' = %s
   AND (t.value::jsonb ->> 'pid')::bigint = ANY(%s)
 ORDER BY j.work_order_key
"""


class DueWork(Noun):
    """Work orders nobody has begun: due, and asked for at Dagster."""

    queued: int
    requested: int

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to take."""
        return not self.queued and not self.requested


class Ended(Noun):
    """How a worker ended: the work orders it had to leave, and what it left untaken."""

    left: tuple[str, ...] = ()
    due: DueWork | None = None


class Present(Noun):
    """A worker that runs, and how it ended when it has."""

    process: ProcessIdentity
    queue: str
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class WorkerWish:
    """What to start. ``within``: seconds until ``once`` stops taking, and that runs in hand get."""

    queue: str
    processes: int
    once: bool
    within: float


class LoneWorker:
    """The worker's parent: its signals, its deadline, its last words."""

    def __init__(self, home: Home, database: Database, wish: WorkerWish) -> None:
        self._home, self._database, self._wish = home, database, wish
        self._asked = 0

    def run(self) -> Ended:
        """Work until told to stop, or with ``once`` until nothing is due.

        Raises ``TransientError`` when the worker ended by itself.
        """
        if self._wish.once and (nothing := self._due()).nothing:
            return Ended(due=nothing)
        self._home.prepare()
        with self._signals(), self._announced() as present, self._started() as worker:
            due = self._until_it_should_end(worker)
            ended = Ended(left=self._drained(worker), due=due)
            _write(present, Present(process=this_process(), queue=self._wish.queue, ended=ended))
            return ended

    def _until_it_should_end(self, worker: "subprocess.Popen[bytes]") -> DueWork | None:
        """Return what is due then; None: somebody asked for the end."""
        deadline, quiet = time.monotonic() + self._wish.within, 0
        while not self._asked:
            if worker.poll() is not None:
                raise TransientError(
                    f"the worker ended by itself with code {worker.returncode}",
                    hint="what it said stands above",
                )
            if self._wish.once:
                due = self._due()
                quiet = quiet + 1 if due.nothing else 0
                if quiet >= _LOOKS or time.monotonic() > deadline:
                    return due
            time.sleep(_LOOK_SECONDS)
        return None

    def _drained(self, worker: "subprocess.Popen[bytes]") -> tuple[str, ...]:
        """Let it finish what it holds; name what it still holds at the deadline, and kill it."""
        deadline, asked = time.monotonic() + self._wish.within, self._asked
        worker.send_signal(signal.SIGTERM)
        while worker.poll() is None:
            if time.monotonic() > deadline or self._asked > max(asked, 1):
                left = self._in_hand(worker.pid)
                kill_group(worker.pid)
                worker.wait()
                return left
            time.sleep(_LOOK_SECONDS)
        return ()

    @contextmanager
    def _started(self) -> Iterator["subprocess.Popen[bytes]"]:
        name = f"lone-{os.getpid()}"
        command = worker_command(name, self._wish.queue, self._wish.processes)
        tied = (*python("swarm.up.die_with_parent", str(os.getpid())), *command)
        worker = subprocess.Popen(  # noqa: S603 - argv is ours
            tied, cwd=self._home.work, stdout=sys.stderr, start_new_session=True
        )
        try:
            yield worker
        finally:
            kill_group(worker.pid)
            worker.wait()

    @contextmanager
    def _announced(self) -> Iterator[Path]:
        """Leave a file by which ``drain`` finds this worker; how it ended stays in it."""
        path = self._home.run / f"worker-{socket.gethostname()}-{os.getpid()}.json"
        _write(path, Present(process=this_process(), queue=self._wish.queue))
        yield path

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """The first asks for the end, the second for it now."""

        def asked(_number: int, _frame: FrameType | None) -> None:
            self._asked += 1

        before = {n: signal.signal(n, asked) for n in (signal.SIGTERM, signal.SIGINT)}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, before)  # whoever started us may block them
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _due(self) -> DueWork:
        with self._database.transaction() as connection:
            return DueWork.model_validate(connection.execute(_DUE).fetchone())

    def _in_hand(self, pid: int) -> tuple[str, ...]:
        children, host = _descendants(pid), this_process().host
        with self._database.transaction() as connection:
            rows = connection.execute(_IN_HAND, (host, children)).fetchall()
        return tuple(row["key"] for row in rows)


def drain(home: Home, within: float, say: Callable[[str], None]) -> tuple[Ended, ...]:
    """Tell every lone worker of this home to end, wait, and return how each ended.

    At the deadline it is told to end at once; a worker that is killed meanwhile left nothing to
    read and is left out.
    """
    found = {path: present for path, present in _present(home).items() if _lives(present)}
    for present in found.values():
        say(f"the worker of the queue {present.queue}, pid {present.process.pid}, takes no more")
        _signal(present)
    deadline = time.monotonic() + within
    while (living := [each for each in found.values() if _lives(each)]) and (
        time.monotonic() < deadline
    ):
        time.sleep(_LOOK_SECONDS)
    for present in living:
        _signal(present)
    while any(_lives(each) for each in living):
        time.sleep(_LOOK_SECONDS)
    last = _present(home)
    for path in found:
        path.unlink(missing_ok=True)
    return tuple(each.ended for path, each in last.items() if path in found and each.ended)


def _present(home: Home) -> dict[Path, Present]:
    """The workers of this home that run, or ended since they were last asked about."""
    read = {path: _read(path) for path in sorted(home.run.glob(_GLOB))}
    return {path: present for path, present in read.items() if present is not None}


def _lives(present: Present) -> bool:
    """Whether it is a process of this machine that still runs; one of another we cannot tell."""
    return fate(present.process) is Fate.ALIVE


def _signal(present: Present) -> None:
    if _lives(present):
        with suppress(ProcessLookupError):
            os.kill(present.process.pid, signal.SIGTERM)


def _read(path: Path) -> Present | None:
    try:
        return Present.model_validate_json(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _write(path: Path, present: Present) -> None:
    write_private(path, json.dumps(present.model_dump(mode="json")))


def _descendants(pid: int) -> list[int]:
    """The processes of the worker's pool, and the worker itself."""
    lists = [each.read_text("ascii") for each in Path(f"/proc/{pid}/task").glob("*/children")]
    return [pid, *(int(each) for each in " ".join(lists).split())]
