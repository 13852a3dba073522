"""The intake stream as the intake sensor sees it: one call, one tick, one report."""

from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from pydantic import SecretStr

from swarm.intake.stream.sorted_out import read_sorted_out
from swarm.intake.stream.tick import IngestReport, ingest
from swarm.legacy.home import IntakeFiles
from swarm.store.database import Database
from swarm_assets.resources import process


@dataclass(frozen=True, slots=True)
class IntakeStream:
    """Where the work orders come from. Several programs may read it: each line is stored once."""

    database: Database
    path: Path
    secret: SecretStr

    def ingest(self) -> IngestReport:
        """Store what is new in the stream, and what was left out of it.

        Raises ``DatabaseUnavailableError``.
        """
        secret = self.secret.get_secret_value()
        report = ingest(self.database, self.path, secret)
        read_sorted_out(self.database, IntakeFiles(self.path.parent.parent).ignored, secret)
        return report


@dg.resource(description="The intake stream, work_orders.jsonl below SWARM_HOME.")
def stream(_context: dg.InitResourceContext) -> IntakeStream:
    """Return the stream on the process's pool."""
    core = process.settings().core
    path = core.swarm_home / "intake" / "work_orders.jsonl"
    return IntakeStream(process.database(), path, core.swarm_key_secret)
