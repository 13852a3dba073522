"""The machine itself: a clock that is wrong, cores that are busy."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

from wrong_clock import WrongClock

from swarm.up.programs import worker_command
from weather.kinds import Undo, World, kind

_DAY, _BACK = 86_400.0, -600.0


@kind("T54", seconds=(15, 40), group="clock")
def worker_with_a_wrong_clock(world: World, chance: Random) -> Undo:
    """One more worker of work orders, whose clock is a day off or ten minutes behind."""
    house = world.house
    folder = Path(tempfile.mkdtemp(prefix="clock-", dir=house.folder))
    clock = WrongClock(folder, chance.choice((_DAY, -_DAY, _BACK)))
    environment = house.environment_of_programs()
    environment["PYTHONPATH"] = clock.environment()["PYTHONPATH"]
    command = worker_command(folder.name, "dagster", 1)
    with (house.folder / "wrong-clock.log").open("ab") as log:
        worker = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    def end() -> None:
        worker.terminate()
        try:
            worker.wait(60)
        except subprocess.TimeoutExpired:
            worker.kill()

    return end


@kind("T24", seconds=(10, 30), group="cores")
def cores_are_busy(_world: World, _: Random) -> Undo:
    """As many programs as cores that want them for themselves."""
    hogs = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]

    def end() -> None:
        for hog in hogs:
            hog.kill()
            hog.wait()

    return end
