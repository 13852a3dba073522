"""Results of replays in our tables: what is missing, and storing what came of many at once.

A work order counts as done once it was judged or has failed; one that was not replayable is asked
again, for what it lacked may be there by now. One engine's results say nothing of another's.
"""

from collections.abc import Iterable, Sequence

from psycopg.types.json import Jsonb

from swarm.models import ModelCall
from swarm.shadow.models import Decision, Replayed
from swarm.stages.recorded import Recorded
from swarm.store.database import Database

_DONE = """
SELECT work_order_key AS key FROM replays
 WHERE work_order_key = ANY(%(keys)s) AND engine = %(engine)s AND pass = %(pass)s
   AND body->>'decision' <> %(not_replayable)s
"""

_STORE = """
INSERT INTO replays AS r (work_order_key, engine, pass, body) VALUES (%s, %s, %s, %s)
ON CONFLICT (work_order_key, engine, pass) DO UPDATE
   SET body = excluded.body, at = now() WHERE r.body->>'decision' = 'not_replayable'
"""

_PAID = """
INSERT INTO replay_model_calls (work_order_key, purpose, request_sha256, pass, body)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""

_SOURCES = """
UPDATE history_orders SET thread = %s, crm = %s WHERE work_order_key = %s AND thread IS NULL
"""


def missing(
    database: Database, keys: Sequence[str], engine: str, *, number: int = 1
) -> tuple[str, ...]:
    """Return which of these work orders this engine has still to judge, in their order."""
    asked = {
        "keys": list(keys),
        "engine": engine,
        "pass": number,
        "not_replayable": Decision.NOT_REPLAYABLE,
    }
    with database.transaction() as connection:
        done = {row["key"] for row in connection.execute(_DONE, asked)}
    return tuple(key for key in dict.fromkeys(keys) if key not in done)


def store(
    database: Database,
    results: Iterable[Replayed],
    *,
    number: int = 1,
    paid: Iterable[ModelCall] = (),
    asked: Iterable[tuple[str, Recorded]] = (),
) -> None:
    """Store what came of a batch in one transaction; a work order erased meanwhile leaves nothing.

    ``paid`` are new calls, ``asked`` what the sources said of history that had recorded nothing.
    """
    rows = [(r.work_order_key, r.engine, number, Jsonb(r.model_dump(mode="json"))) for r in results]
    calls = [
        (c.work_order_key, c.purpose, c.request_sha256, number, Jsonb(c.model_dump(mode="json")))
        for c in paid
    ]
    facts = [
        (Jsonb(found.thread.model_dump(mode="json")), Jsonb(found.crm.model_dump(mode="json")), key)
        for key, found in asked
    ]
    with database.transaction() as connection, connection.cursor() as cursor:
        for statement, values in ((_STORE, rows), (_PAID, calls), (_SOURCES, facts)):
            if values:
                cursor.executemany(statement, values)
