"""Who is meant by an erasure: which work orders, which mails, and by which words they are found.

Reads only. An address means every work order it wrote or is to be answered at, and every line of
the intake files it sent, work order or not; a key or an id means one work order.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from swarm.errors import MalformedInputError, RefusedError
from swarm.intake.stream.names import beginning
from swarm.legacy.jsonl import complete_lines
from swarm.lifecycle.names import names_of, safe_to_search
from swarm.publishing.ledger.marker import draft_marker
from swarm.shadow.history.names import find_any_key
from swarm.store.database import Connection, Row
from swarm.store.tombstones import MailName, address_of, mail_name, tombstone

_SHORTEST_NEEDLE = 6  # a shorter id would be found in half the database

_BY_ADDRESS = """
SELECT key FROM work_orders
 WHERE lower(body->'sender'->>'address') = %(address)s
    OR EXISTS (SELECT 1 FROM jsonb_array_elements(body->'reply_to') AS one
                WHERE lower(one->>'address') = %(address)s)
 ORDER BY accepted_at, key
"""

_HISTORY_BY_ADDRESS = """
SELECT work_order_key AS key FROM history_orders
 WHERE lower(body->'sender'->>'address') = %(address)s
    OR EXISTS (SELECT 1 FROM jsonb_array_elements(body->'reply_to') AS one
                WHERE lower(one->>'address') = %(address)s)
 ORDER BY received_at, work_order_key
"""

# Known from here when an erasure was cut short after it had blanked the list.
_SORTED_OUT = """
SELECT original_id AS id, sender FROM sorted_out
 WHERE lower(sender) = %(address)s OR position('<' || %(address)s || '>' IN lower(sender)) > 0
"""

_BODIES = """
SELECT original_id AS id, body FROM work_orders WHERE key = ANY(%(keys)s)
 UNION ALL SELECT body->>'original_id', body FROM revision WHERE work_order_key = ANY(%(keys)s)
 UNION ALL SELECT original_id, body FROM history_orders WHERE work_order_key = ANY(%(keys)s)
"""


@dataclass(frozen=True, slots=True)
class ErasureScope:
    """What is to be erased. ``address`` is empty when one work order is meant; ``people`` is how
    those who wrote it are called.
    """

    name: str
    address: str
    keys: tuple[str, ...]
    mails: frozenset[MailName]
    people: frozenset[str] = frozenset()

    @property
    def asked_for(self) -> str:
        """What the record says was asked for."""
        return "address" if self.address else "work order"

    @property
    def references(self) -> tuple[str, ...]:
        """The lines by which drafts of these work orders are found in a mailbox."""
        return tuple(draft_marker(key) for key in self.keys)

    def hashes(self, secret: str) -> frozenset[str]:
        """Return the tombstones of everything meant; an address may write again and has none."""
        names = {*self.keys, *self.references}
        if not self.address:
            names.add(self.name)
        made = {tombstone(secret, "id", name) for name in names}
        return frozenset(made).union(*(mail.tombstones(secret) for mail in self.mails))

    def needles(self) -> tuple[str, ...]:
        """Return the texts that name whom this is about, lower-cased, longest first."""
        said = {self.address, self.name, *self.keys, *self.references}
        for mail in self.mails:
            said |= {mail.id, mail.message_id, mail.internet_message_id.strip("<>")}
        wanted = {each.strip("<> ").lower() for each in said}
        return tuple(sorted((n for n in wanted if len(n) >= _SHORTEST_NEEDLE), key=_longest_first))

    def telling_names(self) -> tuple[str, ...]:
        """Return the names of people that are safe to search for everywhere, lower-cased."""
        safe = {name.lower() for name in self.people if safe_to_search(name)}
        return tuple(sorted(safe, key=_longest_first))

    def whom(self) -> dict[str, object]:
        """Return whom the doubles are to forget: rows are told by whose they are, not by words."""
        return {
            "address": self.address,
            "keys": list(self.keys),
            "ids": sorted({mail.message_id for mail in self.mails if mail.message_id}),
            "signed": sorted([m.internet_message_id, m.sender] for m in self.mails
                             if m.internet_message_id and m.sender),
        }  # fmt: skip

    def about(self, line: bytes) -> bool:
        """Whether a line of an intake or legacy file is one of these mails; an unreadable line is
        when it names one.
        """
        lowered = line.lower()
        if not any(spelling in lowered for n in self.needles() for spelling in _spellings(n)):
            return False
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return True
        return not isinstance(said, dict) or self._means(said)

    def _means(self, said: Mapping[str, object]) -> bool:
        name = mail_name(said)
        if name.id and name.id.casefold() in {mail.id.casefold() for mail in self.mails}:
            return True
        if name.message_id and name.message_id in {mail.message_id for mail in self.mails}:
            return True
        same = {(mail.internet_message_id, mail.sender) for mail in self.mails}
        if name.internet_message_id and (name.internet_message_id, name.sender) in same:
            return True
        return bool(self.address) and self.address in written_by(said)


def find_scope(connection: Connection, name: str, secret: str) -> ErasureScope:
    """Return what a key, an id or an address means.

    Raises ``MalformedInputError`` when it is neither. What was erased before is found again by its
    id alone: its lines may have come back.
    """
    wanted = name.strip()
    try:
        keys, address = (find_any_key(connection, wanted, secret),), ""
        wanted = keys[0] if beginning(wanted) else wanted  # half a key would name others, too
    except RefusedError:
        return ErasureScope(wanted, "", (), frozenset({MailName(id=wanted)}))
    except MalformedInputError:
        if "@" not in wanted:
            raise
        address = wanted.strip("<>").casefold()
        asked = {"address": address}
        rows = connection.execute(_BY_ADDRESS, asked).fetchall()
        rows += connection.execute(_HISTORY_BY_ADDRESS, asked).fetchall()
        keys = tuple(dict.fromkeys(row["key"] for row in rows))
    bodies = connection.execute(_BODIES, {"keys": list(keys)}).fetchall()
    ignored = _sorted_out(connection, address)
    mails = {*(_name_of(row) for row in bodies)}
    mails |= {MailName(id=row["id"], sender=address) for row in ignored}
    people = {name for row in [*(row["body"] for row in bodies), *ignored]
              for name in names_of(row, [address] if address else written_by(row))}  # fmt: skip
    return ErasureScope(wanted, address, keys, frozenset(mails), frozenset(people))


def with_mails_of(scope: ErasureScope, files: Iterable[Path]) -> ErasureScope:
    """Return the scope with every mail of its address that stands in these files."""
    if not scope.address:
        return scope
    mails, people = set(scope.mails), set(scope.people)
    for path in files:
        for said in _mails_in(scope, path):
            mails.add(mail_name(said))
            people.update(names_of(said, [scope.address]))
    return replace(scope, mails=frozenset(mails), people=frozenset(people))


def written_by(said: Mapping[str, object]) -> frozenset[str]:
    """Return the addresses a line's mail came from or is to be answered at."""
    answers = said.get("reply_to")
    several = answers if isinstance(answers, list) else []
    parties = [said.get("sender"), said.get("recipient"), *several]
    return frozenset(address for party in parties if (address := address_of(party)))


def _sorted_out(connection: Connection, address: str) -> Sequence[Row]:
    return connection.execute(_SORTED_OUT, {"address": address}).fetchall() if address else []


def _mails_in(scope: ErasureScope, path: Path) -> Iterable[Mapping[str, object]]:
    with path.open("rb") as file:
        for line, _ in complete_lines(file.fileno(), 0, path.stat().st_size):
            if scope.address.encode() in line.lower() and scope.about(line):
                try:
                    said = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(said, dict):
                    yield said


def _name_of(row: Row) -> MailName:
    return mail_name({**row["body"]["ref"], "id": row["id"], "sender": row["body"]["sender"]})


def _spellings(needle: str) -> tuple[bytes, ...]:
    return needle.encode(), json.dumps(needle)[1:-1].encode()


def _longest_first(text: str) -> tuple[int, str]:
    return -len(text), text
