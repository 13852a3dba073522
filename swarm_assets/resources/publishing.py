"""The publication ledger as assets and jobs see it: hand over one draft, or do one round.

Whoever holds these objects holds the hook, and with it the right to publish; the ledger decides
whether that right is ours at the moment (``swarm.publishing``).
"""

from typing import Protocol

import dagster as dg

from swarm.publishing.tick import TickReport, tick
from swarm.store.protocol import Publisher
from swarm_assets.resources import process


class Publishing(Protocol):
    """What the publications job asks for."""

    def tick(self) -> TickReport:
        """Do one round; raises ``DatabaseUnavailableError``."""
        ...


class LedgerRounds:
    """``Publishing`` on this process's means."""

    def tick(self) -> TickReport:
        """Do one round."""
        return tick(process.publishing_deps())


class PublishingResource(dg.ConfigurableResource[Publishing]):
    """Rounds over the ledger."""

    def create_resource(self, context: dg.InitResourceContext) -> Publishing:
        """Return the rounds."""
        return LedgerRounds()


class PublisherResource(dg.ConfigurableResource[Publisher]):
    """The ledger as the stage ``publish`` sees it."""

    def create_resource(self, context: dg.InitResourceContext) -> Publisher:
        """Return the process's publisher."""
        return process.publisher()
