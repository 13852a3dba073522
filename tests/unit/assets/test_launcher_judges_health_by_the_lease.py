"""A started run is judged by its job's row; Celery is not asked."""

import pytest
from dagster._core.launcher import WorkerStatus

from swarm.store.database import Row
from swarm_assets.runtime.launcher import health

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
