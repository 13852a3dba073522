from datetime import UTC, datetime
from itertools import count

import pytest

from swarm.clients.monday import MondayClient
from swarm.clients.patience import Patience
from swarm.errors import (
    ConfigurationError,
    RateLimitedError,
    RemoteRefusedError,
    RemoteUnavailableError,
)
from swarm.sandbox.server import RunningSandbox
from swarm.settings import MondaySettings

pytestmark = pytest.mark.integration
HASTY = Patience(attempts=4, first_wait=0.005, longest_wait=0.02, total_seconds=5.0)
_numbers = count(1)


def fresh_email() -> str:
    return f"customer{next(_numbers)}@example.net"


def calls(sandbox: RunningSandbox) -> int:
    return int(str(sandbox.counts()["monday_calls_today"]))


def test_contact_deals_and_updates_cost_three_calls(
    sandbox: RunningSandbox, monday: MondayClient
) -> None:
    before = calls(sandbox)
    (contact,) = monday.contacts_by_email(["Anna.Keller@Example.org"])
    (deal,) = monday.deals_of([contact.item_id])
    updates = monday.updates_of([contact.item_id, deal.item_id])
    assert calls(sandbox) - before == 3
    shown = {field.column_id: field.text for field in deal.fields}
    assert (deal.name, shown["status"], shown["delivery_date"]) == (
        "Order 10482",
        "Shipped",
        "2026-11-27",
    )
    assert [update.item_id for update in updates] == [deal.item_id]


def test_relations_and_mirrors_show_their_display_value(monday: MondayClient) -> None:
    (contact,) = monday.contacts_by_email(["anna.keller@example.org"])
    shown = {field.column_id: field.text for field in contact.fields}
    assert (shown["deals"], shown["deal_status"]) == ("Order 10482", "Shipped")


def test_none_one_and_many_contacts_are_all_answers(
    sandbox: RunningSandbox, monday: MondayClient
) -> None:
    email = fresh_email()
    assert monday.contacts_by_email([email]) == ()
    twice = fresh_email()
    for name in ("One", "Two"):
        sandbox.add_contact(name, twice.upper())
    sandbox.add_contact("Gone", twice, state="archived")
    assert [contact.name for contact in monday.contacts_by_email([twice])] == ["One", "Two"]
    assert monday.contacts_by_email(["", " "]) == ()


def test_a_contact_is_remembered_for_five_minutes(
    sandbox: RunningSandbox, monday_settings: MondaySettings
) -> None:
    clock = [0.0]
    monday = MondayClient(monday_settings, patience=HASTY, monotonic=lambda: clock[0])
    before = calls(sandbox)
    for address in ("ben.ortiz@example.com", "BEN.ortiz@example.com "):
        assert len(monday.contacts_by_email([address])) == 1
    assert calls(sandbox) - before == 1
    clock[0] = 301.0
    monday.contacts_by_email(["ben.ortiz@example.com"])
    assert calls(sandbox) - before == 2
    monday.close()


@pytest.mark.parametrize("links", ["contact", "deal", "both"])
def test_deals_are_found_whichever_side_holds_the_link(
    sandbox: RunningSandbox, monday: MondayClient, links: str
) -> None:
    contact = sandbox.add_contact("Linked", fresh_email())
    other = sandbox.add_contact("Other", fresh_email())
    deal = sandbox.add_deal("Order 1", contact, links=links)
    sandbox.add_deal("Order 2", other, links=links)
    assert [item.item_id for item in monday.deals_of([contact])] == [deal]


def test_only_one_direction_is_asked_when_only_one_column_exists(
    sandbox: RunningSandbox, monday_settings: MondaySettings
) -> None:
    contact = sandbox.add_contact("One-way", fresh_email())
    sandbox.add_deal("Order 3", contact, links="contact")
    forward = monday_settings.model_copy(update={"deal_contact_column": ""})
    reverse = monday_settings.model_copy(update={"contact_deals_column": ""})
    for settings, expected in ((forward, 1), (reverse, 0)):
        monday = MondayClient(settings, patience=HASTY)
        assert len(monday.deals_of([contact])) == expected
        monday.close()


def test_many_deals_come_over_several_pages(sandbox: RunningSandbox, monday: MondayClient) -> None:
    contact = sandbox.add_contact("Busy", fresh_email())
    for number in range(101):
        sandbox.add_deal(f"Order {number}", contact, links="deal")
    assert len(monday.deals_of([contact])) == 101
    sandbox.fault("monday", "cursor_expired", times=1)
    assert len(monday.deals_of([contact])) == 101
    sandbox.fault("monday", "cursor_expired")
    with pytest.raises(RemoteUnavailableError):
        monday.deals_of([contact])


def test_updates_and_replies_are_newest_first(
    sandbox: RunningSandbox, monday: MondayClient
) -> None:
    item = sandbox.add_deal("Order with notes")
    first = sandbox.add_update(item, "First", author="Rosa")
    sandbox.add_update(item, "Answer", parent=first)
    sandbox.add_update(item, "Last")
    found = monday.updates_of([item])
    assert [update.text for update in found][-1] == "First"
    assert {update.text for update in found} == {"First", "Answer", "Last"}
    assert found[-1].author == "Rosa"


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("complexity", {"retry_in": 0}),
        ("legacy", {"retry_in": 0}),
        ("minute_limit", {"retry_after": 0}),
        ("field_limit", {}),
        ("internal", {}),
        ("locked", {}),
        ("status", {"status": 502}),
        ("reset", {}),
        ("broken_root", {}),
    ],
)
def test_reading_goes_on_after_passing_trouble(
    sandbox: RunningSandbox, monday: MondayClient, kind: str, options: dict[str, object]
) -> None:
    item = sandbox.add_deal("Order under trouble")
    sandbox.add_update(item, "Note")
    sandbox.fault("monday", kind, times=1, **options)
    if kind == "broken_root":
        with pytest.raises(RemoteRefusedError, match="InternalPartError"):
            monday.updates_of([item])
        return
    assert [update.text for update in monday.updates_of([item])] == ["Note"]


@pytest.mark.parametrize("kind", ["complexity", "legacy"])
def test_a_wait_longer_than_a_minute_is_handed_on(
    sandbox: RunningSandbox, monday: MondayClient, kind: str
) -> None:
    sandbox.fault("monday", kind, times=1, retry_in=90)
    with pytest.raises(RateLimitedError) as caught:
        monday.updates_of(["1"])
    assert caught.value.retry_after == 90


def test_a_blocked_token_pauses_and_is_not_asked_again(
    sandbox: RunningSandbox, monday: MondayClient
) -> None:
    sandbox.fault("monday", "blocked", times=1)
    before = calls(sandbox)
    with pytest.raises(RateLimitedError):
        monday.updates_of(["1"])
    assert calls(sandbox) - before == 1


def test_the_daily_limit_closes_the_client_until_midnight_utc(
    sandbox: RunningSandbox, monday_settings: MondaySettings
) -> None:
    now = [datetime(2026, 11, 23, 23, 59, tzinfo=UTC)]
    monday = MondayClient(monday_settings, patience=HASTY, clock=lambda: now[0])
    sandbox.fault("monday", "daily_limit", times=1)
    before = calls(sandbox)
    for _ in range(3):
        with pytest.raises(RemoteUnavailableError):
            monday.updates_of(["1"])
    assert calls(sandbox) - before == 1
    now[0] = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    assert monday.updates_of(["1"]) == ()
    monday.close()


def test_a_lost_column_is_a_gap_and_not_a_failure(
    sandbox: RunningSandbox, monday: MondayClient, caplog: pytest.LogCaptureFixture
) -> None:
    contact = sandbox.add_contact("Partly", fresh_email())
    sandbox.add_deal("Order partly", contact, status="Shipped", amount="3")
    sandbox.fault("monday", "broken_column", times=1, column="amount")
    (deal,) = monday.deals_of([contact])
    assert {field.column_id for field in deal.fields} == {"status", "deal_contact"}
    assert "some columns are missing (ColumnValueException)" in caplog.text


def test_a_wrong_token_is_a_refusal_that_names_no_token(monday_settings: MondaySettings) -> None:
    wrong = monday_settings.model_copy(update={"token": "CANARY"})
    settings = MondaySettings.model_validate({**monday_settings.model_dump(), "token": "CANARY"})
    assert wrong.contacts_board == settings.contacts_board
    monday = MondayClient(settings, patience=HASTY)
    with pytest.raises(RemoteRefusedError, match="Unauthorized") as caught:
        monday.updates_of(["1"])
    assert "CANARY" not in str(caught.value)
    monday.close()


def test_health_names_the_version_and_fails_loudly_on_drift(
    sandbox: RunningSandbox, monday: MondayClient
) -> None:
    assert monday.health().version == "2026-10"
    sandbox.fault("monday", "version", times=1, value="2027-01")
    with pytest.raises(ConfigurationError, match="2027-01"):
        monday.health()


def test_boards_and_columns_are_checked_all_at_once(
    monday: MondayClient, monday_settings: MondaySettings
) -> None:
    monday.check_boards()
    spoiled = monday_settings.model_copy(
        update={"email_column": "phone", "approved_columns": ("status", "colour")}
    )
    other = MondayClient(spoiled, patience=HASTY)
    with pytest.raises(ConfigurationError, match=r"phone of type email.*colour"):
        other.check_boards()
    other.close()
    nowhere = monday_settings.model_copy(update={"deals_board": "404"})
    other = MondayClient(nowhere, patience=HASTY)
    with pytest.raises(ConfigurationError, match="no access to board 404"):
        other.check_boards()
    other.close()
