"""What a mail is found by: its addresses, ids, numbers and the words of its sender and subject.

Written in the transaction that accepts a work order, and for those of before by the migrator
(``catch_up``). The text itself is not kept here a second time, only its numbers. Folded alike on
both sides, so that ``Müller`` finds ``MULLER``. What lives elsewhere: asking
(``swarm.observe.review.search``), erasing (``swarm.lifecycle``: every table that names a work
order).
"""

from collections.abc import Iterator, Sequence

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from pydantic import ValidationError

from swarm.clients.outlook_messages import html_to_text
from swarm.models import WorkOrder
from swarm.patterns import linear
from swarm.safety.words import fold
from swarm.store.database import Connection

_WORD = linear(r"[^\W_]{1,64}")
_TOKEN = linear(r"[0-9A-Za-z]{1,40}(?:[-_/.][0-9A-Za-z]{1,40}){0,5}")
_DIGITS = linear(r"\d{3,40}")
_MOST_TEXT = 100_000  # characters read for numbers
_MOST_WORDS, _MOST_NUMBERS, _MOST_IDS = 200, 200, 10
_LONGEST_NUMBER = 40
_LONGEST_ID = 1000  # an entry of a GIN index may have a third of a page
_AT_ONCE = 500

_REMEMBER = """
INSERT INTO mail_search (work_order_key, received_at, addresses, ids, numbers, words)
SELECT key, (mail->>'received_at')::timestamptz,
       array(SELECT jsonb_array_elements_text(mail->'addresses')),
       array(SELECT jsonb_array_elements_text(mail->'ids')),
       array(SELECT jsonb_array_elements_text(mail->'numbers')),
       array(SELECT jsonb_array_elements_text(mail->'words'))
  FROM unnest(%(keys)s::text[], %(mails)s::jsonb[]) AS one (key, mail)
ON CONFLICT (work_order_key) DO NOTHING
"""

_UNKNOWN = """
SELECT w.key, w.body, w.accepted_at FROM work_orders w
 WHERE w.key > %(after)s
   AND NOT EXISTS (SELECT 1 FROM mail_search m WHERE m.work_order_key = w.key)
 ORDER BY w.key LIMIT %(limit)s
"""


def words_of_search(text: str) -> tuple[str, ...]:
    """Return the words of a text as they are kept and asked for: folded, each once, in order."""
    folded = (fold(word) for word in _WORD.findall(text))
    return tuple(dict.fromkeys(word for word in folded if word))[:_MOST_WORDS]


def numbers_of(text: str) -> tuple[str, ...]:
    """Return what may be an order number: ``AB-10482`` gives ``ab10482`` and ``10482``."""
    return tuple(dict.fromkeys(_numbers(text)))[:_MOST_NUMBERS]


def remember(connection: Connection, orders: Sequence[WorkOrder]) -> None:
    """Keep what these mails are found by; runs in the transaction that accepts them."""
    if orders:
        values = {
            "keys": [order.key for order in orders],
            "mails": [Jsonb(_found_by(order)) for order in orders],
        }
        connection.execute(_REMEMBER, values)


def catch_up(url: str) -> int:
    """Keep what work orders of before are found by; returns how many. For the migrator's login.

    In batches of their own transactions: cut short, the next start goes on.
    """
    done, after = 0, ""
    options = "-c search_path=swarm,public -c swarm.migrating=on"
    with psycopg.connect(url, autocommit=True, options=options, row_factory=dict_row) as connection:
        values = {"after": after, "limit": _AT_ONCE}
        while rows := connection.execute(_UNKNOWN, values).fetchall():
            read = (_order(row["body"]) for row in rows)
            remember(connection, [order for order in read if order is not None])
            done, values["after"] = done + len(rows), rows[-1]["key"]
    return done


def _order(body: object) -> WorkOrder | None:
    try:
        return WorkOrder.model_validate(body)
    except ValidationError:
        return None  # the audit names it


def _found_by(order: WorkOrder) -> dict[str, object]:
    parties = (order.sender, *order.reply_to)
    named = " ".join(f"{party.name} {party.address}" for party in parties)
    ref = order.ref
    ids = (order.original_id, ref.message_id, (ref.internet_message_id or "").strip("<> "))
    return {
        "received_at": order.received_at.isoformat(),
        "addresses": _short([party.address.lower() for party in parties]),
        "ids": _short([each for each in ids if each]),
        "numbers": numbers_of(f"{order.subject}\n{_text(order)}"),
        "words": words_of_search(f"{named} {order.subject}"),
    }


def _text(order: WorkOrder) -> str:
    text = order.body_text or html_to_text(order.body_html[: 4 * _MOST_TEXT])
    return text[:_MOST_TEXT]


def _numbers(text: str) -> Iterator[str]:
    for token in _TOKEN.findall(text):
        whole = "".join(each for each in token.lower() if each.isalnum())
        runs = _DIGITS.findall(token)
        if runs and len(whole) <= _LONGEST_NUMBER:
            yield whole
            yield from runs


def _short(texts: Sequence[str]) -> list[str]:
    known = dict.fromkeys(text for text in texts if len(text.encode()) <= _LONGEST_ID)
    return list(known)[:_MOST_IDS]
