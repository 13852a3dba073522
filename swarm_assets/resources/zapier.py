"""The Catch Hook that turns a payload into a draft; its URL is the secret."""

import dagster as dg

from swarm.clients.protocol import DraftHook
from swarm_assets.resources import process


class ZapierResource(dg.ConfigurableResource[DraftHook]):
    """The Catch Hook that turns a payload into a draft; its URL is the secret."""

    def create_resource(self, context: dg.InitResourceContext) -> DraftHook:
        """Return the process's client."""
        return process.zapier()
