"""Rows of imported history: every statement that writes one, and which work orders are known.

Runs inside the caller's transaction. ``origin`` is always *history*: nothing here is live.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from psycopg.types.json import Jsonb

from swarm.intake.mail.clean import receive
from swarm.models import EscalationClass
from swarm.shadow.history.lines import LabelLine, OrderLine, OutcomeLine, SentLine
from swarm.shadow.likeness import act_of
from swarm.shadow.models import Act
from swarm.store.database import Connection, Row

LIVE: Final = "live"
HISTORY: Final = "history"

# One that was cut short is gone on with.
_UNFINISHED = """
SELECT id FROM history_imports
 WHERE mapping_sha256 = %s AND files = %s AND counts = '{}' ORDER BY id LIMIT 1
"""
_BEGIN = """
INSERT INTO history_imports (actor, mapping_sha256, files, counts) VALUES (%s, %s, %s, '{}')
RETURNING id
"""
_FINISH = "UPDATE history_imports SET counts = %s WHERE id = %s"
_STATES = """
SELECT work_order_key AS key, 'history' AS state FROM history_orders
 WHERE work_order_key = ANY(%(keys)s)
 UNION ALL SELECT key, 'live' FROM work_orders WHERE key = ANY(%(keys)s)
"""
_ORDER = """
INSERT INTO history_orders (work_order_key, original_id, body, received_at, thread, crm, import_id,
                            language)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_OUTCOME = """
INSERT INTO legacy_outcomes (work_order_key, origin, escalated, reasons, recipient, subject,
                             body_text, policy_version, line_sha256, decided_at)
VALUES (%s, 'history', %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_OFFERED = """
SELECT work_order_key AS key, escalated, body_text, decided_at FROM legacy_outcomes
 WHERE work_order_key = ANY(%s)
"""
_REPLY = """
INSERT INTO reply_outcomes (work_order_key, origin, publisher, act, detail, similarity, offered_at,
                            acted_at, sent_text, conversation_id)
VALUES (%s, 'history', %s, %s, 'imported', %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_LABELLED = """
SELECT work_order_key AS key, classes FROM danger_labels
 WHERE work_order_key = ANY(%s) AND source = 'import'
"""
_LABEL = """
INSERT INTO danger_labels (work_order_key, classes, source, actor, reason)
VALUES (%s, %s, 'import', %s, 'imported with history')
"""


def begin(
    connection: Connection, actor: str, mapping: str, files: Sequence[Mapping[str, object]]
) -> int:
    """Return the number of an import: of the one that was cut short over the same files, or new."""
    named = Jsonb(list(files))
    row = connection.execute(_UNFINISHED, (mapping, named)).fetchone()
    row = row or connection.execute(_BEGIN, (actor, mapping, named)).fetchone()
    return int(row["id"]) if row else 0


def finish(connection: Connection, number: int, counts: Mapping[str, object]) -> None:
    """Write the summary of an import."""
    connection.execute(_FINISH, (Jsonb(dict(counts)), number))


def states(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    """Return which of these work orders are known, and as what; the live one counts."""
    found = connection.execute(_STATES, {"keys": list(keys)}).fetchall()
    return {row["key"]: row["state"] for row in found}


def with_outcome(connection: Connection, keys: Sequence[str]) -> frozenset[str]:
    """Return for which of these it is known what legacy decided."""
    return frozenset(row["key"] for row in connection.execute(_OFFERED, (list(keys),)))


def with_reply(connection: Connection, keys: Sequence[str]) -> frozenset[str]:
    """Return for which of these it is known what a person did."""
    statement = "SELECT work_order_key AS key FROM reply_outcomes WHERE work_order_key = ANY(%s)"
    return frozenset(row["key"] for row in connection.execute(statement, (list(keys),)))


def labelled_so(connection: Connection, lines: Sequence[tuple[str, LabelLine]]) -> frozenset[str]:
    """Return which of these an import has given the same classes before."""
    found = connection.execute(_LABELLED, ([key for key, _ in lines],)).fetchall()
    given = {(row["key"], tuple(row["classes"])) for row in found}
    return frozenset(key for key, line in lines if (key, _names(line.classes)) in given)


def add_orders(connection: Connection, number: int, lines: Sequence[OrderLine]) -> None:
    """Add work orders of before."""
    values = [
        (
            line.order.key, line.order.original_id, Jsonb(line.order.model_dump(mode="json")),
            line.order.received_at,
            Jsonb(line.thread.model_dump(mode="json")) if line.thread else None,
            Jsonb(line.crm.model_dump(mode="json")) if line.crm else None,
            number,
            receive(line.order).language,
        )
        for line in lines
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(_ORDER, values)


def add_outcomes(connection: Connection, lines: Sequence[tuple[str, OutcomeLine, str]]) -> None:
    """Add what legacy decided; each line with its key and hash."""
    values = [
        (
            key, line.decision == "escalate", Jsonb(list(line.reasons)), line.recipient,
            line.subject, line.body_text, line.policy_version, sha256, line.decided_at,
        )
        for key, line, sha256 in lines
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(_OUTCOME, values)


def add_replies(
    connection: Connection, lines: Sequence[tuple[str, SentLine]], signature: str
) -> None:
    """Add what was sent; what became of legacy's draft is told by how alike the two are."""
    keys = [key for key, _ in lines]
    offered = {row["key"]: row for row in connection.execute(_OFFERED, (keys,))}
    values = [_reply(key, line, offered.get(key), signature) for key, line in lines]
    with connection.cursor() as cursor:
        cursor.executemany(_REPLY, values)


def add_labels(connection: Connection, lines: Sequence[tuple[str, LabelLine]], actor: str) -> None:
    """Add labels."""
    values = [(key, _plain(line.classes), actor) for key, line in lines]
    with connection.cursor() as cursor:
        cursor.executemany(_LABEL, values)


def _reply(key: str, line: SentLine, offered: Row | None, signature: str) -> tuple[object, ...]:
    drafted = offered is not None and not offered["escalated"]
    act, alike = _act(line, str(offered["body_text"]) if offered and drafted else None, signature)
    when: datetime | None = offered["decided_at"] if offered and drafted else None
    return (
        key, "legacy" if drafted else None, act, alike, when, line.sent_at, line.text,
        line.conversation_id,
    )  # fmt: skip


def _act(line: SentLine, offered: str | None, signature: str) -> tuple[Act, float | None]:
    if line.act is not None:
        return line.act, None
    if offered is None or line.text is None:
        return Act.ANSWERED_OTHERWISE, None
    return act_of(offered, line.text, signature)


def _plain(classes: Sequence[EscalationClass]) -> Jsonb:
    return Jsonb(list(_names(classes)))


def _names(classes: Sequence[EscalationClass]) -> tuple[str, ...]:
    return tuple(sorted(each.value for each in classes))
