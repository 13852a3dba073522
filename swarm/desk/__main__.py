"""``python -m swarm.desk --port N``: serves the desk on 127.0.0.1 until it is told to stop."""

import argparse
from contextlib import closing

import uvicorn

from swarm.desk.app import desk
from swarm.settings import load_settings
from swarm.store.database import Database


def main() -> None:
    """Parse the arguments and serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m swarm.desk", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    given = parser.parse_args()
    settings = load_settings()
    with closing(Database(settings.core.database_url.get_secret_value())) as database:
        config = uvicorn.Config(
            desk(database), host="127.0.0.1", port=given.port, log_level="critical",
            access_log=False, ws="none", timeout_graceful_shutdown=1,
        )  # fmt: skip
        uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
