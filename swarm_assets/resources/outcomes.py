"""The two records beside a run: what people did, and what today's path decided."""

import dagster as dg

from swarm.legacy.home import LegacyFiles
from swarm.shadow.outcomes.legacy_stream import LegacyOutcomes
from swarm.shadow.outcomes.looking import Lookout
from swarm.store.reply_outcomes import Pace
from swarm.store.world_rows import at_home
from swarm_assets.resources import process


@dg.resource(
    required_resource_keys={"database"},
    description="Looks into the mailbox for what people did with drafts; reads only.",
)
def lookout(context: dg.InitResourceContext) -> Lookout:
    """Return who looks, on the process's pool and mailbox."""
    known = process.settings()
    return Lookout(
        context.resources.database,
        process.outlook(),
        known.core.reply_signature,
        at_home(known),
        Pace(per_minute=known.graph.looks_per_minute),
    )


@dg.resource(
    required_resource_keys={"database"},
    description="Today's outbox, legacy/outbox.jsonl below SWARM_HOME, read like the intake.",
)
def legacy_outcomes(context: dg.InitResourceContext) -> LegacyOutcomes:
    """Return the stream on the process's pool."""
    core = process.settings().core
    return LegacyOutcomes(
        context.resources.database,
        LegacyFiles(core.swarm_home),
        core.swarm_key_secret.get_secret_value(),
    )
