"""``python -m swarm.up.postgres_keeper DATA URL_FILE LOGINS_FILE [MAX_CONNECTIONS]``: the server.

``pg_ctl`` detaches the server from whoever starts it. This small program stands in for it under the
supervisor: on SIGTERM (also sent by the kernel when the supervisor was killed) the server is shut
down; when the server dies it is started again. It stays small, for it mostly waits: what starts and
stops the server is ``postgres_server``.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from swarm.up.kinship import adopt_orphans, bury_orphans

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.25
_SERVER = (sys.executable, "-m", "swarm.up.postgres_server")


def main(arguments: Sequence[str]) -> None:
    """Run until SIGTERM or SIGINT. ``URL_FILE`` appears when the server answers."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    data, url_file = (Path(each) for each in arguments[:2])
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    # The detached server's parent: in a container without an init a killed one would stay a zombie,
    # which Postgres takes for a server that still runs and refuses to replace.
    adopt_orphans()
    _run("start", *arguments)
    while not stopped.wait(_LOOK_SECONDS):
        bury_orphans()
        if not _alive(data):
            _log.warning("the server died; starting it again")
            url_file.unlink(missing_ok=True)
            _run("start", *arguments)
    url_file.unlink(missing_ok=True)
    if _alive(data):
        _run("stop", str(data))


def _run(*command: str) -> None:
    """Wait for ``postgres_server``; ends with its exit code when it fails, having said why."""
    done = subprocess.run([*_SERVER, *command], check=False)  # noqa: S603 - a module of ours
    if done.returncode:
        sys.exit(done.returncode)


def _alive(data: Path) -> bool:
    try:
        os.kill(int((data / "postmaster.pid").read_text("ascii").splitlines()[0]), 0)
    except PermissionError:  # it runs as a user of its own
        return True
    except (OSError, ValueError, IndexError):
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
