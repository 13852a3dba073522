"""A cutover certificate as production earns it, through the real tables, in a moment.

A worker says which engine it is, a look is planned and due, a report of that look passes every
gate, and the database issues the certificate by itself. Nothing here goes past a trigger.
"""

from psycopg.types.json import Jsonb

from swarm.cutover import certificate
from swarm.cutover.models import Certificate
from swarm.stages.engine import Engine
from swarm.store.database import Connection, Database

ENGINE = Engine(ruleset="es-1+test", specialist="rules@1", house="house", code="code")
GATES = (
    "completeness", "durable_records", "no_manual_inserts", "safety", "must_escalate", "quality",
    "effects", "latency_cost", "coverage", "review_path", "oversight", "not_peeked",
)  # fmt: skip
TOLERANCES = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of no file

EMPTY = """
TRUNCATE engine_heartbeats, looks, readiness_reports, gate_results, certificates,
         certificate_voids, cutover_watch, rollback_drills CASCADE;
"""

_BEAT = """
INSERT INTO engine_heartbeats (process, role, engine, parts, tolerances_sha256, at)
VALUES (%s, %s, %s, %s, %s, clock_timestamp())
ON CONFLICT (process) DO UPDATE
   SET engine = excluded.engine, parts = excluded.parts, at = excluded.at,
       tolerances_sha256 = excluded.tolerances_sha256
"""


def beat(
    connection: Connection,
    engine: Engine = ENGINE,
    process: str = "a worker",
    role: str = "workers",
    tolerances: str = TOLERANCES,
) -> None:
    """A worker says that it lives."""
    parts = Jsonb(engine.model_dump(mode="json"))
    connection.execute(_BEAT, (process, role, engine.version, parts, tolerances))


def due_look(connection: Connection) -> object:
    """Plan a look and let it be due."""
    row = connection.execute(
        "INSERT INTO looks (at, actor) VALUES (clock_timestamp() + interval '20 ms', 'anna')"
        " RETURNING at"
    ).fetchone()
    connection.execute("SELECT pg_sleep(0.021)")
    assert row is not None
    return row["at"]


def report(
    connection: Connection,
    engine: Engine = ENGINE,
    look: object = None,
    tolerances: str = TOLERANCES,
    **verdicts: str,
) -> int:
    """A report and what its gates say: PASS where nothing else is asked for."""
    body = {"engine": engine.version, "counts": {"comparisons": 0}, "tolerances_sha256": tolerances}
    row = connection.execute(
        "INSERT INTO readiness_reports (engine, look, window_from, window_to, taken_at, body,"
        " sha256) VALUES (%s, %s, now() - interval '1 day', now(), clock_timestamp(), %s, '')"
        " RETURNING id",
        (engine.version, look, Jsonb(body)),
    ).fetchone()
    assert row is not None
    for gate in GATES:
        verdict = verdicts.get(gate, "PASS")
        if verdict:
            connection.execute(
                "INSERT INTO gate_results (report_id, gate, verdict, body)"
                " VALUES (%s, %s, %s, '{}')",
                (row["id"], gate, verdict),
            )
    return int(row["id"])


def certify(database: Database, engine: Engine = ENGINE) -> Certificate:
    """Everything that a cutover needs, as of now."""
    with database.transaction() as connection:
        beat(connection, engine)
    with database.transaction() as connection:
        return certificate.issue(connection, report(connection, engine, due_look(connection)))
