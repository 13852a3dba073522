"""The whole journey by its one command: every step shown, the same seed with the same numbers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

_STEPS = 9
_LONGEST = 3600  # a busy machine; eight minutes on an idle one


def rehearsed(home: Path, seed: int) -> dict[str, object]:
    command = [sys.executable, "-m", "swarm.cli", "rehearse", "--json"]
    done = subprocess.run(
        [*command, "--seed", str(seed), "--orders", "1000", "--home", str(home)],
        env={**os.environ, "ZAPIER_HOOK_URL": "http://127.0.0.1:9/never"},
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_the_same_seed_shows_every_step_twice_with_the_same_numbers(tmp_path: Path) -> None:
    first, second = rehearsed(tmp_path / "one", 11), rehearsed(tmp_path / "two", 11)
    assert [len(told["shown"]) for told in (first, second)] == [_STEPS, _STEPS]  # type: ignore[arg-type]
    assert first["figures"] == second["figures"]
