"""Which work order a person means: by its opaque key, or by the id its mail came with.

One answer for every command. What lives elsewhere: how a key is made (``keys``).
"""

from swarm.errors import MalformedInputError, RefusedError
from swarm.intake.stream.keys import work_order_key
from swarm.store.database import Connection
from swarm.store.tombstones import buried_as, tombstone

# By id as well as by the key made of it: an id may be spelt otherwise, the secret may have changed.
_NAMED = """
SELECT key FROM work_orders
 WHERE key IN (%(name)s, %(made)s) OR original_id = %(name)s
 ORDER BY key = %(name)s DESC, key = %(made)s DESC LIMIT 1
"""


def find_key(connection: Connection, name: str, secret: str) -> str:
    """Return the key of the work order called ``name``; raises ``MalformedInputError``: none is,
    ``RefusedError``: it was erased.

    ``secret`` is what work-order keys are made with.
    """
    columns = {"name": name, "made": work_order_key(secret, name)}
    row = connection.execute(_NAMED, columns).fetchone()
    if row is None:
        if erased := buried_as(connection, [tombstone(secret, "id", name)]):
            raise RefusedError(f"it was {erased.sentence}", hint="nothing of it is kept here")
        raise MalformedInputError(
            "no work order has this key or id", hint="`swarm status` lists the recent ones"
        )
    return str(row["key"])
