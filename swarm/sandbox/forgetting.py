"""Forgetting a person in all doubles at once: what real services leave to people, here one call.

A row goes when it is his: a mail he wrote, one written to nobody but him, a draft and a delivery of
his work orders, his contact and the deals nobody else has. A row of somebody else that merely names
him stays, as it would in a real mailbox. Only the model's transcript and monday.com's replay cache
say nobody's name: there every row that speaks of him goes. The file is rewritten afterwards, so
that deleted text does not stay in its free pages.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from swarm.sandbox.state import Json, State

# Nobody's rows: table, what identifies one, and all it says.
_UNSIGNED = (
    ("model_calls", "id", "request || ' ' || answer"),
    ("idempotency", "key", "key || ' ' || answer"),
)

# His contacts, and what is linked with them and with nobody who has an address and stays.
_CONTACTS = """
WITH his AS (SELECT item FROM item_emails WHERE email = ?),
     pairs AS (SELECT item AS one, target AS other FROM item_links
                UNION SELECT target, item FROM item_links)
SELECT item FROM his
 UNION SELECT one FROM pairs
 WHERE other IN (SELECT item FROM his) AND one NOT IN (SELECT item FROM item_emails)
   AND NOT EXISTS (SELECT 1 FROM pairs p JOIN item_emails e ON e.item = p.other
                    WHERE p.one = pairs.one AND p.other NOT IN (SELECT item FROM his))
"""

# What hangs on a row that goes.
_ORPHANS = (
    """DELETE FROM item_links WHERE item NOT IN (SELECT id FROM items)
        OR target NOT IN (SELECT id FROM items)""",
    "DELETE FROM item_emails WHERE item NOT IN (SELECT id FROM items)",
    "DELETE FROM updates WHERE item NOT IN (SELECT id FROM items)",
    "DELETE FROM properties WHERE message NOT IN (SELECT pk FROM messages)",
    "DELETE FROM transit WHERE message NOT IN (SELECT pk FROM messages)",
    "DELETE FROM changes WHERE immutable_id NOT IN (SELECT immutable_id FROM messages)",
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Whom to forget: an address (empty: only work orders), mails by id, work orders by key.

    ``signed``: Message-IDs, each with its sender's address, because broken senders reuse them.
    """

    address: str = ""
    ids: frozenset[str] = frozenset()
    signed: frozenset[tuple[str, str]] = frozenset()
    keys: frozenset[str] = frozenset()

    @property
    def needles(self) -> tuple[str, ...]:
        """The texts that name him."""
        return tuple(filter(None, (self.address, *self.ids, *self.keys, *dict(self.signed))))

    def wrote(self, row: sqlite3.Row) -> bool:
        """Whether a message is one of the mails, his, or written to nobody but him."""
        said = json.loads(row["body"])
        senders = {*_addresses(said, "from", "sender")}
        if {row["immutable_id"], row["rest_id"]} & self.ids:
            return True
        if any((row["internet_message_id"], sender) in self.signed for sender in senders):
            return True
        read = {*_addresses(said, "toRecipients", "ccRecipients")}
        his = {*senders, *_addresses(said, "replyTo")}
        return bool(self.address) and (self.address in his or read == {self.address})

    def was_sent(self, row: sqlite3.Row) -> bool:
        """Whether a delivery was for one of the work orders, or for nobody but him."""
        said = json.loads(row["payload"])
        if not isinstance(said, dict):
            return False
        read = {part for name in ("to", "cc") for part in str(said.get(name) or "").split(",")}
        return said.get("idempotency_key") in self.keys or (
            bool(self.address) and {part.lower() for part in read if part} == {self.address}
        )


def forgotten(wanted: Mapping[str, object]) -> Forgotten:
    """Read whom to forget from a request: address, ids, signed, keys."""
    pairs = wanted.get("signed")
    return Forgotten(
        address=str(wanted.get("address") or "").lower(),
        ids=frozenset(_texts(wanted.get("ids"))),
        signed=frozenset(
            (str(name), str(sender).lower())
            for name, sender in (pairs if isinstance(pairs, list) else ())
        ),
        keys=frozenset(_texts(wanted.get("keys"))),
    )


def forget(state: State, who: Forgotten) -> int:
    """Delete every row that is his; returns how many."""
    with state.transaction() as connection:
        gone = _forget_posts(connection, who) + _forget_contacts(connection, who.address)
        gone += sum(_forget_saying(connection, needle) for needle in who.needles)
        for statement in _ORPHANS:
            connection.execute(statement)
    state.connection.execute("VACUUM")
    state.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return gone


def _forget_posts(connection: sqlite3.Connection, who: Forgotten) -> int:
    deliveries = _picked(connection, "deliveries", who.was_sent)
    drafts = {row["draft_id"] for row in deliveries} - {None}
    marks = connection.execute("SELECT message, value FROM properties").fetchall()
    marked = {row["message"] for row in marks if row["value"] in who.keys}

    def his(row: sqlite3.Row) -> bool:
        return row["immutable_id"] in drafts or row["pk"] in marked or who.wrote(row)

    messages = _picked(connection, "messages", his)
    return _delete(connection, "deliveries", "id", [row["id"] for row in deliveries]) + _delete(
        connection, "messages", "pk", [row["pk"] for row in messages]
    )


def _forget_contacts(connection: sqlite3.Connection, address: str) -> int:
    found = connection.execute(_CONTACTS, (address,)).fetchall() if address else []
    return _delete(connection, "items", "id", [row["item"] for row in found])


def _forget_saying(connection: sqlite3.Connection, needle: str) -> int:
    return sum(
        connection.execute(
            f"DELETE FROM {table} WHERE {identity} IN"
            f" (SELECT {identity} FROM {table} WHERE instr(lower({said}), ?) > 0)",
            (needle.lower(),),
        ).rowcount
        for table, identity, said in _UNSIGNED
    )


def _picked(
    connection: sqlite3.Connection, table: str, his: Callable[[sqlite3.Row], bool]
) -> list[sqlite3.Row]:
    return [row for row in connection.execute(f"SELECT * FROM {table}") if his(row)]


def _delete(
    connection: sqlite3.Connection, table: str, identity: str, these: Sequence[object]
) -> int:
    wanted = [(each,) for each in these]
    connection.executemany(f"DELETE FROM {table} WHERE {identity} = ?", wanted)
    return len(wanted)


def _addresses(said: Json, *names: str) -> Iterator[str]:
    for name in names:
        value = said.get(name)
        for each in value if isinstance(value, list) else [value]:
            person = each.get("emailAddress") if isinstance(each, dict) else None
            if isinstance(person, dict) and person.get("address"):
                yield str(person["address"]).lower()


def _texts(value: object) -> list[str]:
    return [str(each) for each in value if each] if isinstance(value, list) else []
