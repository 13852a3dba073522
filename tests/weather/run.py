"""One weather from the first mail to the last audit; what is broken goes into the report."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import httpx
import psycopg

from weather import invariants
from weather.customers import Customers
from weather.faults import office
from weather.kinds import World
from weather.report import Report
from weather.schedule import Stroke
from weather.storm import Storm

_STILL_SECONDS = 420.0  # how fast all ends is the machine's; that something ends is ours
_UNASKED_IN_A_ROW = 5
_STATES = "SELECT state, count(*)::int AS n FROM work_orders GROUP BY 1 ORDER BY 1"


def say(words: str) -> None:
    """One line of progress."""
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


def blow(world: World, strokes: Sequence[Stroke], report: Report, *, every: float) -> None:
    """Let mail come and faults strike, then everything end, and ask whether all held."""
    customers = Customers(world.house, report.seed, every)
    storm = Storm(world, strokes)
    try:
        customers.start()
        _storm(world, storm, customers, report)
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


def _storm(world: World, storm: Storm, customers: Customers, report: Report) -> None:
    over = threading.Event()
    blowing = threading.Thread(target=storm.blow, args=(over,), daemon=True)
    blowing.start()
    _watch(world, storm, customers, report)
    say("the weather is over: every fault ends, the mail stops")
    over.set()
    blowing.join()
    storm.abate()


def _watch(world: World, storm: Storm, customers: Customers, report: Report) -> None:
    """A line and all that can be asked, each minute; stops at the first breach."""
    unasked, began, seconds = 0, time.monotonic(), report.minutes * 60
    for minute in range(1, int(seconds // 60) + 2):
        pause = min(began + minute * 60, began + seconds) - time.monotonic()
        if pause <= 0:
            return
        time.sleep(pause)
        broken: list[str] = []
        try:
            broken += invariants.running(world.house, world.excuses)
            report.asked, unasked = report.asked + 1, 0
        except (psycopg.Error, httpx.HTTPError) as error:
            report.unasked, unasked = report.unasked + 1, unasked + 1
            say(f"minute {minute}: nobody could answer ({type(error).__name__})")
        if unasked >= _UNASKED_IN_A_ROW:
            broken.append("nobody could answer for five minutes")
        _tell(minute, world, storm, customers, len(broken))
        if broken:
            report.breaches += [f"minute {minute}: {each}" for each in broken]
            return


def _tell(minute: int, world: World, storm: Storm, customers: Customers, broken: int) -> None:
    try:
        states = ", ".join(f"{row['state']} {row['n']}" for row in world.house.rows(_STATES))
    except psycopg.Error:
        states = "no answer"
    done = [each.stroke.kind.name for each in storm.struck if each.ended]
    say(
        f"minute {minute}: {len(customers.written)} mails; {states};"
        f" {len(done)} faults of {len({*done})} kinds,"
        f" lasting: {', '.join(storm.lasting()) or 'none'}; {broken} breaches"
    )


def _conclude(world: World, customers: Customers, report: Report) -> None:
    """Quiescence, then everything that must hold at the end."""
    house, written = world.house, set(customers.written)
    office.back(house)  # a switch that was cut short may have left nobody there
    if still := _comes_to_rest(world, written):
        report.breaches.append(f"nothing ended any more for {_STILL_SECONDS:.0f} s: {still}")
    report.breaches += [f"never read: {each}" for each in invariants.unread(house, written)]
    report.breaches += list(invariants.running(house, world.excuses))
    report.breaches += [f"audit: {each}" for each in _audited(world, report)]


def _comes_to_rest(world: World, written: set[str]) -> str:
    """Wait until all has ended; returns what is still open when nothing has moved for long."""
    house, before, since = world.house, "", time.monotonic()
    while True:
        now = invariants.open_now(house)
        with suppress(psycopg.Error):
            now = now or ", ".join(sorted(invariants.unread(house, written)))
        if not now:
            return ""
        if now != before:
            before, since = now, time.monotonic()
        if time.monotonic() > since + _STILL_SECONDS:
            return now
        time.sleep(2)


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
