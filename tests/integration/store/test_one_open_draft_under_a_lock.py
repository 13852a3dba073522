"""Of two mails of one customer that are enqueued at once, the second waits and sees the first."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pytest

from swarm.intake.stream.rows import accept
from swarm.models import Address, MessageRef, WorkOrder
from swarm.store.contacts import drafted_meanwhile
from swarm.store.database import Database

pytestmark = pytest.mark.integration

_TAKE = "UPDATE work_orders SET state = 'publishing' WHERE key = %s"
_END = "UPDATE work_orders SET state = %s, final_at = now() - %s WHERE key = %s"


def mail(
    name: str,
    sender: str = "jane@customer.example",
    *,
    conversation: str = "",
    references: tuple[str, ...] = (),
) -> WorkOrder:
    return WorkOrder(
        key="wo_" + name * 12,
        original_id=f"WO-{name}",
        ref=MessageRef(
            mailbox="desk@ours.example",
            internet_message_id=f"<{name}@x>",
            conversation_id=conversation or f"c-{name}",
        ),
        sender=Address(address=sender),
        references=references,
        subject="Where is my parcel?",
        received_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        source="test",
    )


def take_in(database: Database, *orders: WorkOrder) -> None:
    with database.transaction() as connection:
        accept(connection, orders)


FIRST = mail("aa")
OTHER = "ole@customer.example"
RELATED = {
    "the same customer": mail("bb"),
    "it follows the first": mail("bb", OTHER, references=("<aa@x>",)),
    "the same conversation": mail("bb", OTHER, conversation="c-aa"),
}


@pytest.mark.parametrize("second", RELATED.values(), ids=RELATED.keys())
@pytest.mark.parametrize("backwards", [False, True])
def test_the_second_waits_for_the_first_and_finds_it(
    database: Database, second: WorkOrder, *, backwards: bool
) -> None:
    one, two = (second, FIRST) if backwards else (FIRST, second)
    take_in(database, one, two)

    def asks() -> str | None:
        with database.transaction() as connection:
            return drafted_meanwhile(connection, two)

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as connection:
            assert drafted_meanwhile(connection, one) is None
            connection.execute(_TAKE, (one.key,))
            asked = pool.submit(asks)
            assert not wait([asked], timeout=0.5).done
        assert asked.result(timeout=10) == one.key


def test_another_customer_waits_for_nobody(database: Database) -> None:
    stranger = mail("bb", OTHER)
    take_in(database, FIRST, stranger)
    with database.transaction() as connection:
        connection.execute(_TAKE, (FIRST.key,))
    with database.transaction() as connection:
        assert drafted_meanwhile(connection, stranger) is None


@pytest.mark.parametrize(
    ("state", "minutes", "seen"),
    [("published", 0, True), ("published", 9, False), ("held", 0, True), ("escalated", 0, False)],
)
def test_what_ended_before_the_judging_run_began_was_seen_by_it(
    database: Database, state: str, minutes: int, *, seen: bool
) -> None:
    second = RELATED["the same customer"]
    take_in(database, FIRST, second)
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO workflow_runs (run_id, work_order_key, attempt, token, started_at)"
            " VALUES ('r', %s, 1, 1, now() - interval '5 minutes')", (second.key,),
        )  # fmt: skip
        connection.execute(
            "INSERT INTO artifacts (work_order_key, stage, token, attempt, run_id, body, sha256)"
            " VALUES (%s, 'context', 1, 1, 'r', '{}', 'x')", (second.key,),
        )  # fmt: skip
        connection.execute(_END, (state, timedelta(minutes=minutes), FIRST.key))
        assert (drafted_meanwhile(connection, second) == FIRST.key) is seen
