"""The one act of the desk: somebody takes an escalation, once, by name, under its own login."""

from collections.abc import Iterator

import pytest
from desk_server import USER, ServedDesk, served_desk
from live_installation import SECRET, Installation
from parted_roles import Parted, parted_server
from psycopg.types.json import Jsonb

from swarm.models import Address, Fence, MessageRef, Reason, WorkOrder
from swarm.store.database import Database
from swarm.store.mail_search import remember
from swarm.store.postgres import PostgresStore
from swarm.store.roles import Role
from swarm.store.writers import foreign_writers

pytestmark = pytest.mark.integration

KEY = "wo_" + "c" * 24


@pytest.fixture(scope="module")
def parted() -> Iterator[Parted]:
    with parted_server() as server:
        yield server


@pytest.fixture
def waiting(parted: Parted) -> Iterator[str]:
    """An escalation nobody has taken; its alert stands."""
    database = Database(parted.logins.url(Role.WORKER))
    order = WorkOrder.model_validate(
        {
            "key": KEY,
            "original_id": "mail-1",
            "ref": MessageRef(mailbox="service@example.com"),
            "sender": Address(address="ada@example.org", name="Ada"),
            "subject": "I will sue",
            "body_text": "See you in court.",
            "received_at": "2026-11-23T08:00:00Z",
            "source": "test",
        }
    )
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO work_orders (key, original_id, body, state) VALUES (%s, 'mail-1', %s,"
            " 'running')",
            (KEY, Jsonb(order.model_dump(mode="json"))),
        )
        connection.execute(
            "INSERT INTO swarm_jobs (work_order_key, state, attempt, token, run_id)"
            " VALUES (%s, 'running', 1, 1, 'run')",
            (KEY,),
        )
        remember(connection, [order])
    fence = Fence(work_order_key=KEY, run_id="run", attempt=1, token=1)
    reason = Reason(rule="ES-01", detail="safety: somebody was hurt", classes=("safety",))
    assert PostgresStore(database).escalate(fence, [reason])
    database.close()
    yield KEY
    with parted.superuser() as connection:
        connection.execute("TRUNCATE work_orders, alerts CASCADE")


@pytest.fixture
def desk(parted: Parted, waiting: str) -> Iterator[ServedDesk]:
    with served_desk(parted.logins.url(Role.DESK), secret="s") as served:
        yield served


def test_who_takes_it_is_recorded_by_the_login_of_the_desk_and_its_alert_ends(
    desk: ServedDesk, parted: Parted, waiting: str
) -> None:
    assert "<button" in desk.get("/escalations", **{USER: "ada"}).text.split("</header>", 1)[1]
    done = desk.acknowledge(waiting, who="ada.lovelace@example.com")
    assert (done.status_code, done.headers["location"]) == (303, f"/work-orders/{waiting}#people")
    with parted.connect(Role.READER) as reader:
        row = reader.execute("SELECT acknowledged_by, writer FROM escalations").fetchone()
        assert row == {"acknowledged_by": "ada.lovelace@example.com", "writer": "swarm_desk"}
        assert reader.execute("SELECT 1 FROM alerts WHERE resolved_at IS NULL").fetchone() is None
        assert foreign_writers(reader, None) == ()
    assert "ada.lovelace@example.com" in desk.get(f"/work-orders/{waiting}").text


def test_whoever_comes_second_is_told_who_was_first(desk: ServedDesk, waiting: str) -> None:
    assert desk.acknowledge(waiting, who="ada").status_code == 303
    second = desk.acknowledge(waiting, who="ben")
    assert second.status_code == 409
    assert "<strong>ada</strong> has taken it" in second.text


def test_every_page_is_read_by_the_login_of_the_desk(desk: ServedDesk, waiting: str) -> None:
    paths = ("/", "/drafts", "/escalations", "/search?q=ada", f"/work-orders/{waiting}")
    assert {path: desk.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)
    assert waiting in desk.get("/search?q=sue+ada@example.org").text


def test_the_login_of_the_desk_writes_nothing_else(parted: Parted, waiting: str) -> None:
    with parted.connect(Role.DESK) as desk:
        shown = desk.execute("SHOW default_transaction_read_only").fetchone()
        assert shown == {"default_transaction_read_only": "on"}
        desk.execute("SET default_transaction_read_only = off")
        for statement in (
            "UPDATE work_orders SET state = 'published'",
            "UPDATE escalations SET owner = 'nobody'",
            "DELETE FROM escalations",
            "UPDATE alerts SET detail = ''",
            "SELECT 1 FROM certificates",
            "SELECT 1 FROM history_orders",
        ):
            with pytest.raises(Exception, match="permission denied"):
                desk.execute(statement.encode())


def test_a_desk_that_only_reads_shows_no_form_and_takes_nothing(
    parted: Parted, waiting: str
) -> None:
    with served_desk(parted.logins.url(Role.DESK), secret="s", read_only=True) as desk:
        page = desk.get("/escalations", **{USER: "ada"}).text
        assert "This view is read only." in page
        assert "<button" not in page.split("</header>", 1)[1]
        assert desk.acknowledge(waiting).status_code == 403


def test_what_waits_for_nobody_cannot_be_taken(house: Installation) -> None:
    with served_desk(house.database.url, secret=SECRET) as other:
        assert other.acknowledge(house.keys["published"]).status_code == 404
