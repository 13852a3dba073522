"""One evaluation: read the report, ask the gates, keep both, and have the certificate issued.

Runs in the judging process (``judge``). All is kept in one transaction; whether a certificate is
earned the database decides from the rows. What lives elsewhere: when it is looked (``looks``,
Dagster's schedule), what follows after a cutover (``watch``).
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from psycopg.types.json import Jsonb

from swarm.cutover import certificate, must_escalate, tolerances
from swarm.cutover.evaluated import Evaluation
from swarm.cutover.gates import evaluate
from swarm.cutover.models import Certificate, GateResult, GateVerdict
from swarm.cutover.reading.reader import Asked, Read, read
from swarm.cutover.report import ReadinessReport
from swarm.errors import DatabaseRefusedError
from swarm.store.database import Connection, Database

_INSERT = """
INSERT INTO readiness_reports (engine, look, window_from, window_to, taken_at, body, sha256)
VALUES (%(engine)s, %(look)s, %(window_from)s, %(window_to)s, %(taken_at)s, %(body)s, '')
RETURNING id
"""

_INSERT_GATE = """
INSERT INTO gate_results (report_id, gate, verdict, body) VALUES (%s, %s, %s, %s)
"""


def evaluate_now(
    database: Database,
    home: Path,
    *,
    look: datetime | None = None,
    since: datetime | None = None,
    keep: bool = True,
) -> tuple[Evaluation, Read]:
    """Evaluate and keep it; a certificate is issued at a planned look at which all pass.

    Raises ``ConfigurationError`` for bad tolerances, a ``DatabaseError`` when Postgres is away or
    refuses (a look that is not due, a clock that runs backwards).
    """
    if keep:
        must_escalate.measure_missing(database)
    asked = Asked(
        tolerances=tolerances.load(home),
        tolerances_sha256=tolerances.fingerprint(home),
        look=look,
        since=since,
    )
    found = read(database.url, asked)
    gates = evaluate(found.report)
    if not keep:
        return Evaluation(report_id=None, report=found.report, gates=gates), found
    return _kept(database, found.report, gates), found


def _kept(database: Database, report: ReadinessReport, gates: Sequence[GateResult]) -> Evaluation:
    with database.transaction() as connection:
        number = _insert(connection, report, gates)
    earned = report.looking.look is not None and all(
        gate.verdict is GateVerdict.PASS for gate in gates if gate.required
    )
    issued, refused = _certified(database, number) if earned else (None, "")
    return Evaluation(
        report_id=number, report=report, gates=tuple(gates), certificate=issued, refused=refused
    )


def _certified(database: Database, report_id: int) -> tuple[Certificate | None, str]:
    """The report stays, whatever the database has against a certificate."""
    try:
        with database.transaction() as connection:
            return certificate.issue(connection, report_id), ""
    except DatabaseRefusedError as error:
        return None, error.message


def _insert(connection: Connection, report: ReadinessReport, gates: Sequence[GateResult]) -> int:
    row = connection.execute(
        _INSERT,
        {
            "engine": report.engine,
            "look": report.looking.look,
            "window_from": report.window_from,
            "window_to": report.window_to,
            "taken_at": report.taken_at,
            "body": Jsonb(report.model_dump(mode="json")),
        },
    ).fetchone()
    number = int(row["id"]) if row else 0
    for gate in gates:
        body = Jsonb(gate.model_dump(mode="json"))
        connection.execute(_INSERT_GATE, (number, gate.gate, gate.verdict, body))
    return number
