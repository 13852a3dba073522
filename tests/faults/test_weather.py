"""T64 in small: two minutes of the weather that `make soak` lets blow for thirty."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults

TESTS = Path(__file__).parents[1]
WEATHER = (sys.executable, "-m", "weather")
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS / 'support'}"}


def run(*options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*WEATHER, *options], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


def test_the_same_seed_gives_the_same_schedule_and_every_kind_before_any_comes_twice() -> None:
    first, again, other = (
        run("--show", "--minutes", "30", "--seed", seed).stdout.partition("\n")[2]
        for seed in ("7", "7", "8")
    )
    assert first == again != other
    kinds = [line.split()[2] for line in first.splitlines()]
    assert len({*kinds}) >= 25
    assert len({*kinds[: len({*kinds})]}) == len({*kinds})


@pytest.mark.fault("T64")
@pytest.mark.parametrize("seed", ["11"])
def test_two_minutes_of_random_faults_lose_nothing_double_nothing_and_leave_a_clean_audit(
    seed: str,
) -> None:
    done = run("--minutes", "2", "--seed", seed, "--thinker", "rules")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "nothing lost, nothing twice, audit clean" in done.stdout
