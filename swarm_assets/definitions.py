"""The table of contents of the Dagster surface.

``defs`` is what ``workspace.yaml`` loads; ``build_definitions`` is the same with resources replaced,
which is how tests enter. Everything is listed by hand: what is not named here does not exist.
"""

import dagster as dg

from swarm_assets.assets.stages import STAGES
from swarm_assets.jobs import publications_job, work_order_job
from swarm_assets.loggers import quiet_console
from swarm_assets.resources.intake import IntakeResource
from swarm_assets.resources.model import SpecialistResource
from swarm_assets.resources.monday import MondayResource
from swarm_assets.resources.outlook import OutlookResource
from swarm_assets.resources.pager import PagerResource
from swarm_assets.resources.postgres import DatabaseResource, QueueResource, StoreResource
from swarm_assets.resources.publishing import PublisherResource, PublishingResource
from swarm_assets.resources.stage_outputs import stage_outputs
from swarm_assets.resources.workshop import LeasesResource, desk, services
from swarm_assets.resources.zapier import ZapierResource
from swarm_assets.sensors.alerts import alerts
from swarm_assets.sensors.intake import intake
from swarm_assets.sensors.publications import publications
from swarm_assets.sensors.reaper import reaper
from swarm_assets.sensors.retire import retire


def build_definitions(**overrides: object) -> dg.Definitions:
    """Return the code location; ``overrides`` replace resources by name, plain objects allowed."""
    return dg.Definitions(
        assets=STAGES,
        jobs=[work_order_job, publications_job],
        sensors=[intake, publications, reaper, retire, alerts],
        loggers={"console": quiet_console},
        resources={
            "database": DatabaseResource(),
            "queue": QueueResource(),
            "leases": LeasesResource(),
            "stream": IntakeResource(),
            "pager": PagerResource(),
            "store": StoreResource(),
            "outlook": OutlookResource(),
            "monday": MondayResource(),
            "zapier": ZapierResource(),
            "specialist": SpecialistResource(),
            "services": services,
            "publisher": PublisherResource(),
            "publishing": PublishingResource(),
            "desk": desk,
            "stage_outputs": stage_outputs,
            **overrides,
        },
    )


defs = build_definitions()
