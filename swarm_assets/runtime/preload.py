"""What the programs of an installation share: loaded by one process before they are forked from it.

``load`` is named to the fork server of ``swarm up``; ``load_judging`` is what the parent of workers
adds, and does alone where it is started alone. Nothing here may start a thread, open a connection
or read a setting: a thread does not outlive a fork, and whoever is forked has settings of its own.
"""

from importlib import import_module
from typing import Final

from swarm.safety import learned
from swarm.stages.engine import code_version
from swarm.stages.enrichment.graph import ENRICHMENT
from swarm.stages.graph_runner import compiled_graph, langgraph_is_here
from swarm.stages.reply.graph import REPLY
from swarm.stages.warm_up import warm_up
from swarm_assets import definitions

# What each program imports first or late; the programs themselves run as `__main__`.
_PROGRAMS: Final = (
    "celery.apps.worker",
    "celery.contrib.testing.tasks",
    "celery.fixups.django",
    "celery.loaders.app",
    "dagster._api.snapshot_sensor",
    "dagster._cli.api",
    "dagster._core.instance.factory",
    "dagster._core.storage.root",
    "dagster._core.workspace.autodiscovery",
    "dagster._daemon.cli",
    "dagster._grpc.server",
    "dagster._grpc.server_watcher",
    "dagster_webserver.cli",
    "fsspec.implementations.local",
    "kombu.transport.filesystem",
    "psycopg2.extras",
    "swarm.cutover.heartbeats",
    "swarm.desk.app",
    "swarm.prefetch.prefetcher",
    "swarm.prefetch.thinking",
    "swarm.watchman.endpoint",
    "swarm.watchman.watchman",
    "swarm_assets.runtime.coordinator",
    "swarm_assets.runtime.launcher",
    "swarm_assets.runtime.stopped_children",
    "swarm_assets.runtime.storage",
    "swarm_assets.runtime.time_limit",
    "swarm_assets.runtime.worker_pool",
    "tzdata",
    "upath.implementations.local",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)


def load() -> None:
    """Load what Dagster's programs need, and those that watch, show and publish."""
    for name in _PROGRAMS:
        import_module(name)
    load_definitions()


def load_definitions() -> None:
    """Resolve the definitions; the code is named as it is now, whatever is installed later."""
    code_version()
    definitions.defs.get_repository_def().get_job("work_order")


def load_judging() -> None:
    """Load whatever judges a mail: a run then finds it ready."""
    if langgraph_is_here():
        for graph in (ENRICHMENT, REPLY):
            compiled_graph(graph)
    learned.loaded_whole()
    warm_up()
