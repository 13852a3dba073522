"""The run session as Dagster holds it: made from the other resources, given back at the run's end.

Function style, because what one resource requires of another by name is the same object for both,
and a test may replace any of them with a plain fake. What lives elsewhere: what a session does
(``swarm.stages.run_session``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import dagster as dg

from swarm.stages.house import house_of
from swarm.stages.run_session import RunSession, StageFailedError
from swarm.stages.services import Services
from swarm.stages.stage_events import Stopwatch
from swarm_assets.lanes import requested_attempt
from swarm_assets.partitions import PARTITION_TAG
from swarm_assets.resources import process


class DagsterRunSession(RunSession):
    """A run session whose failures are Dagster's, without retries: the queue alone retries."""

    @contextmanager
    def stage(self) -> Iterator[Stopwatch]:
        """Raise ``dagster.Failure`` with our sentence and the place, never with a foreign text."""
        try:
            with super().stage() as watch:
                yield watch
        except StageFailedError as failed:
            raise dg.Failure(
                failed.sentence, metadata={"where": failed.where}, allow_retries=False
            ) from None


@dg.resource(
    required_resource_keys={"store", "specialist", "outlook", "monday", "knowledge"},
    description="What stages may reach: store, sources, specialist, and the house's settings.",
)
def services(context: dg.InitResourceContext) -> Services:
    """Bundle what the run was given."""
    given = context.resources
    made = house_of(process.settings()).services(
        given.store,
        given.specialist,
        outlook=given.outlook,
        monday=given.monday,
        shelf=given.knowledge,
    )
    return replace(made, checkpointer=process.checkpointer())


@dg.resource(
    required_resource_keys={"services", "queue", "publisher", "leases"},
    description="The run's hold on its work order: fence, heartbeat, and what a failure means.",
)
def run_session(context: dg.InitResourceContext) -> Iterator[RunSession]:
    """Yield the run's session; what it still holds at the end goes back to the queue."""
    run = context.run
    if run is None:
        raise dg.DagsterInvariantViolationError("a run session belongs to a run")
    if PARTITION_TAG not in run.tags:
        raise dg.DagsterInvariantViolationError(
            "a run is about one work order: choose one partition, or one run per partition"
        )
    session = DagsterRunSession(
        context.resources.services,
        context.resources.queue,
        context.resources.publisher,
        run_id=run.run_id,
        attempt=requested_attempt(run.tags),
        heartbeat_seconds=context.resources.leases.heartbeat_seconds,
    )
    try:
        yield session
    finally:
        session.leave()
