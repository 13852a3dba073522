"""The publication ledger as assets and jobs see it: hand over one draft, or do one round.

Whoever holds these objects holds the hook, and with it the right to publish; the ledger decides
whether that right is ours at the moment (``swarm.publishing``).
"""

from typing import Protocol

import dagster as dg

from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.handover import LedgerPublisher
from swarm.publishing.dispatch.round import RoundReport, run_round
from swarm.publishing.dispatch.wiring import swarm_publisher
from swarm.store.protocol import Publisher
from swarm_assets.resources import process


class Publishing(Protocol):
    """What the publications job asks for."""

    def run_round(self) -> RoundReport:
        """Do one round; raises ``DatabaseUnavailableError``."""
        ...


class LedgerRounds:
    """``Publishing`` on the publication ledger."""

    def __init__(self, deps: PublishingDeps) -> None:
        self._deps = deps

    def run_round(self) -> RoundReport:
        """Do one round."""
        return run_round(self._deps)


@dg.resource(
    required_resource_keys={"database", "store", "zapier", "outlook"},
    description="The means of the publisher `swarm`.",
)
def publishing_deps(context: dg.InitResourceContext) -> PublishingDeps:
    """Bundle what the run was given, as every program of ours does."""
    given = context.resources
    return swarm_publisher(
        process.settings(), given.database, given.store, given.zapier, given.outlook
    )


@dg.resource(required_resource_keys={"publishing_deps"}, description="Rounds over the ledger.")
def publishing(context: dg.InitResourceContext) -> Publishing:
    """Return the rounds."""
    return LedgerRounds(context.resources.publishing_deps)


@dg.resource(
    required_resource_keys={"publishing_deps", "store"},
    description="The ledger as the stage `publish` sees it.",
)
def publisher(context: dg.InitResourceContext) -> Publisher:
    """Return who takes a passed draft over."""
    return LedgerPublisher(context.resources.publishing_deps, context.resources.store)
