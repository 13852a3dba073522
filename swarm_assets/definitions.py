"""The table of contents of the Dagster surface.

``defs`` is what ``workspace.yaml`` loads; ``build_definitions`` is the same with resources
replaced, which is how tests enter. Everything is listed by hand: what is not named here does not
exist.
"""

import dagster as dg

from swarm_assets.assets.cutover import SWITCHES, legacy_proof_job
from swarm_assets.assets.health import health, health_job
from swarm_assets.assets.readiness import readiness
from swarm_assets.assets.release import release_job
from swarm_assets.assets.shadow import SHADOW_ASSETS, compare_job, shadow_job
from swarm_assets.assets.stages import STAGES
from swarm_assets.assets.watching import cutover_watch_job, rollback_drill_job
from swarm_assets.jobs import publications_job, reply_outcomes_job, work_order_job
from swarm_assets.resources import (
    connections,
    gates,
    intake,
    legacy,
    operations,
    outcomes,
    publishing,
    run_session,
    shadow,
    stage_outputs,
)
from swarm_assets.schedules.health import health_schedule
from swarm_assets.schedules.readiness import SCHEDULES, readiness_job
from swarm_assets.sensors.history import compare_sensor, history_sensor
from swarm_assets.sensors.intake import intake as intake_sensor
from swarm_assets.sensors.outcomes import legacy_outcomes as legacy_outcomes_sensor
from swarm_assets.sensors.outcomes import reply_outcomes as reply_outcomes_sensor
from swarm_assets.sensors.publications import publications as publications_sensor
from swarm_assets.sensors.reaper import reaper as reaper_sensor
from swarm_assets.sensors.retire import retire as retire_sensor
from swarm_assets.sensors.standby import legacy_proof as legacy_proof_sensor


def build_definitions(**overrides: object) -> dg.Definitions:
    """Return the code location; ``overrides`` replace resources by name, plain objects allowed."""
    return dg.Definitions(
        assets=[*STAGES, *SHADOW_ASSETS, readiness, health],
        # *Materialize* runs the hidden asset job, whose default executor forks; workers may not.
        executor=dg.in_process_executor,
        jobs=[
            work_order_job,
            publications_job,
            reply_outcomes_job,
            legacy_proof_job,
            release_job,
            shadow_job,
            compare_job,
            readiness_job,
            health_job,
            cutover_watch_job,
            rollback_drill_job,
            *SWITCHES,
        ],
        schedules=[*SCHEDULES, health_schedule],
        sensors=[
            intake_sensor,
            publications_sensor,
            reaper_sensor,
            retire_sensor,
            legacy_proof_sensor,
            legacy_outcomes_sensor,
            reply_outcomes_sensor,
            history_sensor,
            compare_sensor,
        ],
        resources={
            "database": connections.database,
            "store": connections.store,
            "queue": connections.queue,
            "leases": connections.leases,
            "stream": intake.stream,
            "legacy": legacy.legacy,
            "gates": gates.gates,
            "operations": operations.operations,
            "desk_url": operations.desk_url,
            "outlook": connections.outlook,
            "monday": connections.monday,
            "zapier": connections.zapier,
            "specialist": connections.specialist,
            "knowledge": connections.knowledge,
            "services": run_session.services,
            "publishing_deps": publishing.publishing_deps,
            "publisher": publishing.publisher,
            "publishing": publishing.publishing,
            "lookout": outcomes.lookout,
            "legacy_outcomes": outcomes.legacy_outcomes,
            "session": run_session.run_session,
            "shadow": shadow.shadow,
            "stage_outputs": stage_outputs.stage_outputs,
            **overrides,
        },
    )


defs = build_definitions()
