"""The new system at work beside today's path, as a process that a test may kill at any line.

It reads the same stream, opens and fails its own runs, stores its own payloads for the very work
orders legacy publishes, and does rounds over the ledger. Run as a script.
"""

import sys
import uuid
from pathlib import Path
from types import SimpleNamespace

from publisher_process import make
from publishing_world import World

from swarm.errors import FencedOutError
from swarm.intake.stream.tick import ingest
from swarm.publishing.dispatch.round import run_round
from swarm.settings import QueueSettings
from swarm.store.postgres_queue import PostgresQueue


def main(database_url: str, box_url: str, stream: Path, secret: str) -> None:
    """Work until killed."""
    deps = make(database_url, box_url, "swarm")
    queue = PostgresQueue(deps.database, QueueSettings(backoff_base_seconds=0.01))
    box = SimpleNamespace(url=box_url, hook_url=f"{box_url}/hooks/catch/1/secret/")
    world = World(deps.database, box)  # type: ignore[arg-type]
    while True:
        for key in ingest(deps.database, stream, secret).accepted_keys:
            world.enqueue(key)
        for asked in queue.request_due(5):
            try:
                fence = queue.open(asked.work_order_key, uuid.uuid4().hex, asked.attempt)
                queue.fail(fence, "a run of the drill", retryable=True)
            except FencedOutError:
                continue
        queue.reap()
        run_round(deps)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4])
