"""``python -m swarm.sandbox --state DIR --port N``: all doubles on one port of 127.0.0.1."""

import argparse
from pathlib import Path

from swarm.sandbox.server import serve


def main() -> None:
    """Parse the arguments and serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m swarm.sandbox", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="directory of the state")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument(
        "--settle", type=float, default=0.2, help="seconds until a Zap has written its draft"
    )
    parser.add_argument(
        "--no-samples", action="store_true", help="start without the sample customer base"
    )
    given = parser.parse_args()
    serve(given.state, given.port, settle_seconds=given.settle, samples=not given.no_samples)


if __name__ == "__main__":
    main()
