"""`make soak MINUTES=30 SEED=7`: exit code 0 when all held, 1 with every breach and its seed."""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random, SystemRandom

import httpx
import psycopg
import pytest
from small_disk import small_disk

import weather.faults  # noqa: F401 - registers the kinds
from weather import invariants
from weather.customers import Customers
from weather.faults import office
from weather.house import House, wait_until
from weather.kinds import KINDS, Excuses, World
from weather.report import Report, told
from weather.schedule import schedule
from weather.storm import Storm

_SMALL = {"intake": 24, "broker": 8}  # MiB
_CALM_SECONDS = 900.0
_UNASKED_IN_A_ROW = 5


def main() -> int:
    """Run the weather the command line asks for."""
    asked = _arguments()
    seed = asked.seed if asked.seed is not None else SystemRandom().randrange(10**6)
    thinker = asked.thinker or Random(f"{seed}:thinker").choice(("rules", "model"))
    report = Report(seed, asked.minutes, thinker)
    strokes = schedule(seed, asked.minutes * 60, thinker, only=asked.only)
    again = f"make soak MINUTES={asked.minutes:g} SEED={seed}"
    _say(f"seed {seed}, {thinker}: {len(strokes)} faults in {asked.minutes:g} minutes ({again})")
    if asked.show:
        for each in strokes:
            print(f"{each.at:7.1f} s  {each.kind.name}  {each.seconds:.0f} s")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="swarm-weather-"))
    house = House(folder, thinker)
    with ExitStack() as stack:
        stack.callback(_forget, folder, asked.keep, report)
        house.prepare()
        for place, mebibytes in _SMALL.items():
            stack.enter_context(_small(house.home / place, mebibytes))
        stack.callback(house.stop)
        house.start()
        _blow(World(house, Excuses()), strokes, report, asked)
    print(told(report, KINDS))
    if asked.json:
        asked.json.write_text(report.as_json(), "utf-8")
    if report.breaches:
        print(f"\nonce more: {again}   (kept: {folder})")
    return 1 if report.breaches else 0


def _blow(world: World, strokes: list, report: Report, asked: argparse.Namespace) -> None:
    customers = Customers(world.house, report.seed, asked.every)
    customers.start()
    storm, over = Storm(world, strokes), threading.Event()
    blowing = threading.Thread(target=storm.blow, args=(over,), daemon=True)
    began = time.monotonic()
    blowing.start()
    try:
        _watch(world, storm, customers, report, began, asked.minutes * 60)
        _say("the weather is over: every fault ends, the mail stops")
        over.set()
        blowing.join()
        storm.abate()
        ended = time.monotonic()
        customers.stop()
        _conclude(world, customers, report)
        report.calm_seconds = time.monotonic() - ended
    except Exception as error:  # noqa: BLE001 - told with the seed, like any other breach
        report.breaches.append(f"the weather itself broke: {type(error).__name__}: {error}")
    report.mails = len(customers.written)
    report.count(storm.struck)
    try:
        report.read(world.house, storm.struck)
    except psycopg.Error as error:
        report.breaches.append(f"the tables cannot be read at the end: {error}")


def _watch(
    world: World, storm: Storm, customers: Customers, report: Report, began: float, seconds: float
) -> None:
    """A line and all that can be asked, each minute; stops at the first breach."""
    unasked = 0
    for minute in range(1, int(seconds // 60) + 2):
        pause = min(began + minute * 60, began + seconds) - time.monotonic()
        if pause <= 0:
            return
        time.sleep(pause)
        try:
            broken = list(invariants.running(world.house, world.excuses))
            report.asked += 1
            unasked = 0
        except (psycopg.Error, httpx.HTTPError) as error:
            broken, report.unasked, unasked = [], report.unasked + 1, unasked + 1
            _say(f"minute {minute}: nobody could answer ({type(error).__name__})")
        if unasked >= _UNASKED_IN_A_ROW:
            broken.append("nobody could answer for five minutes")
        _tell(minute, world, storm, customers, broken)
        if broken:
            report.breaches += [f"minute {minute}: {each}" for each in broken]
            return


def _tell(minute: int, world: World, storm: Storm, customers: Customers, broken: list[str]) -> None:
    try:
        states = {
            row["state"]: row["n"]
            for row in world.house.rows(
                "SELECT state, count(*)::int AS n FROM work_orders GROUP BY 1 ORDER BY 1"
            )
        }
    except psycopg.Error:
        states = {}
    said = ", ".join(f"{name} {n}" for name, n in states.items())
    done = [each for each in storm.struck if each.ended]
    kinds = len({each.stroke.kind.name for each in done})
    lasting = ", ".join(storm.lasting()) or "none"
    _say(
        f"minute {minute}: {len(customers.written)} mails; {said or 'no answer'};"
        f" {len(done)} faults of {kinds} kinds, lasting: {lasting};"
        f" {len(broken)} breaches"
    )


def _conclude(world: World, customers: Customers, report: Report) -> None:
    """Quiescence, then everything that must hold at the end."""
    house, written = world.house, set(customers.written)
    office.back(house)  # a switch that was cut short may have left nobody there
    calm = wait_until(
        lambda: not invariants.open_now(house) and not invariants.unread(house, written),
        _CALM_SECONDS,
        step=2,
    )
    if not calm:
        still = invariants.open_now(house) or "mails are unread"
        report.breaches.append(f"no end within {_CALM_SECONDS:.0f} s: {still}")
    report.breaches += [f"never read: {each}" for each in invariants.unread(house, written)]
    report.breaches += list(invariants.running(house, world.excuses))
    for each in _audited(world, report):
        report.breaches.append(f"audit: {each}")


def _audited(world: World, report: Report) -> Iterator[str]:
    """Breaches of a full audit that no fault was meant to leave."""
    done = world.house.swarm("audit", "--full", "--json")
    if done.returncode not in (0, 1):
        yield f"could not be taken: {done.stderr.strip()}"
        return
    for found in json.loads(done.stdout)["breaches"]:
        said = f"{found['check']}  {found['subject']}  {found['detail']}"
        because = world.excuses.because(found["check"], found["subject"])
        if because:
            report.excused.append(f"{said}: {because}")
        else:
            yield said


@contextmanager
def _small(folder: Path, mebibytes: int) -> Iterator[None]:
    """A small disk where that is permitted; where not, those faults are told as not possible."""
    with ExitStack() as stack:
        try:
            stack.enter_context(small_disk(folder, mebibytes))
        except pytest.skip.Exception as reason:
            _say(f"{folder.name} lies on the common disk: {reason}")
        yield


def _forget(folder: Path, keep: bool, report: Report) -> None:
    if not keep and not report.breaches:
        shutil.rmtree(folder, ignore_errors=True)


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


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
