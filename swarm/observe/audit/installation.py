"""The audit of a whole installation: its tables, its stream and its mailbox.

The questions are in ``promises``; here they meet the settings of an installation.
"""

import getpass
from contextlib import closing

from swarm.clients.outlook import outlook_of
from swarm.legacy.home import IntakeFiles, LegacyFiles
from swarm.observe.audit.arrivals import Arrivals
from swarm.observe.audit.outcomes import LegacyOutbox
from swarm.observe.audit.promises import Memory, audit
from swarm.observe.audit.recompute import Progress
from swarm.observe.audit.report import AuditReport, Scope
from swarm.safety.ruleset import REQUIRED_FOR_PUBLISH
from swarm.settings import Settings
from swarm.store.database import Database


def audit_installation(
    settings: Settings,
    database: Database,
    *,
    scope: Scope = Scope.NEW,
    accepted: str = "",
    progress: Progress = lambda _done, _total: None,
) -> AuditReport:
    """Audit what is new and open, or all; raises ``DatabaseUnavailableError``.

    An unreachable mailbox is a finding, not an error. A clean audit leaves its mark; ``accepted``
    is a person's reason to take the schema and the counts as they are now for the next one.
    """
    home, secret = settings.core.swarm_home, settings.core.swarm_key_secret.get_secret_value()
    with closing(outlook_of(settings)) as mailbox:
        return audit(
            database,
            mailbox,
            [IntakeFiles(home).work_orders],
            required_rules=REQUIRED_FOR_PUBLISH,
            scope=scope,
            memory=Memory(home / "audit_mark.json", getpass.getuser(), accepted),
            progress=progress,
            secret=secret,
            arrivals=Arrivals(IntakeFiles(home), mailbox, settings.graph.mailbox, secret),
            outbox=LegacyOutbox(LegacyFiles(home), secret),
        )
