"""Replaying many work orders: processes that cannot publish, and nobody's poison.

The environment of such a process is made from an allow-list: no hook, no Graph and no monday unless
they are to be read, no key of a model unless it may be paid; the database as the role that replays.
A process that dies or hangs names the work order it had begun. That one is tried once more, after
all the others; when it kills again it is recorded as failed, and the rest is done.
"""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Final

from pydantic import ValidationError

from swarm.errors import DatabaseUnavailableError, RefusedError
from swarm.models import Noun
from swarm.settings import Settings, Thinker
from swarm.shadow.models import Decision, Replayed
from swarm.shadow.replay.results import missing, store
from swarm.shadow.replay.task import DATABASE_AWAY, OTHER_ENGINE, Said, Task
from swarm.stages.house import House
from swarm.store.database import Database

PROGRAM: Final = "swarm.shadow.replay"
_START_SECONDS: Final = 120.0  # models are loaded, on a machine that has much else to do
MOST_SECONDS: Final = 780.0
"""A run of many ends by itself before Dagster's limit of 900 s ends it; the rest is launched again."""

_MOST_STARTS: Final = 3  # of a process that dies before it has begun anything
_LONGEST_LINE: Final = 1 << 16
_MACHINE: Final = (
    "PATH",
    "HOME",
    "TMPDIR",
    "LC_ALL",
    "LANG",
    "TZ",
    "LD_LIBRARY_PATH",
    "SWARM_HOME",
)
_OUTSIDE: Final = (
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NO_PROXY", "no_proxy", "HTTP_PROXY",
    "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy",
)  # fmt: skip
_LIBPQ: Final = ("PGPASSWORD", "PGPASSFILE", "PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY")


class Report(Noun):
    """What came of it. ``left`` were not reached in time; ``known`` had been judged before."""

    done: int
    known: int
    left: int
    poisonous: tuple[str, ...] = ()
    seconds: float
    paid: float = 0.0

    @property
    def per_second(self) -> float:
        """Work orders a second."""
        return self.done / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Replaying:
    """How an installation replays. ``url`` is the database as the role that cannot publish."""

    house: House
    engine: str
    url: str
    environment: Mapping[str, str]
    processes: int = 2
    budget: float = 0.0
    ask_sources: bool = False
    item_seconds: float = 60.0
    # Our own interpreter and module; -I: nothing of the environment or folder gets in.
    program: tuple[str, ...] = (sys.executable, "-I", "-m", PROGRAM)

    def replay(
        self, keys: Sequence[str], *, number: int = 1, seconds: float = MOST_SECONDS
    ) -> Report:
        """Replay what this engine has not judged yet, as far as ``seconds`` go.

        Raises ``RefusedError`` when the code on the disk is not the engine that asks, or the
        program cannot start; ``DatabaseUnavailableError``.
        """
        started = time.monotonic()
        database = Database(self.url, max_connections=1)
        try:
            wanted = missing(database, keys, self.engine, number=number)
            crowd = _Crowd(self, database, number, seconds)
            crowd.work(wanted)
            return Report(
                done=len(wanted) - len(crowd.left),
                known=len(keys) - len(wanted),
                left=len(crowd.left),
                poisonous=tuple(crowd.poisonous),
                seconds=time.monotonic() - started,
                paid=crowd.paid,
            )
        finally:
            database.close()

    def task(self, number: int) -> Task:
        """Return what a process is told."""
        return Task(
            parent=os.getpid(),
            house=self.house,
            engine=self.engine,
            number=2 if number == 2 else 1,  # noqa: PLR2004
            budget=self.budget / self.processes,
            ask_sources=self.ask_sources,
        )


def replaying(settings: Settings, house: House, engine: str) -> Replaying:
    """Return how the installation of these settings replays."""
    core, shadow = settings.core, settings.shadow
    url = (core.replay_database_url or core.database_url).get_secret_value()
    return Replaying(
        house=house,
        engine=engine,
        url=url,
        environment=environment(settings, os.environ, url),
        processes=shadow.processes,
        budget=shadow.model_budget if settings.model.thinker is Thinker.LLM else 0.0,
        ask_sources=shadow.ask_sources,
        item_seconds=shadow.item_seconds,
    )


def environment(settings: Settings, ours: Mapping[str, str], url: str) -> dict[str, str]:
    """Return the whole environment of a process that replays."""
    shadow = settings.shadow
    names = [*_MACHINE, *_LIBPQ, *(n for n in ours if n.startswith("MODEL_"))]
    if shadow.ask_sources:
        names += [name for name in ours if name.startswith(("GRAPH_", "MONDAY_"))]
    if shadow.ask_sources or shadow.model_budget:
        names += _OUTSIDE
    if not shadow.model_budget:
        names = [name for name in names if name != "MODEL_API_KEY"]
    return {**{name: ours[name] for name in names if name in ours}, "DATABASE_URL": url}


@dataclass
class _Child:
    """A process at work, and what is known of it."""

    process: "subprocess.Popen[bytes]"
    keys: list[str]
    heard: float
    begun: str = ""
    started: bool = False
    rest: bytes = b""
    stored: set[str] = field(default_factory=set)

    @property
    def out(self) -> IO[bytes]:
        assert self.process.stdout is not None  # noqa: S101 - asked for when it was started
        return self.process.stdout


class _Crowd:
    """The processes of one call, driven by one thread: the kernel ends them with it."""

    def __init__(self, how: Replaying, database: Database, number: int, seconds: float) -> None:
        self.poisonous: list[str] = []
        self.left: list[str] = []
        self.paid = 0.0
        self._how, self._database, self._number = how, database, number
        self._seconds = seconds
        self._suspects = Counter[str]()
        self._false_starts = 0
        self._shares: deque[list[str]] = deque()
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()

    def work(self, keys: Sequence[str]) -> None:
        """Do all of it, as far as the time goes."""
        self._shares.extend(_shared(keys, self._how.processes))
        end = time.monotonic() + self._seconds
        try:
            while (self._shares or self._children) and time.monotonic() < end:
                while self._shares and len(self._children) < self._how.processes:
                    self._start(self._shares.popleft())
                self._listen()
                self._end_what_hangs()
        finally:
            self._end_all()

    def _start(self, keys: list[str]) -> None:
        with tempfile.TemporaryFile() as told:
            lines = [self._how.task(self._number).model_dump_json(), *keys]
            told.write("\n".join(lines).encode() + b"\n")
            told.seek(0)
            process = subprocess.Popen(  # noqa: S603
                self._how.program,
                stdin=told,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a traceback may quote mail
                env=dict(self._how.environment),
                start_new_session=True,
            )
        child = _Child(process, keys, time.monotonic())
        os.set_blocking(child.out.fileno(), False)
        self._children.append(child)
        self._selector.register(child.out, selectors.EVENT_READ, child)

    def _listen(self) -> None:
        for ready, _ in self._selector.select(timeout=1.0):
            child: _Child = ready.data
            block = child.out.read(1 << 16)
            if block == b"":
                self._ended(child)
            elif block is not None:
                self._hear(child, block)

    def _hear(self, child: _Child, block: bytes) -> None:
        child.heard = time.monotonic()
        *lines, rest = (child.rest + block).split(b"\n")
        child.rest = rest[-_LONGEST_LINE:]
        for line in lines:
            try:
                said = Said.model_validate_json(line)
            except ValidationError:
                continue  # a library's print
            if said.other_engine:
                raise RefusedError(
                    "the code on the disk is another engine than the one that runs",
                    hint="restart `swarm up`, then launch the backfill again",
                )
            child.begun = said.begin or child.begun
            child.started = True
            if said.stored:
                child.stored.update(said.stored)
                child.begun = ""
                self.paid += said.paid

    def _end_what_hangs(self) -> None:
        now = time.monotonic()
        for child in self._children:
            patience = self._how.item_seconds if child.started else _START_SECONDS
            if now - child.heard > patience:
                _kill(child)  # its pipe then ends, like that of one that died by itself

    def _ended(self, child: _Child) -> None:
        self._selector.unregister(child.out)
        self._children.remove(child)
        child.out.close()
        code = child.process.wait()
        remaining = [key for key in child.keys if key not in child.stored]
        if code == OTHER_ENGINE:
            raise RefusedError("the code on the disk is another engine than the one that runs")
        if code == DATABASE_AWAY:
            raise DatabaseUnavailableError("a replaying process found the database away")
        if code == 0 or not remaining:
            return
        self._blame(child, remaining, code)

    def _blame(self, child: _Child, remaining: list[str], code: int) -> None:
        """Find who killed it; the others go on, the suspect comes last and alone."""
        suspect = child.begun
        if not suspect:
            self._false_starts += 1
            if self._false_starts >= _MOST_STARTS:
                raise RefusedError(f"the replaying program does not start (exit code {code})")
            self._shares.append(remaining)
            return
        self._suspects[suspect] += 1
        innocent = [key for key in remaining if key != suspect]
        if innocent:
            self._shares.append(innocent)
        if self._suspects[suspect] > 1:
            self._record(suspect, code)
        else:
            self._shares.append([suspect])

    def _record(self, key: str, code: int) -> None:
        self.poisonous.append(key)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        failed = Replayed(
            work_order_key=key,
            engine=self._how.engine,
            decision=Decision.FAILED,
            detail=f"the process that replayed it hung or died twice ({how})",
            input_sha256="",
        )
        store(self._database, [failed], number=self._number)

    def _end_all(self) -> None:
        for child in self._children:
            _kill(child)
            child.process.wait()
            child.out.close()
            self.left += [key for key in child.keys if key not in child.stored]
        self._children.clear()
        self.left += [key for share in self._shares for key in share]
        self._selector.close()


def _kill(child: _Child) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGKILL)


def _shared(keys: Sequence[str], processes: int) -> list[list[str]]:
    return [share for n in range(processes) if (share := list(keys[n::processes]))]
