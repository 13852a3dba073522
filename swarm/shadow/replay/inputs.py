"""What is known of work orders that are to be replayed, read in one go for many.

A live work order is replayed over what its newest run recorded: the mail, the conversation, the
CRM, and how many other mails of the customer waited then. One that is imported history is replayed
over what the import brought, completed by what history itself knows (``before``). A release by a
person is not repeated: the engine is asked what it thinks, not what somebody took on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from swarm.models import Context, Crm, Lookup, ModelCall, Received, Thread, WorkOrder
from swarm.shadow.models import Origin
from swarm.shadow.replay.before import Unknown, of_history
from swarm.stages.recorded import Recorded
from swarm.store.database import Connection, Database, Row

_LIVE = """
SELECT w.key, w.body,
       coalesce((SELECT jsonb_object_agg(a.stage, a.body) FROM (
           SELECT DISTINCT ON (stage) stage, body FROM artifacts
            WHERE work_order_key = w.key AND stage IN ('received', 'thread', 'crm', 'context')
            ORDER BY stage, token DESC) a), '{}') AS found
  FROM work_orders w WHERE w.key = ANY(%(keys)s)
"""

_HISTORY = """
SELECT work_order_key AS key, body, thread, crm FROM history_orders
 WHERE work_order_key = ANY(%(keys)s)
"""

_CALLS = """
SELECT work_order_key, purpose, request_sha256, model, prompt_sha256, answer, input_tokens,
       cached_tokens, output_tokens, cost, latency_ms
  FROM model_calls WHERE work_order_key = ANY(%(keys)s)
"""

_REPLAY_CALLS = """
SELECT body FROM replay_model_calls WHERE work_order_key = ANY(%(keys)s) AND pass = %(pass)s
"""


@dataclass(frozen=True, slots=True)
class Given:
    """A work order as it is replayed. ``facts`` says what was known, or why nothing is judged."""

    order: WorkOrder
    origin: Origin
    facts: Recorded | Unknown


def given(database: Database, keys: Sequence[str]) -> Mapping[str, Given]:
    """Return what is known of these work orders; those that nobody knows are left out."""
    with database.transaction() as connection:
        connection.execute("SET TRANSACTION READ ONLY")
        return dict(_found(connection, list(keys)))


def answers(database: Database, keys: Sequence[str], *, number: int) -> Sequence[ModelCall]:
    """Return the model's answers about these work orders, live ones and those of replays."""
    with database.transaction() as connection:
        paid = connection.execute(_REPLAY_CALLS, {"keys": list(keys), "pass": number}).fetchall()
        live = connection.execute(_CALLS, {"keys": list(keys)}).fetchall() if number == 1 else []
    return [
        *(ModelCall.model_validate(row) for row in live),
        *(ModelCall.model_validate(row["body"]) for row in paid),
    ]


def _found(connection: Connection, keys: list[str]) -> Iterator[tuple[str, Given]]:
    for row in connection.execute(_HISTORY, {"keys": keys}).fetchall():
        order = WorkOrder.model_validate(row["body"])
        yield row["key"], Given(order, Origin.HISTORY, of_history(connection, order, row))
    for row in connection.execute(_LIVE, {"keys": keys}).fetchall():  # the live one counts
        yield row["key"], _live(row)


def _live(row: Row) -> Given:
    accepted, found = WorkOrder.model_validate(row["body"]), row["found"]
    if missing := sorted({"received", "thread", "crm", "context"} - found.keys()):
        why = Unknown(f"the live run recorded no {', '.join(missing)}")
        return Given(accepted, Origin.LIVE, why)
    try:
        order = Received.model_validate(found["received"]).work_order
        thread, crm = Thread.model_validate(found["thread"]), Crm.model_validate(found["crm"])
        context = Context.model_validate(found["context"])
    except ValidationError:
        return Given(accepted, Origin.LIVE, Unknown("what the live run recorded is unreadable"))
    recorded = Recorded(
        thread=thread,
        crm=crm,
        elsewhere=_elsewhere(thread, context),
        rejected=context.rejected_drafts,
    )
    return Given(order, Origin.LIVE, recorded)


def _elsewhere(thread: Thread, context: Context) -> int:
    here = thread.inbound_unanswered if thread.lookup is Lookup.HIT else 1
    return max(0, context.inbound_unanswered - here) if here else 0
