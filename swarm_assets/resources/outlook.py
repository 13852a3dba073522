"""The shared mailbox over Microsoft Graph; read, and marked, never sent from."""

import dagster as dg

from swarm.clients.protocol import Outlook
from swarm_assets.resources import process


class OutlookResource(dg.ConfigurableResource[Outlook]):
    """The shared mailbox over Microsoft Graph; read, and marked, never sent from."""

    def create_resource(self, context: dg.InitResourceContext) -> Outlook:
        """Return the process's client."""
        return process.outlook()
