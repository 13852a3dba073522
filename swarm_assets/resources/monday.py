"""Contacts, deals and updates on monday.com, read-only."""

import dagster as dg

from swarm.clients.protocol import Monday
from swarm_assets.resources import process


@dg.resource(description="Contacts, deals and updates on monday.com, read-only.")
def monday(_context: dg.InitResourceContext) -> Monday:
    """Return the process's one, with its connections and tokens."""
    return process.monday()
