"""Forgetting a person in all doubles at once: what real services leave to people, here one call.

The file is rewritten afterwards, so that deleted text does not stay in its free pages.
"""

from collections.abc import Sequence

from swarm.sandbox.state import State

# Table, what identifies a row, and every column that may say who somebody is.
_SAYING = (
    (
        "messages",
        "pk",
        "immutable_id || ' ' || rest_id || ' ' || internet_message_id || ' ' || body",
    ),
    ("items", "id", "name || ' ' || cells"),
    ("deliveries", "id", "payload || ' ' || coalesce(detail, '')"),
    ("model_calls", "id", "request || ' ' || answer"),
    ("idempotency", "key", "key || ' ' || answer"),
)

# What hangs on a row that goes, or said the same again.
_ORPHANS = (
    """DELETE FROM items WHERE id IN (
        SELECT target FROM item_links WHERE item NOT IN (SELECT id FROM items)
         UNION SELECT item FROM item_links WHERE target NOT IN (SELECT id FROM items))""",
    """DELETE FROM item_links WHERE item NOT IN (SELECT id FROM items)
        OR target NOT IN (SELECT id FROM items)""",
    "DELETE FROM item_emails WHERE item NOT IN (SELECT id FROM items)",
    "DELETE FROM updates WHERE item NOT IN (SELECT id FROM items)",
    "DELETE FROM properties WHERE message NOT IN (SELECT pk FROM messages)",
    "DELETE FROM changes WHERE immutable_id NOT IN (SELECT immutable_id FROM messages)",
)


def forget(state: State, needles: Sequence[str]) -> int:
    """Delete every row in which one of these texts stands; returns how many rows said so."""
    with state.transaction() as connection:
        gone = 0
        for table, identity, said in _SAYING:
            for needle in needles:
                gone += connection.execute(
                    f"DELETE FROM {table} WHERE {identity} IN"
                    f" (SELECT {identity} FROM {table} WHERE instr(lower({said}), ?) > 0)",
                    (needle.lower(),),
                ).rowcount
        for statement in _ORPHANS:
            connection.execute(statement)
    state.connection.execute("VACUUM")
    state.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return gone
