"""How the publisher ``swarm`` is put together; every program and every test of it enters here.

Apart from ``deps``, because today's sender uses that bundle too and loads nothing of the new path.
"""

from swarm.clients.protocol import DraftHook, Outlook
from swarm.knowledge import Shelf
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.preflight import Preflight
from swarm.publishing.dispatch.settling import settle_work_order
from swarm.safety.ruleset import required_rules
from swarm.settings import Settings
from swarm.store.database import Database
from swarm.store.protocol import RunStore
from swarm.store.world_rows import at_home


def swarm_publisher(
    settings: Settings, database: Database, store: RunStore, hook: DraftHook, outlook: Outlook
) -> PublishingDeps:
    """Return the means of the publisher ``swarm``."""
    return PublishingDeps(
        database=database,
        hook=hook,
        outlook=outlook,
        me=PublisherName.SWARM,
        required_rules=required_rules(),
        preflight=Preflight(
            store,
            outlook,
            link_allow_list=settings.core.link_allow_list,
            approved_recipients=settings.core.approved_recipients,
            auto_send=settings.core.auto_send_enabled,
            knowledge=Shelf(settings.core.knowledge_folder),
        ),
        settle=settle_work_order,
        timings=settings.publishing,
        at_home=at_home(settings),
    )
