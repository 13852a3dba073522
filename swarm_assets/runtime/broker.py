"""How launcher and workers reach each other: one Celery configuration for both sides.

What does not live here: the tasks (``celery_app``) and the launcher (``launcher``).
"""

from pathlib import Path

from celery import Celery
from dagster_celery.make_app import make_app
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from swarm_assets.partitions import WORK_QUEUE

# Seconds between two looks into the folder: on average half of it is added to a run's start.
_POLL_SECONDS = 0.1
# Redis gives a message that was fetched and never begun to another worker after an hour: longer
# than any run a worker may have before it (1,000 s). By then the queue has asked for the run anew,
# and the old one is over. A Redis that vanished without a word must not keep the daemon waiting.
_REDIS = {
    "visibility_timeout": 3600,
    "socket_timeout": 30.0,
    "socket_connect_timeout": 5.0,
    "socket_keepalive": True,
    "health_check_interval": 25,
    "retry_on_timeout": True,
}
# A process of the pool imports the definitions before it says that it is there (4 s on an idle
# machine). With a broker that has an event loop Celery kills it after 4 s, and so all that follow.
_BEGIN_SECONDS = 180.0
_FOLDER_TRANSPORT = "swarm_assets.runtime.folder_transport:Transport"


class BrokerSettings(BaseSettings):
    """The two variables a worker needs before it can read anything else. Prefix ``CELERY_``."""

    model_config = SettingsConfigDict(env_prefix="CELERY_", frozen=True)

    broker_url: str = "filesystem://"
    broker_dir: Path = Field(
        description="Folder of the file-system broker; unused by other brokers"
    )


def celery_application(settings: BrokerSettings) -> Celery:
    """Return the Celery application; both ends must be built by this one function.

    A task is acknowledged when it is taken: a killed worker loses it, and our lease, not Celery,
    brings the work order back (a redelivered run would be the same Dagster run twice).
    """
    app: Celery = make_app(  # type: ignore[no-untyped-call]
        {"broker": settings.broker_url, "task_default_queue": WORK_QUEUE}
    )
    app.conf.update(
        broker_transport=_transport(settings),
        broker_transport_options=_transport_options(settings),
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_proc_alive_timeout=_BEGIN_SECONDS,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
    )
    return app


def _transport(settings: BrokerSettings) -> str | None:
    """Name ours for a folder; every other URL names its own."""
    return _FOLDER_TRANSPORT if settings.broker_url.startswith("filesystem") else None


def _transport_options(settings: BrokerSettings) -> dict[str, object]:
    if settings.broker_url.startswith("redis"):
        return dict(_REDIS)
    if not settings.broker_url.startswith("filesystem"):
        return {}
    folder = settings.broker_dir
    for part in (folder / "queue", folder / "control", folder / "taken"):
        part.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
        "processed_folder": str(folder / "taken"),
        "polling_interval": _POLL_SECONDS,
    }
