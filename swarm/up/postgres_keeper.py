"""``python -m swarm.up.postgres_keeper DATA URL_FILE LOGINS_FILE [MAX_CONNECTIONS]``: the server.

``pg_ctl`` detaches the server from whoever starts it. This small program stands in for it under the
supervisor: on SIGTERM (also sent by the kernel when the supervisor was killed) the server is shut
down; when the server dies it is started again. It alone logs in as the superuser, to see that every
login has its password (``LOGINS_FILE``); what it hands on is the URL of the owner of the tables.
"""

import logging
import signal
import sys
import threading
from pathlib import Path

from swarm.installation.home import write_private
from swarm.installation.logins import passwords
from swarm.store import embedded
from swarm.up.kinship import adopt_orphans, bury_orphans
from swarm.up.processes import started_at

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.25


def main(arguments: list[str]) -> None:
    """Run until SIGTERM or SIGINT. ``URL_FILE`` appears when the server answers."""
    data, url_file, logins = (Path(each) for each in arguments[:3])
    most = int(arguments[3]) if len(arguments) > 3 else None  # noqa: PLR2004 - the fourth
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    # The detached server's parent: in a container without an init a killed one would stay a zombie,
    # which Postgres takes for a server that still runs and refuses to replace.
    adopt_orphans()
    _start(data, url_file, logins, most)
    while not stopped.wait(_LOOK_SECONDS):
        bury_orphans()
        if not _alive(data):
            _log.warning("the server died; starting it again")
            url_file.unlink(missing_ok=True)
            _start(data, url_file, logins, most)
    url_file.unlink(missing_ok=True)
    if _alive(data):
        embedded.stop(data)


def _start(data: Path, url_file: Path, logins: Path, most: int | None) -> None:
    url = embedded.start(data, max_connections=most, logins=passwords(logins))
    write_private(url_file, url)
    _log.info("the server answers")


def _alive(data: Path) -> bool:
    try:
        pid = int((data / "postmaster.pid").read_text("ascii").splitlines()[0])
    except (OSError, ValueError, IndexError):
        return False
    return started_at(pid) is not None


if __name__ == "__main__":
    main(sys.argv[1:])
