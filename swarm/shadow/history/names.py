"""Which work order a person means, live or of imported history: by its key or by its mail's id."""

from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.names import find_key
from swarm.store.database import Connection

_NAMED = """
SELECT work_order_key AS key FROM history_orders
 WHERE work_order_key IN (%(name)s, %(made)s) OR original_id = %(name)s
 ORDER BY work_order_key = %(name)s DESC LIMIT 1
"""


def find_any_key(connection: Connection, name: str, secret: str) -> str:
    """Return the key of the work order called ``name``, imported or live.

    Raises ``MalformedInputError``: none is; ``RefusedError``: it was erased.
    """
    columns = {"name": name, "made": work_order_key(secret, name)}
    row = connection.execute(_NAMED, columns).fetchone()
    return str(row["key"]) if row else find_key(connection, name, secret)
