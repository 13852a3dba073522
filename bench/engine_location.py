"""Our definitions on the doubles of ``rig``: what the Dagster engines of ``engines.py`` load.

The stages, their job and the intake sensor are the ones that are shipped; the other jobs and
sensors are left out, so that nothing but work orders runs. The sensor's stream never has a line:
the bench puts work orders into the queue itself. ``DATABASE_URL`` names our tables.
"""

import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import dagster as dg
from rig import doubles

from swarm.intake.stream.tick import IngestReport
from swarm.settings import QueueSettings
from swarm.stages.checkpointer import borrowing_checkpointer
from swarm.store.database import Database
from swarm_assets.assets.stages import STAGES
from swarm_assets.definitions import build_definitions
from swarm_assets.jobs import work_order_job
from swarm_assets.sensors.intake import intake

warnings.simplefilter("ignore", dg.BetaWarning)


@dataclass
class NoStream:
    """An intake that has nothing new."""

    def ingest(self) -> IngestReport:
        return IngestReport()


def definitions() -> dg.Definitions:
    """The shipped ones, but for what would run beside the work orders."""
    database = Database(os.environ["DATABASE_URL"], max_connections=2)  # opened when it is used
    rig = doubles(database, borrowing_checkpointer(database))
    shipped = build_definitions(
        services=rig.services,
        queue=rig.queue,
        publisher=rig.publisher,
        leases=QueueSettings(),
        desk_url="http://127.0.0.1",
        stream=NoStream(),
    )
    return dg.Definitions(
        assets=STAGES,
        jobs=[work_order_job],
        sensors=[intake],
        resources=shipped.resources,
        executor=shipped.executor,
    )


defs = definitions()
