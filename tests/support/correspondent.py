"""A whole `swarm up` for a test of faults, and somebody who writes to it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from installation import Running, running_up

from swarm.sandbox.remote import SandboxControl
from swarm.up.programs import any_free_port


@contextmanager
def installation() -> Iterator[tuple[Running, SandboxControl]]:
    """A `swarm up` as a user starts it, and the hands of whoever plays the customers."""
    folder = Path(tempfile.mkdtemp(prefix="swarm-slots-"))
    home, port = folder / "home", any_free_port()
    try:
        with running_up(home, folder / "up.log", "--no-samples", "--port", str(port)) as up:
            at = (home / "sandbox" / "port").read_text("ascii").strip()
            with closing(SandboxControl(f"http://127.0.0.1:{at}")) as control:
                yield Running(home, port, {"up": up.pid}), control
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_to_us(control: SandboxControl, numbers: range) -> None:
    """Let customers ask where their orders are, one mail a number."""
    for number in numbers:
        control.seed_mail(
            f"customer{number}@example.org",
            subject=f"Order {10_000 + number}",
            body_text=f"Hello,\n\nwhat is the status of my order {10_000 + number}?\n",
        )
