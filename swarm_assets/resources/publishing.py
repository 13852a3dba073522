"""The publication ledger as assets and jobs see it: hand over one draft, or do one round.

Whoever holds these objects holds the hook, and with it the right to publish; the ledger decides
whether that right is ours at the moment (``swarm.publishing``).
"""

from typing import Protocol

import dagster as dg

from swarm.publishing.deps import PublishingDeps
from swarm.publishing.publisher import LedgerPublisher
from swarm.publishing.settling import settle_work_order
from swarm.publishing.states import PublisherName
from swarm.publishing.tick import TickReport, tick
from swarm.safety.ruleset import required_rules
from swarm.store.protocol import Publisher
from swarm_assets.resources import process
from swarm_assets.resources.sink import Sink


class Publishing(Protocol):
    """What the publications job asks for."""

    def tick(self) -> TickReport:
        """Do one round; raises ``DatabaseUnavailableError``."""
        ...


class LedgerRounds:
    """``Publishing`` on the publication ledger."""

    def __init__(self, deps: PublishingDeps) -> None:
        self._deps = deps

    def tick(self) -> TickReport:
        """Do one round."""
        return tick(self._deps)


@dg.resource(
    required_resource_keys={"database", "store", "zapier", "outlook"},
    description="The means of the publisher `swarm`.",
)
def publishing_deps(context: dg.InitResourceContext) -> PublishingDeps:
    """Bundle what the run was given."""
    known, given = process.settings(), context.resources
    return PublishingDeps(
        database=given.database,
        hook=given.zapier,
        outlook=given.outlook,
        me=PublisherName.SWARM,
        required_rules=required_rules(),
        recheck=Sink(
            store=given.store,
            outlook=given.outlook,
            link_allow_list=known.core.link_allow_list,
            auto_send=known.core.auto_send_enabled,
        ),
        settle=settle_work_order,
        timings=known.publishing,
        guard_in_zap=known.zapier.guard_in_zap,
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
