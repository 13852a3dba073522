"""The publisher switch as jobs that a person launches: audited, refused with the reason."""

import warnings

import dagster as dg
import pytest

from swarm.publishing.switch.commands import show
from swarm.store.database import Database
from swarm_assets.definitions import build_definitions

pytestmark = pytest.mark.integration

OP = {
    "publisher_cutover": "cut_over",
    "publisher_rollback": "roll_back",
    "publisher_stop": "stop_publishing",
}


def launch(database: Database, name: str, **config: object) -> dg.ExecuteInProcessResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        job = build_definitions(database=database).resolve_job_def(name)
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            instance=instance,
            run_config={"ops": {OP[name]: {"config": config}}},
            raise_on_error=False,
        )


def control(database: Database) -> tuple[str, int, str, str]:
    now = show(database).control
    return now.active, now.epoch, now.actor, now.reason


def failure(result: dg.ExecuteInProcessResult, name: str) -> str:
    (event,) = [e for e in result.all_events if e.is_step_failure]
    assert event.step_key == OP[name]
    error = event.step_failure_data.error
    assert error is not None
    return error.message


def test_a_rollback_acts_and_says_who_and_why(database: Database) -> None:
    assert launch(database, "publisher_rollback", actor="anna", reason="drill").success
    assert control(database) == ("legacy", 1, "anna", "drill")


def test_a_stop_leaves_nobody(database: Database) -> None:
    launch(database, "publisher_rollback", actor="anna", reason="drill")
    assert launch(database, "publisher_stop", actor="anna", reason="alarm").success
    assert control(database) == ("none", 2, "anna", "alarm")


def test_a_dry_run_says_what_would_change_and_changes_nothing(database: Database) -> None:
    before = control(database)
    done = launch(database, "publisher_rollback", actor="anna", reason="drill", dry_run=True)
    (output,) = [e for e in done.all_events if e.is_successful_output]
    said = output.step_output_data.metadata["what"].value
    assert str(said).startswith("publishing would go from none to legacy (epoch 1)")
    assert control(database) == before


@pytest.mark.parametrize("dry_run", [{}, {"dry_run": True}, {"dry_run": False}])
def test_a_cutover_without_a_certificate_fails_with_the_reason(
    database: Database, dry_run: dict[str, object]
) -> None:
    before = control(database)
    result = launch(database, "publisher_cutover", actor="anna", reason="go", **dry_run)
    assert not result.success
    assert "there is no cutover certificate" in failure(result, "publisher_cutover")
    assert control(database) == before


def test_a_switch_without_a_reason_is_refused(database: Database) -> None:
    result = launch(database, "publisher_stop", actor="anna", reason=" ")
    assert "must say who asks and why" in failure(result, "publisher_stop")
