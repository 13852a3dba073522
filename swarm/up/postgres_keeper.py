"""``python -m swarm.up.postgres_keeper DATA URL_FILE LOGINS_FILE [MAX_CONNECTIONS]``: the server.

``pg_ctl`` detaches the server from whoever starts it. This small program stands in for it under the
supervisor: on SIGTERM (also sent by the kernel when the supervisor was killed) the server is shut
down; when the server dies it is started again. It stays small, for it mostly waits: what starts and
stops the server is ``postgres_server``.
"""

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from swarm.store.postmaster import server_of
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
    _start(arguments)
    while not stopped.wait(_LOOK_SECONDS):
        bury_orphans()
        if server_of(data) is None:
            _log.warning("the server died; starting it again")
            url_file.unlink(missing_ok=True)
            _start(arguments)
    url_file.unlink(missing_ok=True)
    stop_if_it_runs(data)


def stop_if_it_runs(data: Path) -> None:
    """Leave no server that nobody keeps."""
    if server_of(data) is not None:
        _run("stop", str(data))


def _start(arguments: Sequence[str]) -> None:
    """Start the server; ends with the exit code of what failed, which has said why."""
    if code := _run("start", *arguments):
        stop_if_it_runs(Path(arguments[0]))
        sys.exit(code)


def _run(*command: str) -> int:
    done = subprocess.run([*_SERVER, *command], check=False)  # noqa: S603 - a module of ours
    return done.returncode


if __name__ == "__main__":
    main(sys.argv[1:])
