"""T54: a publisher whose clock is wrong claims, reaps and looks by the database's clock."""

import signal
from pathlib import Path

import pytest
from publisher_process import AFTER_CLAIM, start
from publishing_world import World
from waiting import wait_for
from wrong_clock import WrongClock

pytestmark = [pytest.mark.faults, pytest.mark.integration]

DAY = 86_400.0
PATIENCE = 60.0


@pytest.mark.fault("T54")
@pytest.mark.parametrize("shift", [DAY, -DAY, -600.0])
def test_a_claim_is_taken_over_when_it_is_old_by_the_databases_clock_and_not_before(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shift: float
) -> None:
    held = world.ready(1)
    stop = ("--at", AFTER_CLAIM, "--signal", str(int(signal.SIGSTOP)))
    sender = start(world.database.url, world.postbox.url, "swarm", *stop)
    wait_for(lambda: world.row(held)["state"] == "SENDING", "the claim", PATIENCE)
    path = WrongClock(tmp_path / "clock", shift).environment()["PYTHONPATH"]
    monkeypatch.setenv("PYTHONPATH", path)
    wrong = start(world.database.url, world.postbox.url, "swarm", "--interval", "0.1")
    try:
        others = [world.ready(number) for number in (2, 3)]
        for key in others:  # its rounds begin with the reaper: it has looked at the claim
            wait_for(lambda key=key: world.row(key)["state"] == "CONFIRMED", key, PATIENCE)
        assert world.row(held)["state"] == "SENDING"
        assert sender.poll() is None
        world.age(held, 60)
        wait_for(lambda: world.row(held)["state"] == "UNKNOWN", "the takeover", PATIENCE)
        assert sender.wait(timeout=10) == -signal.SIGKILL
    finally:
        for process in (wrong, sender):
            process.kill()
            process.wait()
    assert [len(world.postbox.posts_of(key)) for key in (held, *others)] == [0, 1, 1]
