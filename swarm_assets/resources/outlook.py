"""The shared mailbox over Microsoft Graph: read, and marked, never sent from."""

import dagster as dg

from swarm.clients.protocol import Outlook
from swarm_assets.resources import process


@dg.resource(
    description="The shared mailbox over Microsoft Graph: read, and marked, never sent from."
)
def outlook(_context: dg.InitResourceContext) -> Outlook:
    """Return the process's one, with its connections and tokens."""
    return process.outlook()
