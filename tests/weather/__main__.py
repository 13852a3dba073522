"""`make soak MINUTES=30 SEED=7`: exit code 0 when all held, 1 with every breach and its seed."""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random, SystemRandom

import pytest
from small_disk import small_disk

import weather.faults  # noqa: F401 - registers the kinds
from weather.house import House
from weather.kinds import KINDS, Excuses, World
from weather.report import Report, told
from weather.run import blow, say
from weather.schedule import schedule

_SMALL = {"intake": 24, "broker": 8}  # MiB


def main() -> int:
    """Run the weather the command line asks for."""
    asked = _arguments()
    seed = asked.seed if asked.seed is not None else SystemRandom().randrange(10**6)
    thinker = asked.thinker or Random(f"{seed}:thinker").choice(("rules", "model"))
    strokes = schedule(seed, asked.minutes * 60, thinker, only=asked.only)
    again = f"make soak MINUTES={asked.minutes:g} SEED={seed}"
    say(f"seed {seed}, {thinker}: {len(strokes)} faults in {asked.minutes:g} minutes ({again})")
    if asked.show:
        for each in strokes:
            print(f"{each.at:7.1f} s  {each.kind.name}  {each.seconds:.0f} s")
        return 0
    report = Report(seed, asked.minutes, thinker)
    folder = Path(tempfile.mkdtemp(prefix="swarm-weather-"))
    house = House(folder, thinker)
    with ExitStack() as stack:
        house.prepare()
        for place, mebibytes in _SMALL.items():
            stack.enter_context(_small(house.home / place, mebibytes))
        stack.callback(house.stop)
        house.start()
        blow(World(house, Excuses()), strokes, report, every=asked.every)
        if report.breaches or asked.keep:
            _keep_small_disks(house)
    print(told(report, KINDS))
    if asked.json:
        asked.json.write_text(report.as_json(), "utf-8")
    if report.breaches:
        print(f"\nonce more: {again}")
    if report.breaches or asked.keep:
        print(f"kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if report.breaches else 0


@contextmanager
def _small(folder: Path, mebibytes: int) -> Iterator[None]:
    """A small disk where that is permitted; where not, those faults are told as not possible."""
    with ExitStack() as stack:
        try:
            stack.enter_context(small_disk(folder, mebibytes))
        except pytest.skip.Exception as reason:
            say(f"{folder.name} lies on the common disk: {reason}")
        yield


def _keep_small_disks(house: House) -> None:
    """What lies on a small disk goes with it: a copy beside it is for whoever looks into it."""
    for place in _SMALL:
        shutil.copytree(house.home / place, house.folder / f"{place}-at-the-end")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--thinker", choices=("rules", "model"), help="who thinks; else drawn")
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two mails")
    parser.add_argument("--only", default="", help="only kinds whose name contains this")
    parser.add_argument("--show", action="store_true", help="print the schedule, start nothing")
    parser.add_argument("--keep", action="store_true", help="keep the home also when all held")
    parser.add_argument("--json", type=Path, help="write the report here as well")
    return parser.parse_args()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
