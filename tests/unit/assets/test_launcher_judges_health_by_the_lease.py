"""A started run is judged by its job's row; Celery is not asked."""

import pytest
from dagster._core.launcher import WorkerStatus

from swarm.process_identity import this_process
from swarm.store.database import Row
from swarm_assets.runtime.launcher import health, process_health

MINE: Row = {"run_id": "mine", "attempt": 2, "alive": True}


@pytest.mark.parametrize(
    ("job", "attempt", "status"),
    [
        (MINE, "2", WorkerStatus.RUNNING),
        ({**MINE, "alive": False}, "2", WorkerStatus.FAILED),
        ({**MINE, "alive": None}, "2", WorkerStatus.RUNNING),
        ({**MINE, "run_id": "newer", "attempt": 3}, "2", WorkerStatus.FAILED),
        ({**MINE, "run_id": None}, "2", WorkerStatus.RUNNING),
        ({**MINE, "run_id": "by hand"}, None, WorkerStatus.RUNNING),
        (None, "2", WorkerStatus.RUNNING),
    ],
    ids=[
        "lease alive",
        "lease ran out",
        "work order closed, run about to end",
        "a newer attempt holds it",
        "not opened yet",
        "started by a person beside another run",
        "unknown work order",
    ],
)
def test_a_worker_is_lost_only_when_its_lease_or_its_attempt_is(
    job: Row | None, attempt: str | None, status: WorkerStatus
) -> None:
    assert health(job, "mine", attempt).status is status


def test_a_publishing_round_is_judged_by_its_own_process() -> None:
    me = this_process()
    gone = me.model_copy(update={"starttime": me.starttime - 1})
    elsewhere = gone.model_copy(update={"host": "another-machine"})
    assert process_health(me.model_dump_json()).status is WorkerStatus.RUNNING
    assert process_health(gone.model_dump_json()).status is WorkerStatus.FAILED
    assert process_health(elsewhere.model_dump_json()).status is WorkerStatus.RUNNING
    assert process_health(None).status is WorkerStatus.RUNNING
