"""The one act: a person says that he has taken an escalation on. First one wins; all are told."""

from datetime import datetime

from swarm.errors import MalformedInputError
from swarm.intake.stream.names import find_key
from swarm.models import Noun
from swarm.store.alerts import acknowledge_escalation
from swarm.store.database import Database

_WHO = """
SELECT acknowledged_by AS by, acknowledged_at AS at FROM escalations WHERE work_order_key = %s
"""

LONGEST_NAME = 120  # characters


class Taken(Noun):
    """What came of it: ``now`` False means that ``by`` was there before; None: nothing to take."""

    key: str
    now: bool
    by: str | None = None
    at: datetime | None = None


def acknowledge(database: Database, name: str, who: str, *, secret: str) -> Taken:
    """Note that ``who`` has taken the escalation called ``name``; compare-and-set.

    Raises ``MalformedInputError`` for a work order that is none, and for a name of a person that is
    empty, longer than 120 characters, or holds more than print.
    """
    person = " ".join(who.split())
    if not person or len(person) > LONGEST_NAME or not person.isprintable():
        raise MalformedInputError("whoever takes it needs a name of up to 120 plain characters")
    with database.transaction() as connection:
        connection.execute("SET TRANSACTION READ WRITE")  # a login that reads says what it does
        key = find_key(connection, name, secret)
        now = acknowledge_escalation(connection, key, person)
        row = connection.execute(_WHO, (key,)).fetchone() or {}
    return Taken(key=key, now=now, **row)
