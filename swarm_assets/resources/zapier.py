"""The Catch Hook that turns a payload into a draft; its URL is the secret."""

import dagster as dg

from swarm.clients.protocol import DraftHook
from swarm_assets.resources import process


@dg.resource(description="The Catch Hook that turns a payload into a draft; its URL is the secret.")
def zapier(_context: dg.InitResourceContext) -> DraftHook:
    """Return the process's one, with its connections and tokens."""
    return process.zapier()
