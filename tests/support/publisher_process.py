"""A publisher as a process of its own, which can be told at which line to die or to stop.

The points are reached by wrapping what the dispatcher is given, so that production code carries no
test hook. Run as a script by the crash drill.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from postbox import PostboxOutlook
from publishing_world import RULES
from pydantic import SecretStr

from swarm.clients.protocol import DraftHook, HookReceipt
from swarm.clients.zapier import ZapierHook
from swarm.errors import DatabaseError
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.dispatcher import Dispatcher
from swarm.publishing.dispatch.round import run_round
from swarm.publishing.dispatch.settling import settle_work_order
from swarm.publishing.ledger.claim import ClaimCandidate, SendClaim
from swarm.publishing.switch.commands import flip
from swarm.settings import PublishingSettings, ZapierSettings
from swarm.store.database import Database

BEFORE_CLAIM = "before claim"
AFTER_CLAIM = "after claim"
BEFORE_POST = "before POST"
AFTER_POST = "after POST before record"
AFTER_ACCEPT = "after accept before confirm"
DURING_FLIP = "during flip"
POINTS = (BEFORE_CLAIM, AFTER_CLAIM, BEFORE_POST, AFTER_POST, AFTER_ACCEPT, DURING_FLIP)


class Fatal:
    """Sends this very process a signal once the given point is reached."""

    def __init__(self, point: str, number: int) -> None:
        self._point, self._number = point, number

    def reached(self, point: str) -> None:
        if point == self._point:
            os.kill(os.getpid(), self._number)


class FatalHook:
    """A hook before or after whose POST the process may end."""

    def __init__(self, hook: DraftHook, fatal: Fatal) -> None:
        self._hook, self._fatal = hook, fatal

    def post(self, payload: Mapping[str, str]) -> HookReceipt:
        self._fatal.reached(BEFORE_POST)
        receipt = self._hook.post(payload)
        self._fatal.reached(AFTER_POST)
        return receipt


class FatalDispatcher(Dispatcher):
    """A dispatcher before or after whose claim the process may end."""

    def __init__(self, deps: PublishingDeps, fatal: Fatal) -> None:
        super().__init__(replace(deps, hook=FatalHook(deps.hook, fatal)))
        self._fatal = fatal

    def _claim(self, candidate: ClaimCandidate, claim_id: UUID) -> SendClaim | None:
        self._fatal.reached(BEFORE_CLAIM)
        claim = super()._claim(candidate, claim_id)
        self._fatal.reached(AFTER_CLAIM)
        return claim


def make(database_url: str, box_url: str, me: str) -> PublishingDeps:
    """Return the means of one publisher."""
    return PublishingDeps(
        database=Database(database_url, max_connections=2),
        hook=ZapierHook(ZapierSettings(hook_url=SecretStr(f"{box_url}/hooks/catch/1/secret/"))),
        outlook=PostboxOutlook(box_url),
        me=PublisherName(me),
        required_rules=RULES,
        preflight=lambda _candidate: (),
        settle=settle_work_order,
        at_home=lambda _connection: True,
        timings=PublishingSettings(send_deadline_seconds=20, settle_seconds=1800),
    )


def start(database_url: str, box_url: str, me: str, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start this file as a publisher of its own."""
    where = ("--database", database_url, "--box", box_url)
    return subprocess.Popen([sys.executable, __file__, "--me", me, *where, *arguments])


def run_rounds(deps: PublishingDeps, interval_seconds: float) -> None:
    """Do what the publications sensor does, without Dagster: a round, a pause, until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while not stop.is_set():
        with suppress(DatabaseError):
            run_round(deps, stopping=stop.is_set)
        stop.wait(interval_seconds)


def main() -> None:
    """Dispatch once (or flip once, or go on for ever), dying where told to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--box", required=True)
    parser.add_argument("--me", required=True)
    parser.add_argument("--at", default="never")
    parser.add_argument("--signal", type=int, default=signal.SIGKILL)
    parser.add_argument("--loop", action="store_true")
    parser.add_argument("--interval", type=float, help="a round this often")
    arguments = parser.parse_args()
    deps = make(arguments.database, arguments.box, arguments.me)
    fatal = Fatal(arguments.at, arguments.signal)
    if arguments.interval is not None:
        run_rounds(deps, arguments.interval)
        return
    if arguments.loop:
        while True:
            with suppress(DatabaseError):
                run_round(deps)
    if arguments.at == DURING_FLIP:
        other = PublisherName.LEGACY if deps.me is PublisherName.SWARM else PublisherName.SWARM
        with deps.database.transaction() as connection:
            flip(connection, other, actor="drill", reason="drill")
            fatal.reached(DURING_FLIP)
    FatalDispatcher(deps, fatal).once()
    fatal.reached(AFTER_ACCEPT)


if __name__ == "__main__":
    main()
