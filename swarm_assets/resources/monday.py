"""Contacts, deals and updates on monday.com, read-only."""

import dagster as dg

from swarm.clients.protocol import Monday
from swarm_assets.resources import process


class MondayResource(dg.ConfigurableResource[Monday]):
    """Contacts, deals and updates on monday.com, read-only."""

    def create_resource(self, context: dg.InitResourceContext) -> Monday:
        """Return the process's client."""
        return process.monday()
