"""Today's path as the watch over it sees it: its files, and how its drafts are made."""

from dataclasses import dataclass
from datetime import datetime

import dagster as dg
from pydantic import SecretStr

from swarm.legacy.home import LegacyFiles
from swarm.legacy.standby import proof
from swarm.legacy.standby.countdown import expected, utc_day
from swarm.legacy.standby.proof import Proof
from swarm.store.database import Database
from swarm_assets.resources import process


@dataclass(frozen=True, slots=True)
class Legacy:
    """Today's path on this installation's home. Holds no hook: it can prove, not post."""

    database: Database
    files: LegacyFiles
    key_secret: SecretStr
    signature: str

    def proof_due(self, now: datetime) -> bool:
        """Whether it must be proven today that it could take over, and was not yet."""
        with self.database.transaction() as connection:
            return expected(connection) and not proof.proven(connection, utc_day(now))

    def prove(self, now: datetime) -> Proof:
        """Take and store the proof; raises ``DatabaseUnavailableError``."""
        secret = self.key_secret.get_secret_value()
        return proof.prove(
            self.database, self.files, secret=secret, signature=self.signature, now=now
        )


@dg.resource(description="Today's path: its heartbeats, and the proof that it could take over.")
def legacy(_context: dg.InitResourceContext) -> Legacy:
    """Return today's path below SWARM_HOME."""
    core = process.settings().core
    return Legacy(
        process.database(),
        LegacyFiles(core.swarm_home),
        core.swarm_key_secret,
        core.reply_signature,
    )
