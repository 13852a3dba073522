"""Replaying and comparing many work orders: how an installation does it, and what came of it.

The environment of a process that does it is made from an allow-list: no hook, no Graph and no
monday unless they are to be read, no key of a model unless it may be paid; the database as the role
that replays. What lives elsewhere: the processes at work (``crowd``), their program (``__main__``).
"""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from swarm.models import Noun
from swarm.settings import Settings, Thinker
from swarm.shadow.models import Decision, Replayed
from swarm.shadow.replay.crowd import Crowd, Orders
from swarm.shadow.replay.results import missing, store
from swarm.shadow.replay.task import ReplayTask
from swarm.stages.house import HouseSettings
from swarm.store.database import Database

PROGRAM: Final = "swarm.shadow.replay"
MOST_SECONDS: Final = 780.0
"""A run of many ends by itself before Dagster's 900 s end it; the rest is launched again."""

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

    house: HouseSettings
    engine: str
    url: str
    environment: Mapping[str, str]
    processes: int = 2
    budget: float = 0.0
    ask_sources: bool = False
    item_seconds: float = 60.0
    keep: bool = False  # processes for the next call; they end by themselves after a while
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
            crowd = self._crowd(self.task(number=2 if number == 2 else 1))  # noqa: PLR2004
            crowd.work(wanted, seconds)
            failed = [self._failed(key, how) for key, how in crowd.poisonous.items()]
            store(database, failed, number=number)
        finally:
            database.close()
        return self._report(keys, wanted, crowd, started)

    def compare(self, keys: Sequence[str]) -> Report:
        """Compare what was replayed; one that cannot be compared stays without a comparison.

        Raises as ``replay`` does.
        """
        started = time.monotonic()
        crowd = self._crowd(self.task(what="compare"))
        crowd.work(keys, MOST_SECONDS)
        return self._report(keys, keys, crowd, started)

    def task(
        self, *, what: Literal["replay", "compare"] = "replay", number: Literal[1, 2] = 1
    ) -> ReplayTask:
        """Return what a process is told."""
        return ReplayTask(
            parent=os.getpid(),
            house=self.house,
            engine=self.engine,
            what=what,
            number=number,
            budget=self.budget / self.processes,
            ask_sources=self.ask_sources,
        )

    def _crowd(self, task: ReplayTask) -> Crowd:
        orders = Orders(
            program=self.program,
            environment=self.environment,
            task=task,
            processes=self.processes,
            item_seconds=self.item_seconds,
            keep=self.keep,
        )
        return Crowd(orders)

    def _failed(self, key: str, how: str) -> Replayed:
        return Replayed(
            work_order_key=key,
            engine=self.engine,
            decision=Decision.FAILED,
            detail=f"the process that replayed it hung or died twice ({how})",
            input_sha256="",
        )

    def _report(
        self, keys: Sequence[str], wanted: Sequence[str], crowd: Crowd, started: float
    ) -> Report:
        return Report(
            done=len(wanted) - len(crowd.left),
            known=len(keys) - len(wanted),
            left=len(crowd.left),
            poisonous=tuple(crowd.poisonous),
            seconds=time.monotonic() - started,
            paid=crowd.paid,
        )


def replaying(settings: Settings, house: HouseSettings, engine: str) -> Replaying:
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
