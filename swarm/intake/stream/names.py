"""Which work order a person means: by its opaque key, a beginning of it that only one key has, the
reference line of its draft, or the id its mail came with.

One answer for every command. What lives elsewhere: how a key is made (``keys``), work orders of
imported history (``swarm.shadow.history.names``).
"""

from collections.abc import Sequence

from swarm.errors import MalformedInputError, RefusedError
from swarm.intake.stream.keys import work_order_key
from swarm.patterns import linear
from swarm.store.database import Connection
from swarm.store.tombstone_rows import buried_as
from swarm.store.tombstones import tombstone

# By id as well as by the key made of it: an id may be spelt otherwise, the secret may have changed.
_NAMED = """
SELECT key FROM work_orders
 WHERE key IN (%(name)s, %(made)s) OR original_id = %(name)s
 ORDER BY key = %(name)s DESC, key = %(made)s DESC LIMIT 1
"""

_BEGUN = "SELECT key FROM work_orders WHERE starts_with(key, %s) ORDER BY key LIMIT 4"

_BEGINNING = linear(r"wo_([a-z2-7]{1,24})")
_REFERENCE = linear(r"SW-([A-Z2-7]{8})")  # the line ``swarm.publishing.ledger.marker`` makes
_SHOWN = 3


def find_key(connection: Connection, name: str, secret: str) -> str:
    """Return the key of the work order called ``name``.

    ``secret`` is what work-order keys are made with. Raises ``MalformedInputError``: none is called
    so, or more than one begins so (it names them); ``RefusedError``: it was erased.
    """
    columns = {"name": name, "made": work_order_key(secret, name)}
    row = connection.execute(_NAMED, columns).fetchone()
    if row is not None:
        return str(row["key"])
    if erased := buried_as(connection, [tombstone(secret, "id", name)]):
        raise RefusedError(f"it was {erased.sentence}", hint="nothing of it is kept here")
    if (begun := beginning(name)) and (key := the_only(keys_begun(connection, begun), name)):
        return key
    raise MalformedInputError(
        "no work order has this key or id", hint="`swarm status` lists the recent ones"
    )


def beginning(name: str) -> str | None:
    """Return the beginning of a key that ``name`` spells, as a key or as a draft's reference."""
    if found := _BEGINNING.fullmatch(name):
        return f"wo_{found.group(1)}"
    found = _REFERENCE.fullmatch(name.upper())
    return f"wo_{found.group(1).lower()}" if found else None


def keys_begun(connection: Connection, begun: str) -> tuple[str, ...]:
    """Return keys of work orders that begin so, in order; no more than it takes to name some."""
    return tuple(str(row["key"]) for row in connection.execute(_BEGUN, (begun,)))


def the_only(keys: Sequence[str], name: str) -> str | None:
    """Return the one key, None without any; raises ``MalformedInputError`` that names several."""
    if len(keys) > 1:
        more = " and more" if len(keys) > _SHOWN else ""
        raise MalformedInputError(
            f"{name} is the beginning of {', '.join(keys[:_SHOWN])}{more}", hint="give more of it"
        )
    return keys[0] if keys else None
