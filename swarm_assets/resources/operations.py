"""What the asset of operations asks, and where people look further."""

from dataclasses import dataclass
from functools import cache

import dagster as dg

from swarm.observe.health import SystemHealth, health
from swarm.observe.metrics.streams import HomeFiles
from swarm.store.database import Database
from swarm_assets.resources import process


@dataclass(frozen=True, slots=True)
class Operations:
    """The installation, as one look sees it."""

    database: Database
    files: HomeFiles

    def look(self) -> SystemHealth:
        """Read and judge; raises ``DatabaseUnavailableError``."""
        return health(self.database, self.files)


@cache
def _files() -> HomeFiles:
    """Kept over runs: it remembers since when a stream has been unread."""
    return HomeFiles(process.settings().core.swarm_home)


@dg.resource(description="The numbers of /metrics, read and judged once.")
def operations(_context: dg.InitResourceContext) -> Operations:
    """Return who looks."""
    return Operations(process.database(), _files())


@dg.resource(description="Where the desk answers (DESK_URL): one page per work order.")
def desk_url(_context: dg.InitResourceContext) -> str:
    """Return the address."""
    return process.settings().core.desk_url
