"""One null in monday's answer: a null field is missing, a null item is said, the rest is used."""

import json
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr
from replying import Mailbox, received, services
from scripted_server import Answer, Asked, ScriptedServer, scripted

from swarm.clients.monday import MondayClient
from swarm.clients.patience import Patience
from swarm.models import EvidenceKind, Lookup
from swarm.settings import MondaySettings
from swarm.stages.enrichment.gather import Enrichment, gather

pytestmark = pytest.mark.integration

Json = dict[str, object]
EMAIL = "anna.smith@customer.example"


def contact() -> Json:
    email = {"id": "email", "type": "email", "text": EMAIL, "email": EMAIL}
    return {"id": "k1", "name": "Anna Smith", "state": "active", "column_values": [email],
            "board": {"id": "b1"}, "url": "https://x.example", "updated_at": None}  # fmt: skip


def deal(number: int = 1) -> Json:
    status = {"id": "status", "type": "status", "text": "Shipped", "column": {"title": "Status"}}
    link = {"id": "deal_contact", "type": "board_relation", "linked_item_ids": ["k1"]}
    return {"id": f"d{number}", "name": "Order 20417", "state": "active",
            "column_values": [status, link]}  # fmt: skip


class Boards:
    """Answers our documents with these contacts, deals and notes."""

    def __init__(self) -> None:
        self.contacts: list[object] = [contact()]
        self.deals: list[object] = [deal()]
        self.notes: list[object] = [{"id": "n1", "text_body": "prefers mail"}]
        self.more: Json = {}

    def __call__(self, asked: Asked) -> Answer:
        query = json.loads(asked.body)["query"]
        if "items_page_by_column_values" in query:
            data: Json = {"items_page_by_column_values": {"cursor": None, "items": self.contacts}}
        elif "updates(" in query:
            data = {"items": [{"id": "k1", "updates": self.notes}]}
        else:
            data = {"boards": [{"id": "b2", "items_page": {"cursor": None, "items": self.deals}}]}
        return Answer(body=json.dumps({"data": data, **self.more}).encode())


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted(Boards()) as running:
        yield running


def enriched(server: ScriptedServer) -> Enrichment:
    settings = MondaySettings(
        api_url=f"{server.url}/v2",
        token=SecretStr("t"),
        contacts_board="b1",
        deals_board="b2",
        email_column="email",
        contact_deals_column="",
        deal_contact_column="deal_contact",
    )
    client = MondayClient(settings, patience=Patience(attempts=1))
    try:
        return gather(received(), services(monday=client, outlook=Mailbox()))
    finally:
        client.close()


def boards(server: ScriptedServer) -> Boards:
    assert isinstance(server.script, Boards)
    return server.script


def quoted(found: Enrichment) -> bool:
    return any(e.kind is EvidenceKind.CRM_FIELD for e in found.context.evidence)


@pytest.mark.parametrize("field", ["url", "updated_at", "board", "state"])
def test_a_null_field_of_an_item_is_a_missing_one(server: ScriptedServer, field: str) -> None:
    boards(server).contacts = [{**contact(), field: None}]
    boards(server).deals = [{**deal(), field: None}]
    found = enriched(server)
    assert (found.crm.contact, found.crm.deals, found.crm.updates) == (Lookup.HIT,) * 3
    assert quoted(found)
    assert found.context.gaps == ()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda item: {**item, "column_values": [None, *item["column_values"]]},
        lambda item: {**item, "column_values": [{**c, "column": None, "label": None}
                                                for c in item["column_values"]]},
        lambda item: {**item, "column_values": [*item["column_values"],
                                                {"id": "x", "linked_item_ids": None}]},
        lambda item: {**item, "column_values": [*item["column_values"],
                                                {"id": "x", "linked_item_ids": [None]}]},
    ],
    ids=["a column", "a column's title", "linked ids", "a linked id"],
)  # fmt: skip
def test_a_null_in_the_columns_is_a_missing_field(
    server: ScriptedServer, spoil: Callable[[Json], Json]
) -> None:
    boards(server).contacts, boards(server).deals = [spoil(contact())], [spoil(deal())]
    found = enriched(server)
    assert (found.crm.contact, found.crm.deals) == (Lookup.HIT, Lookup.HIT)
    assert quoted(found)
    assert found.context.gaps == ()


@pytest.mark.parametrize("more", [{"errors": None}, {"extensions": None}, {"error_code": None}])
def test_a_null_where_an_error_would_stand_is_no_error(server: ScriptedServer, more: Json) -> None:
    boards(server).more = more
    found = enriched(server)
    assert found.crm.contact is Lookup.HIT
    assert found.context.gaps == ()


def test_a_null_among_the_errors_is_said_and_the_data_is_used(server: ScriptedServer) -> None:
    boards(server).more = {"errors": [None]}
    found = enriched(server)
    assert found.crm.contact is Lookup.HIT
    assert any("monday.com" in gap for gap in found.context.gaps)


def test_a_null_deal_is_a_gap_and_the_other_deal_is_quoted(server: ScriptedServer) -> None:
    boards(server).deals = [None, deal()]
    found = enriched(server)
    assert found.crm.deals is Lookup.HIT
    assert quoted(found)
    assert any("deal 1 could not be read" in gap for gap in found.context.gaps)


def test_a_null_note_is_a_gap_and_the_other_note_is_used(server: ScriptedServer) -> None:
    boards(server).notes = [{"id": "n1", "text_body": "prefers mail"}, None]
    found = enriched(server)
    assert any(e.kind is EvidenceKind.CRM_UPDATE for e in found.context.evidence)
    assert any("note 2 could not be read" in gap for gap in found.context.gaps)


def test_a_null_contact_beside_one_leaves_open_whose_deals_they_are(server: ScriptedServer) -> None:
    boards(server).contacts = [contact(), None]
    found = enriched(server)
    assert found.crm.contact is Lookup.HIT
    assert not quoted(found)
    assert any("contact 2 could not be read" in gap for gap in found.context.gaps)
    assert any("none was merged" in said for said in found.context.conflicts)


@pytest.mark.parametrize(
    "contacts", [[None], [{**contact(), "column_values": None}], [{**contact(), "id": None}]]
)
def test_nothing_but_a_gap_is_unavailable_and_no_unknown_customer(
    server: ScriptedServer, contacts: list[object]
) -> None:
    boards(server).contacts = contacts
    assert enriched(server).crm.contact is Lookup.UNAVAILABLE


def test_the_same_item_twice_in_a_page_is_one(server: ScriptedServer) -> None:
    boards(server).contacts = [contact(), contact()]
    boards(server).deals = [deal(1), deal(2), deal(1)]
    boards(server).notes *= 2
    found = enriched(server)
    assert [item.item_id for item in found.crm.contacts] == ["k1"]
    assert [item.item_id for item in found.crm.deal_items] == ["d1", "d2"]
    assert len(found.crm.update_items) == 1
    assert found.context.conflicts == ()


def test_a_date_without_a_zone_or_before_all_time_is_no_crash(server: ScriptedServer) -> None:
    dates = ["0001-01-01T00:00:00", "yesterday", "9999-12-31T23:59:59-14:00", 5]
    boards(server).notes = [
        {"id": f"n{n}", "text_body": "x", "created_at": each} for n, each in enumerate(dates)
    ]
    assert len(enriched(server).crm.update_items) == len(dates)
