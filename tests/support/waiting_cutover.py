"""A cutover as a process of its own; a script to be killed while it waits."""

import subprocess
import sys

from swarm.cutover import certificate
from swarm.publishing.switch.commands import cutover
from swarm.store.database import Database


def start(database_url: str, wait_seconds: float) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, __file__, database_url, str(wait_seconds)])


if __name__ == "__main__":
    cutover(
        Database(sys.argv[1]),
        actor="anna",
        reason="go live",
        certificate=certificate.refusal,
        wait_seconds=float(sys.argv[2]),
    )
