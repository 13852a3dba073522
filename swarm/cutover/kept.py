"""Reports and gate results as they were kept: reading them back. Append-only, so never stale."""

from pydantic import AwareDatetime

from swarm.cutover.gates import GATES
from swarm.cutover.models import GateResult
from swarm.models import Noun
from swarm.store.database import Connection

_NEWEST = """
SELECT id, engine, look, taken_at, window_from, window_to, sha256 FROM readiness_reports
 ORDER BY id DESC LIMIT 1
"""

_GATES = "SELECT body FROM gate_results WHERE report_id = %s"


class Kept(Noun):
    """A report that was kept, and what each gate said of it."""

    id: int
    engine: str
    look: AwareDatetime | None
    taken_at: AwareDatetime
    window_from: AwareDatetime
    window_to: AwareDatetime
    sha256: str
    gates: tuple[GateResult, ...]


def newest(connection: Connection) -> Kept | None:
    """Return the newest report; None when the gates were never asked."""
    row = connection.execute(_NEWEST).fetchone()
    if row is None:
        return None
    rows = connection.execute(_GATES, (row["id"],)).fetchall()
    by_name = {each["body"]["gate"]: GateResult.model_validate(each["body"]) for each in rows}
    return Kept(**row, gates=tuple(by_name[name] for name in GATES if name in by_name))
