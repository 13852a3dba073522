"""Postgres crashes, ends connections and statements, holds locks, has no connection left."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

import psycopg

from swarm.store.embedded import SUPERUSER
from swarm.store.roles import Role
from weather.house import NotNow
from weather.kinds import Undo, World, kind, nothing

_OTHERS = """
SELECT {}(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND backend_type = 'client backend' AND random() < %s
"""
_SWITCH_LOCK = 7001


@kind("T15, T22", group="postgres")
def postgres_killed(world: World, _: Random) -> Undo:
    """Its postmaster is killed; the keeper starts the server again, which recovers."""
    os.kill(world.house.postmaster(), signal.SIGKILL)
    return nothing


@kind("T22, T24", group="postgres", seconds=(4, 12))
def postgres_restarted_again_and_again(world: World, chance: Random) -> Undo:
    """An immediate shutdown, as soon as it is back: every connection breaks in mid-sentence."""

    def again() -> None:
        with suppress(NotNow, OSError):
            os.kill(world.house.postmaster(), signal.SIGQUIT)

    return _repeatedly(again, chance.uniform(2, 4))


@kind("T21", seconds=(5, 20), group="backends")
def connections_ended_at_random(world: World, chance: Random) -> Undo:
    return _ending(world, chance, "pg_terminate_backend")


@kind("T21", seconds=(5, 20), group="backends")
def statements_cancelled_at_random(world: World, chance: Random) -> Undo:
    return _ending(world, chance, "pg_cancel_backend")


def _ending(world: World, chance: Random, how: str) -> Undo:
    share = chance.uniform(0.1, 0.5)

    def again() -> None:
        with suppress(psycopg.Error), world.house.database(SUPERUSER) as connection:
            connection.execute(_OTHERS.format(how).encode(), (share,))

    return _repeatedly(again, 0.5)


def _repeatedly(act: Callable[[], None], seconds: float) -> Undo:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            act()
            done.wait(seconds)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()

    def end() -> None:
        done.set()
        thread.join()

    return end


@kind("T28", seconds=(5, 16), group="locks")
def switch_lock_held(world: World, _: Random) -> Undo:
    return _holding(world, f"SELECT pg_advisory_xact_lock({_SWITCH_LOCK})")


@kind("T29", seconds=(3, 14), group="locks")
def table_locked(world: World, chance: Random) -> Undo:
    """Longer than a statement waits for a lock, at times."""
    names = ("work_orders", "swarm_jobs", "publication_ledger", "intake_offset", "alerts")
    return _holding(world, f"LOCK TABLE swarm.{chance.choice(names)} IN ACCESS EXCLUSIVE MODE")


@kind("T29", seconds=(3, 12), group="locks")
def rows_locked(world: World, _: Random) -> Undo:
    """Another transaction has every open job in hand."""
    return _holding(
        world, "SELECT 1 FROM swarm.swarm_jobs WHERE state <> 'done' FOR UPDATE SKIP LOCKED"
    )


def _holding(world: World, statement: str) -> Undo:
    try:
        holder = psycopg.connect(world.house.url(SUPERUSER), connect_timeout=5)
        holder.execute("SET lock_timeout = '20s'")
        holder.execute(statement.encode())
    except psycopg.Error as error:
        raise NotNow("Postgres is away") from error

    def let_go() -> None:
        with suppress(psycopg.Error):
            holder.rollback()
        holder.close()

    return let_go


@kind("T25", seconds=(8, 20), group="connections")
def no_connection_left(world: World, _: Random) -> Undo:
    """Somebody else takes every connection that the server still gives."""
    hogs: list[psycopg.Connection] = []
    with suppress(psycopg.Error):
        while len(hogs) < 500:  # the server's own limit comes first
            hogs.append(psycopg.connect(world.house.url(Role.READER), connect_timeout=5))
    if not hogs:
        raise NotNow("Postgres is away")

    def leave() -> None:
        for hog in hogs:
            with suppress(psycopg.Error):
                hog.close()

    return leave


@kind("T22", seconds=(5, 15), group="postgres")
def postgres_stands_still(world: World, _: Random) -> Undo:
    """SIGSTOP of the whole server: connections stay open and nothing answers."""
    postmaster = world.house.postmaster()
    pids = [postmaster, *_children(postmaster)]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)

    def go_on() -> None:
        for pid in reversed(pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        time.sleep(0.1)

    return go_on


def _children(pid: int) -> list[int]:
    with suppress(OSError), open(f"/proc/{pid}/task/{pid}/children", "rb") as file:  # noqa: PTH123
        return [int(each) for each in file.read().split()]
    return []
