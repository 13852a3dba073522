"""After the cutover: the same gates over a rolling window, an alert for each breach, the way back.

A breach is a gate that fails; too little to say is none. With ``AUTO_ROLLBACK=true`` two looks in a
row, both with a breach and with enough work orders, give publishing back by themselves; never
forward. What lives elsewhere: the gates (``gates``), the way back (``switch.commands.rollback``).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from psycopg.types.json import Jsonb

from swarm.cutover.evaluated import Evaluation
from swarm.cutover.models import GateVerdict
from swarm.models import Noun
from swarm.publishing.control import PublisherName, read_control
from swarm.publishing.switch import commands
from swarm.store.alerts import raise_alert, resolve
from swarm.store.database import Connection, Database

BREACH: Final = "cutover.breach"
ROLLED_BACK: Final = "cutover.rolled_back"
WINDOW: Final = timedelta(hours=24)
ENOUGH: Final = 10  # work orders or publications of the window
_IN_A_ROW: Final = 2

_INSERT = """
INSERT INTO cutover_watch (report_id, epoch, breached, enough, acted)
VALUES (%(report_id)s, %(epoch)s, %(breached)s, %(enough)s, %(acted)s)
ON CONFLICT (report_id) DO NOTHING
"""

_BEFORE = """
SELECT breached <> '{}'::jsonb AND enough AS counts FROM cutover_watch
 WHERE epoch = %s ORDER BY report_id DESC LIMIT 1
"""

_SINCE = """
SELECT clock_timestamp() AS at,
       EXISTS (SELECT 1 FROM certificates WHERE issued_at <= %s) AS certified
"""

_ALERTED = "SELECT subject FROM alerts WHERE kind = %s AND resolved_at IS NULL"


class Watched(Noun):
    """What a look after the cutover found, and what followed."""

    report_id: int
    breached: Mapping[str, str]
    enough: bool
    acted: str


def since(connection: Connection) -> datetime | None:
    """Return from when on to look; None while swarm is not the publisher by a cutover.

    A sandbox whose first publisher it was has no today's path to be measured against.

    Never past the cutover itself: what was before it is no fault of what runs now.
    """
    control = read_control(connection)
    row = connection.execute(_SINCE, (control.at,)).fetchone()
    if control.active is not PublisherName.SWARM or row is None or not row["certified"]:
        return None
    oldest: datetime = row["at"] - WINDOW
    return max(control.at, oldest)


def conclude(database: Database, evaluation: Evaluation, *, auto_rollback: bool) -> Watched:
    """Keep what was found, alert it, and give publishing back if that is asked for and due."""
    breached = breaches(evaluation)
    enough = _enough(evaluation)
    number = evaluation.report_id or 0
    with database.transaction() as connection:
        control = read_control(connection)
        repeated = _repeated(connection, control.epoch)
        _alert(connection, breached)
    acted = ""
    in_office = control.active is PublisherName.SWARM
    if auto_rollback and in_office and enough and breached and repeated:
        acted = _give_back(database, breached)
    with database.transaction() as connection:
        row = {"report_id": number, "epoch": control.epoch, "enough": enough, "acted": acted}
        connection.execute(_INSERT, row | {"breached": Jsonb(breached)})
    return Watched(report_id=number, breached=breached, enough=enough, acted=acted)


def breaches(evaluation: Evaluation) -> dict[str, str]:
    """Return each gate that fails with its first reason."""
    return {
        gate.gate: (*gate.reasons, gate.figure)[0]
        for gate in evaluation.gates
        if gate.verdict is GateVerdict.FAIL
    }


def _enough(evaluation: Evaluation) -> bool:
    """Whether there is enough of anything: a dead hook shows in publications alone."""
    report = evaluation.report
    seen = (
        report.completeness.counts.get("work_orders", 0),
        report.effects.counts.get("publications", 0),
        report.running.publications,
        report.compared.live,
    )
    return max(seen) >= ENOUGH


def _repeated(connection: Connection, epoch: int) -> bool:
    row = connection.execute(_BEFORE, (epoch,)).fetchone()
    return bool(row and row["counts"])


def _alert(connection: Connection, breached: Mapping[str, str]) -> None:
    for gate, said in breached.items():
        raise_alert(connection, BREACH, gate, said)
    for row in connection.execute(_ALERTED, (BREACH,)).fetchall():
        if row["subject"] not in breached:
            resolve(connection, BREACH, row["subject"])


def _give_back(database: Database, breached: Mapping[str, str]) -> str:
    reason = f"two breaches in a row: {', '.join(breached)}"
    flip = commands.rollback(database, actor="the gates (AUTO_ROLLBACK)", reason=reason)
    with database.transaction() as connection:
        raise_alert(connection, ROLLED_BACK, f"epoch {flip.after.epoch}", reason)
    return commands.describe(flip)
