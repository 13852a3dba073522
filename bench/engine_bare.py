"""An engine of ``engines.py``: one process, a SKIP LOCKED queue, the chain as a plain function.

What any engine adds is added to this. ``DATABASE_URL`` names our tables; says *ready* once.
"""

import os
import time
import uuid

from rig import doubles

from swarm.stages.checkpointer import borrowing_checkpointer
from swarm.stages.pipeline import run_chain
from swarm.store.database import Database

LOOK_EVERY = 0.1


def main() -> None:
    database = Database(os.environ["DATABASE_URL"], max_connections=2)
    rig = doubles(database, borrowing_checkpointer(database))
    print("ready", flush=True)
    while True:
        if (claimed := rig.claim()) is None:
            time.sleep(LOOK_EVERY)
            continue
        key, attempt = claimed
        fence = rig.queue.open(key, str(uuid.uuid4()), attempt)
        run_chain(rig.services.store.work_order(key), rig.services, fence, rig.publisher)


if __name__ == "__main__":
    main()
