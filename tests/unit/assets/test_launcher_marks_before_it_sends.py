"""The task-id tag is written before the task is sent; stock writes it after, and a kill in between
makes every later look at the run fail.
"""

from pathlib import Path

import dagster as dg
import pytest
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from swarm_assets.runtime.broker import BrokerSettings, celery_application
from swarm_assets.runtime.launcher import WarmRunLauncher


class Sending:
    """A task signature that notes what was known of the run when it was sent."""

    def __init__(self, instance: dg.DagsterInstance, run_id: str) -> None:
        self.instance, self.run_id = instance, run_id
        self.tag_when_sent: str | None = None
        self.task_id: str | None = None

    def apply_async(self, *, task_id: str, **_options: object) -> None:
        run = self.instance.get_run_by_id(self.run_id)
        assert run is not None
        self.tag_when_sent, self.task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG), task_id


@pytest.fixture
def launcher(instance: dg.DagsterInstance, tmp_path: Path) -> WarmRunLauncher:
    launcher = WarmRunLauncher("filesystem://", str(tmp_path), "postgresql://nowhere/x", None)
    launcher.register_instance(instance)
    return launcher


def test_the_tag_is_there_when_the_task_is_sent(
    instance: dg.DagsterInstance, launcher: WarmRunLauncher
) -> None:
    run = instance.add_run(dg.DagsterRun(job_name="work_order"))
    sending = Sending(instance, run.run_id)
    launcher._launch_celery_task_run(run, sending, "execute_job")
    assert sending.tag_when_sent == sending.task_id is not None


def test_a_run_that_was_never_sent_cannot_be_terminated_and_raises_nothing(
    instance: dg.DagsterInstance, launcher: WarmRunLauncher
) -> None:
    run = instance.add_run(dg.DagsterRun(job_name="work_order"))
    assert launcher.terminate(run.run_id) is False
    assert launcher.get_run_worker_debug_info(run) == "celery task never sent"


def test_launcher_and_worker_agree_on_the_broker(tmp_path: Path, launcher: WarmRunLauncher) -> None:
    worker = celery_application(BrokerSettings(broker_dir=tmp_path))
    for setting in ("broker_url", "broker_transport_options", "task_default_queue"):
        assert worker.conf[setting] == launcher.celery.conf[setting]
    assert worker.conf.task_ignore_result
