"""Who publishes changes: rolled back, stopped, appointed again with a certificate, to and fro."""

import time
from contextlib import suppress
from random import Random

import proven
import psycopg

from swarm.cutover import certificate
from swarm.stages.engine import Engine
from swarm.store.database import Database
from swarm.store.roles import Role
from weather.house import House, NotNow, wait_until
from weather.kinds import Undo, World, kind

_ENGINE = """
SELECT parts, tolerances_sha256 FROM engine_heartbeats
 WHERE role = 'workers' ORDER BY at DESC LIMIT 1
"""
_BACK_SECONDS = 240.0


@kind("T37", seconds=(10, 40), group="office")
def rolled_back_to_todays_path(world: World, _: Random) -> Undo:
    _switch(world.house, "rollback")
    return lambda: back(world.house)


@kind("T37", seconds=(5, 30), group="office")
def nobody_publishes(world: World, _: Random) -> Undo:
    _switch(world.house, "stop")
    return lambda: back(world.house)


@kind("T38", seconds=(0, 0), group="office")
def office_to_and_fro(world: World, chance: Random) -> Undo:
    """A hurried person: rollback, stop, rollback, without a pause."""
    _switch(world.house, chance.choice(("rollback", "stop")))
    with suppress(NotNow):  # the office changed hands already, so it must be put back
        for _ in range(chance.randint(1, 3)):
            _switch(world.house, chance.choice(("rollback", "stop")))
    return lambda: back(world.house)


def back(house: House) -> None:
    """Appoint the swarm again, as a person does: with a certificate, by the command."""
    if not wait_until(lambda: _in_office(house) or _cut_over(house), _BACK_SECONDS, step=3):
        raise RuntimeError(f"no cutover within {_BACK_SECONDS:.0f} s")


def _in_office(house: House) -> bool:
    return bool(house.rows("SELECT 1 FROM publisher_control WHERE active = 'swarm'"))


def _cut_over(house: House) -> bool:
    _certify(house)
    return house.swarm("publisher", "cutover", "--reason", "the weather").returncode == 0


def _switch(house: House, what: str) -> None:
    done = house.swarm("publisher", what, "--reason", "the weather")
    # One whose answer was lost may have acted all the same.
    if done.returncode and not wait_until(lambda: not _in_office(house), 5):
        raise NotNow(f"refused: {done.stderr.strip()[:120]}")
    time.sleep(0.1)


def _certify(house: House) -> None:
    """What the gates' own role writes, for the engine whose workers say that they live."""
    database = Database(house.url(Role.GATES), max_connections=1)
    try:
        with database.transaction() as connection:
            if certificate.refusal(connection) is None:
                return
            alive = connection.execute(_ENGINE).fetchone()
        if alive is None:
            raise NotNow("no worker says that it lives")
        engine = Engine.model_validate(alive["parts"])
        with suppress(psycopg.Error), database.transaction() as connection:
            look = proven.due_look(connection)
            report = proven.report(connection, engine, look, alive["tolerances_sha256"])
            certificate.issue(connection, report)
    finally:
        database.close()
