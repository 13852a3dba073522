"""Who thinks behind the stages: a chat model when one is configured, the rules otherwise."""

import dagster as dg

from swarm.specialists.protocol import Specialist
from swarm_assets.resources import process


class SpecialistResource(dg.ConfigurableResource[Specialist]):
    """The specialist of this installation; its key is an environment variable, never a field."""

    def create_resource(self, context: dg.InitResourceContext) -> Specialist:
        """Return the process's specialist."""
        return process.specialist()
