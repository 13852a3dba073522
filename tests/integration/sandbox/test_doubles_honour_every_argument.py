"""What a double is asked, it does or refuses: an argument passed over would prove nothing."""

import httpx
import pytest

from swarm.sandbox.server import RunningSandbox

pytestmark = pytest.mark.integration
ANNA = "anna.keller@example.org"


def test_graph_lists_honour_top_skip_and_select(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    labels = [{"id": str(n), "name": f"{n}.pdf", "contentType": "x/y", "size": n} for n in range(3)]
    mail = sandbox.seed_mail(ANNA, attachments=labels)
    path = f"/messages/{mail['id']}/attachments"
    page = graph.get(path, params={"$top": "2", "$select": "name"}).json()
    assert [(each["name"], "size" in each) for each in page["value"]] == [
        ("0.pdf", False),
        ("1.pdf", False),
    ]
    rest = graph.get(page["@odata.nextLink"]).json()
    assert [each["name"] for each in rest["value"]] == ["2.pdf"]
    folders = graph.get("/mailFolders", params={"$top": "2", "$select": "displayName"}).json()
    assert [set(each) for each in folders["value"]] == [{"id", "displayName"}] * 2
    assert set(graph.get("/mailFolders/inbox", params={"$select": "id"}).json()) == {"id"}


def test_graph_gives_an_attachment_by_id_its_bytes_and_nothing_it_was_not_asked(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    label = {"name": "a.txt", "contentType": "text/plain", "size": 3, "contentBytes": "YWJj"}
    mail = sandbox.seed_mail(ANNA, attachments=[label])
    path = f"/messages/{mail['id']}/attachments"
    (listed,) = graph.get(path, params={"$select": "name"}).json()["value"]
    assert set(listed) == {"@odata.type", "id", "name"}
    one = f"{path}/{listed['id']}"
    assert graph.get(one).json()["contentBytes"] == "YWJj"
    assert "contentBytes" not in graph.get(one, params={"$select": "size"}).json()
    value = graph.get(f"{one}/$value")
    assert (value.content, value.headers["content-type"]) == (b"abc", "text/plain")
    assert graph.get(f"{one}/$value", params={"$select": "size"}).status_code == 400
    assert graph.get(f"{path}/none/$value").status_code == 404


@pytest.mark.parametrize(
    ("path", "option"),
    [
        ("/messages", {"$count": "true"}),
        ("/messages", {"$skip": "many"}),
        ("/messages", {"$top": "0"}),
        ("/messages", {"$expand": "attachments"}),
        ("/messages", {"$filter": "isRead eq true"}),
        ("/messages", {"$orderby": "subject"}),
        ("/mailFolders", {"$filter": "displayName eq 'x'"}),
        ("/mailFolders/inbox", {"$expand": "childFolders"}),
        ("/mailFolders/inbox/messages/delta", {"changeType": "updated"}),
        ("/mailFolders/inbox/messages/delta", {"$top": "5"}),
        ("/mailFolders/inbox/messages/delta", {"$filter": "isRead eq true"}),
        ("/mailFolders/inbox/messages/delta", {"since": "2026-01-01"}),
    ],
    ids=str,
)
def test_graph_refuses_what_it_would_pass_over(
    graph: httpx.Client, path: str, option: dict[str, str]
) -> None:
    assert graph.get(path, params=option).status_code == 400


def test_graph_translates_only_between_the_two_kinds_it_knows(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    mail = sandbox.seed_mail(ANNA)
    body = {"inputIds": [mail["id"]], "sourceIdType": "ewsId", "targetIdType": "restId"}
    assert graph.post("/translateExchangeIds", json=body).status_code == 400


def asked(monday: httpx.Client, query: str) -> dict[str, object]:
    answer: dict[str, object] = monday.post("/v2", json={"query": query}).json()
    return answer


def test_monday_honours_ids_limits_pages_and_rules(
    sandbox: RunningSandbox, monday: httpx.Client
) -> None:
    own = sandbox.environment
    both = f'ids: ["{own["MONDAY_CONTACTS_BOARD"]}", "{own["MONDAY_DEALS_BOARD"]}"]'
    second = asked(monday, f"{{ boards({both}, limit: 1, page: 2) {{ id }} }}")
    assert second["data"] == {"boards": [{"id": own["MONDAY_DEALS_BOARD"]}]}
    first, other = (sandbox.add_deal(name, status="New") for name in ("One", "Two"))
    deals = f'boards(ids: ["{own["MONDAY_DEALS_BOARD"]}"])'
    by_id = f'items_page(limit: 10, query_params: {{ ids: ["{other}"] }})'
    found = asked(monday, f"{{ {deals} {{ {by_id} {{ items {{ id }} }} }} }}")
    assert found["data"] == {"boards": [{"items_page": {"items": [{"id": other}]}}]}
    assert first != other


def test_monday_refuses_a_rule_it_does_not_know(
    sandbox: RunningSandbox, monday: httpx.Client
) -> None:
    deals = f'boards(ids: ["{sandbox.environment["MONDAY_DEALS_BOARD"]}"])'
    rule = '{ column_id: "status", compare_value: ["New"], operator: not_any_of }'
    page = f"items_page(limit: 10, query_params: {{ rules: [{rule}] }}) {{ items {{ id }} }}"
    assert "errors" in asked(monday, f"{{ {deals} {{ {page} }} }}")


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("mail", {"sender": ANNA, "folder_name": "archive"}),
        ("messages", {"since": "2026-01-01"}),
        ("human", {"operation": "send", "message_id": "x", "at": "now"}),
        ("contact", {"name": "A", "email": ANNA, "fax": "1"}),
        ("deal", {"name": "D", "owner": "me"}),
        ("update", {"item": "1", "text": "x", "at": "now"}),
        ("faults", {"service": "graph", "kind": "reset", "after": 3}),
        ("configure", {"settle": 1}),
        ("replay", {"delivery": 1, "times": 2}),
        ("model/answers", {"content": "x", "when": "y"}),
    ],
)
def test_the_control_api_refuses_an_argument_it_does_not_know(
    sandbox: RunningSandbox, operation: str, arguments: dict[str, object]
) -> None:
    answer = httpx.post(f"{sandbox.url}/_sandbox/{operation}", json=arguments)
    assert answer.status_code == 400
    assert "unknown argument" in answer.json()["error"]
