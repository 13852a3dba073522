"""``python -m swarm.up.postgres_server start DATA URL_FILE LOGINS_FILE [MAX_CONNECTIONS]``, or
``stop DATA``: starts the embedded server, or shuts it down, and ends.

A program of its own beside ``postgres_keeper``, which waits for as long as the server runs: what a
start needs is 20 MB that waiting does not. It alone logs in as the superuser, to see that every
login has its password (``LOGINS_FILE``); what it leaves is the URL of the owner of the tables.
"""

import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from swarm.installation.home import write_private
from swarm.installation.logins import passwords
from swarm.store import embedded

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> None:
    """Do one of the two. Being told to end leaves nothing half done: the keeper waits, and stops
    what was started. Raises whatever ``embedded`` does.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    what, data, *rest = arguments
    if what == "stop":
        embedded.stop(Path(data))
        return
    url_file, logins, *most = rest
    keeper = os.getppid()
    url = embedded.start(
        Path(data),
        max_connections=int(most[0]) if most else None,
        logins=passwords(Path(logins)),
    )
    if os.getppid() != keeper:  # it was killed: nobody would stop the server
        embedded.stop(Path(data))
        return
    write_private(Path(url_file), url)
    _log.info("the server answers")


if __name__ == "__main__":
    main(sys.argv[1:])
