"""Forty-eight work orders in hand while a model thinks, and everything is killed in turn.

A whole installation beside a slow model: prefetcher, run worker, Dagster's daemon and Postgres are
killed in the middle of it. All mails end, each has one draft at most, the audit is clean, and no
answer that was on record is asked for again.
"""

import json
import os
import shutil
import signal
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import waiting
from chat_model_server import ChatModel, Json, Reply, serving
from correspondent import write_to_us
from installation import Running, pid_of, running_up
from worker_lane import children_of

from swarm.sandbox.remote import SandboxControl
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.faults

MAILS, THINKS = 48, 2.0
wait_for = partial(waiting.wait_for, seconds=600.0)
_FINAL = "SELECT count(*) FROM swarm.work_orders WHERE final_at IS NOT NULL"
_TAKEN = "SELECT count(*) FROM swarm.prefetches WHERE state = 'taken'"
_STATES = "SELECT DISTINCT state FROM swarm.work_orders"
_AHEAD = "SELECT count(*) FROM swarm.model_calls WHERE ahead"


class NotingModel(ChatModel):
    """Notes when each question came."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = THINKS
        self.came: defaultdict[str, list[float]] = defaultdict(list)

    def answer(self, request: Json) -> Reply:
        self.came[json.dumps(request, sort_keys=True)].append(time.time())
        return super().answer(request)


@dataclass
class House:
    """The installation, its model, and when something was killed in it."""

    running: Running
    model: NotingModel
    killed: dict[str, float] = field(default_factory=dict)

    def pid(self, name: str) -> int:
        return pid_of(self.running.home, name)

    def kill(self, name: str, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.killed[name] = time.time()


@pytest.fixture
def house() -> Iterator[House]:
    folder, port = Path(tempfile.mkdtemp(prefix="swarm-many-")), any_free_port()
    with serving(NotingModel()) as model:
        assert isinstance(model, NotingModel)
        shell = {"MODEL_NAME": "slow", "MODEL_BASE_URL": model.url}
        options = ("--no-samples", "--port", str(port))
        with running_up(folder / "home", folder / "up.log", *options, shell=shell):
            yield House(Running(folder / "home", port), model)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.fault("T10", "T14")
def test_whatever_dies_while_many_are_thought_about_each_ends_once(house: House) -> None:
    home = house.running.home
    port = (home / "sandbox" / "port").read_text("ascii").strip()
    with closing(SandboxControl(f"http://127.0.0.1:{port}")) as control:
        write_to_us(control, range(MAILS))
        wait_for(lambda: house.running.count(_TAKEN) >= MAILS / 2, "many are thought about")
        house.kill("prefetcher", house.pid("prefetcher"))
        wait_for(lambda: house.running.count(_AHEAD) > 0, "answers come in")
        time.sleep(4)
        house.kill("worker", children_of(house.pid("workers"))[0])
        time.sleep(4)
        house.kill("daemon", house.pid("dagster-daemon"))
        time.sleep(4)
        postmaster = (home / "postgres" / "postmaster.pid").read_text().splitlines()[0]
        house.kill("postgres", int(postmaster))
        wait_for(lambda: house.running.count(_FINAL) == MAILS, "every mail ends")
        posted = [str(each["payload"]["idempotency_key"]) for each in control.deliveries()]  # type: ignore[index]
    assert len(posted) == len(set(posted))
    assert house.running.count(_STATES + " WHERE state = 'dead'") == 0
    audit = house.running.swarm("audit")
    assert audit.returncode == 0, audit.stdout
    again = [times for times in house.model.came.values() if len(times) > 1]
    assert [times for times in again if not _lost(times[0], house.killed)] == []


def _lost(came: float, killed: dict[str, float]) -> bool:
    """Whether the first answer was never on record: who asked had died, or Postgres was away."""
    who_asked = any(
        came - 1 <= killed[name] <= came + THINKS + 2 for name in ("prefetcher", "worker")
    )
    no_record = killed["postgres"] - THINKS - 2 <= came <= killed["postgres"] + 30
    return who_asked or no_record
