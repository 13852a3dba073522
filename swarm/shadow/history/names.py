"""Which work order a person means, live or of imported history: by its key, a beginning of it that
only one key has, or its mail's id.
"""

from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.names import beginning, find_key, keys_begun, the_only
from swarm.store.database import Connection

_NAMED = """
SELECT work_order_key AS key FROM history_orders
 WHERE work_order_key IN (%(name)s, %(made)s) OR original_id = %(name)s
 ORDER BY work_order_key = %(name)s DESC LIMIT 1
"""

_BEGUN = """
SELECT work_order_key AS key FROM history_orders WHERE starts_with(work_order_key, %s)
 ORDER BY 1 LIMIT 4
"""


def find_any_key(connection: Connection, name: str, secret: str) -> str:
    """Return the key of the work order called ``name``, imported or live.

    Raises ``MalformedInputError``: none is, or more than one begins so; ``RefusedError``: it was
    erased.
    """
    columns = {"name": name, "made": work_order_key(secret, name)}
    row = connection.execute(_NAMED, columns).fetchone()
    if row is not None:
        return str(row["key"])
    begun = beginning(name)
    imported = [str(r["key"]) for r in connection.execute(_BEGUN, (begun,))] if begun else []
    if begun and imported:
        live = keys_begun(connection, begun)
        return the_only(sorted({*imported, *live}), name) or name
    return find_key(connection, name, secret)
