"""``python -m swarm.publishing``: dispatch, reap and reconcile every second until SIGTERM."""

import logging
import sys

from swarm.clients.outlook import GraphOutlook
from swarm.clients.zapier import ZapierHook
from swarm.errors import ConfigurationError
from swarm.publishing.loop import run, stop_on_signal
from swarm.publishing.wiring import swarm_publisher
from swarm.settings import load_settings
from swarm.store.database import Database


def main() -> int:
    """Run until stopped; 2 when a setting is missing or bad."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s publishing %(message)s")
    try:
        settings = load_settings()
        hook = ZapierHook(settings.zapier)
    except ConfigurationError as error:
        sys.stderr.write(f"publishing: {error}\n")
        return 2
    database = Database(settings.core.database_url.get_secret_value())
    outlook = GraphOutlook(settings.graph)
    try:
        run(swarm_publisher(settings, database, hook, outlook), stop_on_signal())
    finally:
        outlook.close()
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
