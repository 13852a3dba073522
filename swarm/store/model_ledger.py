"""What is kept of a chat model, in Postgres: its paid answers, its abilities, its troubles.

A model that answers nothing is one incident, however many work orders it keeps waiting: an alert
that grows and is over with the next answer. What lives elsewhere: how a model is asked
(``swarm.specialists.model_calls``), and what waits for it (``queue``).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from swarm.errors import MalformedInputError
from swarm.models import ModelCall
from swarm.store import alerts
from swarm.store.database import Connection, Database
from swarm.store.protocol import ModelEndpoint

TROUBLES_IN_A_ROW = 3
"""So many calls without an answer are no hiccup; what a person must mend is told at once."""

_CALL = """
SELECT work_order_key, purpose, request_sha256, model, prompt_sha256, answer, input_tokens,
       cached_tokens, output_tokens, cost, latency_ms
  FROM model_calls WHERE work_order_key = %s AND purpose = %s AND request_sha256 = %s
"""

_RECORD = """
INSERT INTO model_calls (work_order_key, purpose, request_sha256, model, prompt_sha256, answer,
                         input_tokens, cached_tokens, output_tokens, cost, latency_ms, ahead)
VALUES (%(work_order_key)s, %(purpose)s, %(request_sha256)s, %(model)s, %(prompt_sha256)s,
        %(answer)s, %(input_tokens)s, %(cached_tokens)s, %(output_tokens)s, %(cost)s,
        %(latency_ms)s, %(ahead)s)
ON CONFLICT DO NOTHING
"""

_PAID_TWICE = "SELECT count_paid_twice(%s)"

_COST = "SELECT coalesce(sum(cost), 0) AS cost FROM model_calls WHERE work_order_key = %s"

_ENDPOINT = "SELECT name, abilities, troubles, trouble, broken FROM model_endpoints WHERE name = %s"

_REMEMBER = """
INSERT INTO model_endpoints (name, abilities) VALUES (%(name)s, %(abilities)s)
ON CONFLICT (name) DO UPDATE SET abilities = excluded.abilities
"""

_FAILED = """
INSERT INTO model_endpoints AS m (name, troubles, trouble, trouble_at, broken)
VALUES (%(name)s, 1, %(trouble)s, now(), %(for_good)s)
ON CONFLICT (name) DO UPDATE
   SET troubles = m.troubles + 1, trouble = excluded.trouble, trouble_at = now(),
       broken = m.broken OR excluded.broken OR m.troubles + 1 >= %(many)s
RETURNING broken
"""

_ANSWERED = """
UPDATE model_endpoints SET troubles = 0, trouble = '', broken = false
 WHERE name = %s AND troubles > 0
"""

# Nobody waits and nobody was turned away for a while: another model was configured, or the rules.
_FORGOTTEN = """
UPDATE model_endpoints SET troubles = 0, trouble = '', broken = false
 WHERE broken AND trouble_at < now() - interval '15 minutes'
   AND NOT EXISTS (SELECT 1 FROM swarm_jobs WHERE waiting_since IS NOT NULL)
RETURNING name
"""

_WAITED = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - waiting_since), 0)::float AS seconds
  FROM swarm_jobs WHERE work_order_key = %s
"""


class PostgresModelLedger:
    """``ModelLedger`` on Postgres. ``ahead``: its calls are made before the run that needs them."""

    def __init__(self, database: Database, *, ahead: bool = False) -> None:
        self._database = database
        self._ahead = ahead

    def model_call(self, key: str, purpose: str, request_sha256: str) -> ModelCall | None:
        """Return a finished model call so that it is not paid again."""
        with self._database.transaction() as connection:
            row = connection.execute(_CALL, (key, purpose, request_sha256)).fetchone()
        return None if row is None else ModelCall.model_validate(row)

    def record_model_call(self, call: ModelCall) -> ModelCall:
        """Store a finished model call; the first answer stays, another is counted as paid twice."""
        row = {**call.model_dump(), "answer": Jsonb(call.answer), "ahead": self._ahead}
        with self._writing(call.work_order_key) as connection:
            if connection.execute(_RECORD, row).rowcount == 1:
                return call
            connection.execute(_PAID_TWICE, (call.model,))
        stored = self.model_call(call.work_order_key, call.purpose, call.request_sha256)
        return stored or call

    def model_cost(self, key: str) -> float:
        """Return what the work order's model calls cost so far (ES-25)."""
        with self._database.transaction() as connection:
            row = connection.execute(_COST, (key,)).fetchone()
        return float(row["cost"]) if row else 0.0

    def model_endpoint(self, name: str) -> ModelEndpoint:
        """Return what is known of the model behind an endpoint."""
        with self._database.transaction() as connection:
            row = connection.execute(_ENDPOINT, (name,)).fetchone()
        return ModelEndpoint(name=name) if row is None else ModelEndpoint.model_validate(row)

    def remember_abilities(self, name: str, abilities: JsonValue) -> None:
        """Keep what the model was found to be able to do, for every later process."""
        with self._database.transaction() as connection:
            connection.execute(_REMEMBER, {"name": name, "abilities": Jsonb(abilities)})

    def model_failed(self, name: str, trouble: str, *, for_good: bool) -> None:
        """Count a call without an answer; alert when it is no hiccup any more."""
        told = {"name": name, "trouble": trouble, "for_good": for_good, "many": TROUBLES_IN_A_ROW}
        with self._database.transaction() as connection:
            row = connection.execute(_FAILED, told).fetchone()
            if row and row["broken"]:
                alerts.raise_growing(connection, alerts.MODEL, name, trouble)

    def model_answered(self, name: str) -> None:
        """Note that the model answers; an alert about it is over."""
        with self._database.transaction() as connection:
            if connection.execute(_ANSWERED, (name,)).rowcount:
                alerts.resolve(connection, alerts.MODEL, name)

    def waited(self, key: str) -> float:
        """Return for how many seconds the work order has been waiting for the model."""
        with self._database.transaction() as connection:
            row = connection.execute(_WAITED, (key,)).fetchone()
        return float(row["seconds"]) if row else 0.0

    @contextmanager
    def _writing(self, key: str) -> Iterator[Connection]:
        with self._database.transaction() as connection:
            try:
                yield connection
            except psycopg.errors.ForeignKeyViolation as error:
                raise MalformedInputError("no such work order", work_order=key) from error
            except psycopg.DataError as error:  # NUL or a lone surrogate: no retry will store it
                raise MalformedInputError("text cannot be stored", work_order=key) from error


def settle_forgotten_models(connection: Connection) -> int:
    """End the alerts about models that nobody asks any more; returns how many."""
    names = [row["name"] for row in connection.execute(_FORGOTTEN).fetchall()]
    return sum(alerts.resolve(connection, alerts.MODEL, name) for name in names)
