"""So many hold a slot at once and no more, whichever process they live in."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from swarm.host_slots import HostSlots, NoSlotError

HOLDS = """
import sys
from pathlib import Path
from swarm.host_slots import HostSlots

with HostSlots(Path(sys.argv[1]), "kind", 1).held(1):
    print("held", flush=True)
    input()
"""


def test_no_more_than_there_are_hold_one(tmp_path: Path) -> None:
    slots = HostSlots(tmp_path, "kind", 2)
    with slots.held(1), slots.held(1), pytest.raises(NoSlotError), slots.held(0.05):
        pass


def test_another_process_counts(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    with other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"held"
        slots = HostSlots(tmp_path, "kind", 1)
        with pytest.raises(NoSlotError), slots.held(0.05):
            pass
        other.kill()
        other.wait()
        with slots.held(1):
            pass


def test_whoever_waits_gets_the_slot_that_is_given_back(tmp_path: Path) -> None:
    slots, got = HostSlots(tmp_path, "kind", 1), threading.Event()

    def wait() -> None:
        with slots.held(5):
            got.set()

    with slots.held(1):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.wait(0.1)
    assert got.wait(5)
    waiting.join()


def test_its_files_are_the_users_alone(tmp_path: Path) -> None:
    with HostSlots(tmp_path / "run" / "turns", "kind", 1).held(1):
        (made,) = (tmp_path / "run" / "turns").iterdir()
    assert made.stat().st_mode & 0o077 == 0
    assert os.access(made, os.W_OK)
