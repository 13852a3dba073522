"""Who thinks behind the stages: a chat model when one is configured, the rules otherwise."""

import dagster as dg

from swarm.specialists.protocol import Specialist
from swarm_assets.resources import process


@dg.resource(description="Who thinks behind the stages: the configured chat model, or the rules.")
def specialist(_context: dg.InitResourceContext) -> Specialist:
    """Return the process's one, with its connections and tokens."""
    return process.specialist()
