"""A run whose end could not be written is ended once Postgres is back, and only then."""

import dagster as dg
import pytest
import stamina
from sqlalchemy.exc import OperationalError

from swarm_assets.runtime.launcher import end_what_did_not_end


def ended_as(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> dg.DagsterRunStatus:
    run = instance.add_run(dg.DagsterRun(job_name="publications", status=status))
    end_what_did_not_end(instance, run.run_id)
    after = instance.get_run_by_id(run.run_id)
    assert after is not None
    return after.status


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
def test_a_run_that_did_not_say_how_it_ended_has_failed(status: dg.DagsterRunStatus) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert ended_as(instance, status) is dg.DagsterRunStatus.FAILURE


def test_a_run_that_ended_keeps_its_end() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        ended = ended_as(instance, dg.DagsterRunStatus.SUCCESS)
        assert ended is dg.DagsterRunStatus.SUCCESS


def test_it_waits_until_the_storage_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with dg.DagsterInstance.ephemeral() as instance, stamina.set_testing(True, attempts=5):
        read, outages = instance.get_run_by_id, iter(range(3))

        def away(run_id: str) -> dg.DagsterRun | None:
            if next(outages, None) is not None:
                raise OperationalError("SELECT", {}, ConnectionError("the server is gone"))
            return read(run_id)

        monkeypatch.setattr(instance, "get_run_by_id", away)
        assert ended_as(instance, dg.DagsterRunStatus.STARTED) is dg.DagsterRunStatus.FAILURE
