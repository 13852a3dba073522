"""Submits runs into Dagster's queue, each in its lane, whoever started it.

A sensor's run has the tags of its job. One that a person starts may have none: the hidden asset job
behind *Materialize* and asset backfills has no tags, and a launchpad lets people change them. Such
runs would take every slot of the queue, be counted nowhere and be retried by Dagster. What the
tags mean and which job takes which lane is ``swarm_assets.lanes``.
"""

from dagster import DagsterRun
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext

from swarm_assets.lanes import missing_tags


class LanedRunCoordinator(QueuedRunCoordinator):
    """``QueuedRunCoordinator`` that puts the tags of its lane on every run."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Tag, then enqueue: a run is never in the queue without its lane."""
        run = context.dagster_run
        groups = {key.path[0] for key in run.asset_selection or ()}
        if missing := missing_tags(run.job_name, run.tags, groups):
            self._instance.add_run_tags(run.run_id, missing)
        return super().submit_run(context)
