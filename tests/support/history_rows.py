"""Rows of imported history, written straight into the tables."""

import os
from pathlib import Path

from psycopg.types.json import Jsonb

from swarm.models import WorkOrder
from swarm.ourselves import Ourselves
from swarm.shadow.models import LegacyOutcome
from swarm.shadow.replay.answers import RecordedAnswers, ReplayStore
from swarm.shadow.replay.launch import Replaying
from swarm.specialists.rules import RulesSpecialist
from swarm.stages.engine import engine_of
from swarm.stages.house import HouseSettings
from swarm.stages.recorded import Recorded
from swarm.store.database import Database

HOUSE = HouseSettings(ourselves=Ourselves(mailbox="service@example.com"))

_IMPORT = """
INSERT INTO history_imports (actor, mapping_sha256, files, counts)
VALUES ('test', '', '[]', '{}') RETURNING id
"""
_ORDER = """
INSERT INTO history_orders (work_order_key, original_id, body, received_at, thread, crm, import_id)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_LEGACY = """
INSERT INTO legacy_outcomes (work_order_key, origin, escalated, reasons, recipient, subject,
                             body_text, policy_version, line_sha256, decided_at)
VALUES (%s, 'history', %s, %s, %s, %s, %s, %s, %s, %s)
"""


def put(database: Database, *orders: WorkOrder, facts: Recorded | None = None) -> None:
    """Import these work orders, with the same recorded facts or none."""
    thread = Jsonb(facts.thread.model_dump(mode="json")) if facts else None
    crm = Jsonb(facts.crm.model_dump(mode="json")) if facts else None
    with database.transaction() as connection:
        number = connection.execute(_IMPORT).fetchone()["id"]  # type: ignore[index]
        for one in orders:
            body = Jsonb(one.model_dump(mode="json"))
            columns = (one.key, one.original_id, body, one.received_at, thread, crm, number)
            connection.execute(_ORDER, columns)


def put_legacy(database: Database, *outcomes: LegacyOutcome) -> None:
    """Import what legacy made of them."""
    with database.transaction() as connection:
        for one in outcomes:
            columns = (
                one.work_order_key, one.escalated, Jsonb(list(one.reasons)), one.recipient,
                one.subject, one.body_text, one.policy_version, one.line_sha256, one.decided_at,
            )  # fmt: skip
            connection.execute(_LEGACY, columns)


def engine() -> str:
    """The engine of this checkout with the rules and the house of these tests."""
    known = RecordedAnswers(0.0)
    store = ReplayStore(known)
    return engine_of(HOUSE.services(store, RulesSpecialist(acknowledge=False))).version


def how(database: Database, **changes: object) -> Replaying:
    """How these tests replay: two processes, nothing paid, nobody asked."""
    given: dict[str, object] = {
        "house": HOUSE,
        "engine": engine(),
        "url": database.url,
        "environment": {"PATH": os.defpath, "DATABASE_URL": database.url},
        **changes,
    }
    return Replaying(**given)  # type: ignore[arg-type]


def program(folder: Path, before_main: str) -> tuple[str, ...]:
    """The real program with a few lines run before it begins."""
    import sys  # noqa: PLC0415

    file = folder / "replay_program.py"
    file.write_text(
        "import os, sys, time\nfrom swarm.shadow.replay import __main__ as program\n"
        f"{before_main}\nsys.exit(program.main())\n"
    )
    return (sys.executable, "-I", str(file))
