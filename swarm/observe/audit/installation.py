"""The audit of the promises over a whole installation: tables, stream and mailbox.

The questions are in ``promises``; here they meet the settings of an installation.
"""

from swarm.clients.outlook import GraphOutlook
from swarm.observe.audit.promises import AuditReport, audit
from swarm.safety.ruleset import REQUIRED_FOR_PUBLISH
from swarm.settings import Settings
from swarm.store.database import Database


def audit_installation(settings: Settings, database: Database) -> AuditReport:
    """Audit everything there is; raises ``DatabaseUnavailableError``. An unreachable mailbox is a
    finding, not an error.
    """
    return audit(
        database,
        GraphOutlook(settings.graph),
        [settings.core.swarm_home / "intake" / "work_orders.jsonl"],
        required_rules=REQUIRED_FOR_PUBLISH,
    )


def sentences(report: AuditReport) -> tuple[str, ...]:
    """Say the result in lines: one per breach, or that all is well and what was looked at."""
    seen = report.totals
    looked = (
        f"{seen.work_orders} work orders ({seen.final} final), {seen.lines} intake lines,"
        f" {seen.publications} publications, {seen.events} events"
    )
    if report.holds:
        return (f"audit: clean over {looked}",)
    return (
        f"audit: {len(report.breaches)} breaches over {looked}",
        *(f"  promise {b.promise}  {b.check}  {b.subject}  {b.detail}" for b in report.breaches),
    )
