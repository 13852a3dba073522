"""How the publisher ``swarm`` is put together from settings and clients; used by every program."""

from swarm.clients.protocol import DraftHook, Outlook
from swarm.publishing.deps import PublishingDeps
from swarm.publishing.settling import settle_work_order
from swarm.publishing.sink import SinkCheck
from swarm.publishing.states import PublisherName
from swarm.safety.ruleset import required_rules
from swarm.settings import Settings
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore


def swarm_publisher(
    settings: Settings, database: Database, hook: DraftHook, outlook: Outlook
) -> PublishingDeps:
    """Return the means of the publisher ``swarm``."""
    return PublishingDeps(
        database=database,
        hook=hook,
        outlook=outlook,
        me=PublisherName.SWARM,
        required_rules=required_rules(),
        recheck=SinkCheck(
            PostgresStore(database),
            outlook,
            link_allow_list=settings.core.link_allow_list,
            auto_send=settings.core.auto_send_enabled,
        ),
        settle=settle_work_order,
        timings=settings.publishing,
        guard_in_zap=settings.zapier.guard_in_zap,
    )
