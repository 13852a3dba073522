"""The Graph double refuses what Graph refuses."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from swarm.sandbox.graph.mailbox import new_conversation_id
from swarm.sandbox.server import RunningSandbox

pytestmark = pytest.mark.integration
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
ANNA = "anna.keller@example.org"


def code(response: httpx.Response) -> str:
    return str(response.json()["error"]["code"])


def test_without_a_good_token_nothing_is_answered(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    assert graph.get("/messages").status_code == 200
    sandbox.configure(revoke_tokens=True)
    stale = graph.get("/messages")
    assert (stale.status_code, code(stale)) == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize(
    ("spoiled", "status", "number"),
    [
        ({"client_secret": "x"}, 401, 7000215),
        ({"client_id": "x"}, 400, 700016),
        ({"scope": "https://graph.microsoft.com/Mail.Send"}, 400, 1002012),
        ({"grant_type": "password"}, 400, 70003),
    ],
)
def test_a_token_is_given_only_for_the_right_form(
    sandbox: RunningSandbox, spoiled: dict[str, str], status: int, number: int
) -> None:
    own = sandbox.environment
    good = {
        "grant_type": "client_credentials",
        "client_id": own["GRAPH_CLIENT_ID"],
        "client_secret": own["GRAPH_CLIENT_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
    }
    url = f"{own['GRAPH_AUTHORITY']}/{own['GRAPH_TENANT_ID']}/oauth2/v2.0/token"
    assert httpx.post(url, data=good).json()["token_type"] == "Bearer"
    refused = httpx.post(url, data={**good, **spoiled})
    assert (refused.status_code, refused.json()["error_codes"]) == (status, [number])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"$filter": "subject eq 'x'"}, "ErrorInvalidUrlQueryFilter"),
        ({"$filter": "conversationId eq 'AAMkAGx'"}, "ErrorInvalidIdMalformed"),
        (
            {"$filter": "conversationId eq 'c'", "$orderby": "receivedDateTime desc"},
            "InefficientFilter",
        ),
        (
            {
                "$filter": "conversationId eq 'c' and receivedDateTime ge 1900-01-01T00:00:00Z",
                "$orderby": "receivedDateTime desc",
            },
            "InefficientFilter",
        ),
        ({"$search": "conversationId:x"}, "SearchWithFilter"),
        ({"$top": "1001"}, "ErrorInvalidUrlQuery"),
    ],
)
def test_queries_graph_cannot_do_are_refused(
    graph: httpx.Client, query: dict[str, str], expected: str
) -> None:
    refused = graph.get("/messages", params=query)
    assert (refused.status_code, code(refused)) == (400, expected)


def test_ordering_works_when_the_filter_names_it_first(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    conversation = new_conversation_id()
    for _ in range(2):
        sandbox.seed_mail(ANNA, conversation_id=conversation)
    where = f"receivedDateTime ge 1900-01-01T00:00:00Z and conversationId eq '{conversation}'"
    query = {"$filter": where, "$orderby": "receivedDateTime desc"}
    assert len(graph.get("/messages", params=query).json()["value"]) == 2


def test_unique_body_and_headers_come_only_when_selected(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    mail = sandbox.seed_mail(ANNA, body_html="<p>New</p>", quoted_html="<p>Old</p>")
    path = f"/messages/{mail['id']}"
    plain = graph.get(path).json()
    assert not {"uniqueBody", "internetMessageHeaders"} & set(plain)
    chosen = graph.get(path, params={"$select": "uniqueBody,internetMessageHeaders"}).json()
    assert chosen["uniqueBody"]["content"] == "<p>New</p>"
    assert "subject" not in chosen


def test_bodies_are_text_only_when_preferred(sandbox: RunningSandbox, graph: httpx.Client) -> None:
    mail = sandbox.seed_mail(ANNA, body_html="<p>A &amp; B</p>")
    path = f"/messages/{mail['id']}"
    assert graph.get(path).json()["body"]["contentType"] == "html"
    prefer = {"Prefer": 'outlook.body-content-type="text"'}
    assert graph.get(path, headers=prefer).json()["body"] == {
        "contentType": "text",
        "content": "A & B",
    }


def test_ordinary_ids_change_on_move_and_immutable_ones_do_not(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    mail = sandbox.seed_mail(ANNA)
    ordinary = graph.get(f"/messages/{mail['id']}").json()["id"]
    assert ordinary != mail["id"]
    sandbox.human("move", mail["id"], folder="archive")
    assert code(graph.get(f"/messages/{ordinary}")) == "ErrorItemNotFound"
    kept = graph.get(f"/messages/{mail['id']}", headers=IMMUTABLE)
    assert kept.json()["id"] == mail["id"]
    assert "ImmutableId" in kept.headers["Preference-Applied"]


def test_next_links_are_opaque_and_lead_to_the_end(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    conversation = new_conversation_id()
    for _ in range(12):
        sandbox.seed_mail(ANNA, conversation_id=conversation)
    page = graph.get("/messages", params={"$filter": f"conversationId eq '{conversation}'"}).json()
    assert len(page["value"]) == 10
    rest = graph.get(page["@odata.nextLink"]).json()
    assert len(rest["value"]) == 2
    assert "@odata.nextLink" not in rest


def test_create_reply_makes_a_threaded_draft_to_reply_to(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    mail = sandbox.seed_mail(
        ANNA, subject="Order", body_text="Where?", reply_to=["desk@example.org"]
    )
    made = graph.post(f"/messages/{mail['id']}/createReply", json={"comment": "<p>Here</p>"})
    assert made.status_code == 201
    draft = made.json()
    assert (draft["isDraft"], draft["subject"]) == (True, "RE: Order")
    assert draft["conversationId"] == mail["conversationId"]
    assert draft["toRecipients"][0]["emailAddress"]["address"] == "desk@example.org"
    assert "Where?" in draft["body"]["content"]


def test_create_reply_refuses_comment_and_body_together(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    mail = sandbox.seed_mail(ANNA)
    both = {"comment": "a", "message": {"body": {"contentType": "html", "content": "b"}}}
    assert graph.post(f"/messages/{mail['id']}/createReply", json=both).status_code == 400


def test_only_drafts_can_be_changed(sandbox: RunningSandbox, graph: httpx.Client) -> None:
    mail = sandbox.seed_mail(ANNA)
    refused = graph.patch(f"/messages/{mail['id']}", json={"subject": "x"})
    assert (refused.status_code, code(refused)) == (403, "ErrorAccessDenied")


def test_an_extended_property_is_found_by_value_and_shown_only_when_expanded(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    draft = sandbox.seed_mail(ANNA, is_draft=True, folder="drafts")
    own = "String {0} Name Key"
    body = {"singleValueExtendedProperties": [{"id": own, "value": "Abc"}]}
    assert graph.patch(f"/messages/{draft['id']}", json=body).status_code == 200
    where = "singleValueExtendedProperties/Any(ep: ep/id eq '{}' and ep/value eq '{}')"

    def found(name: str, value: str, **more: str) -> list[dict[str, object]]:
        query = {"$filter": where.format(name, value), **more}
        value_list: list[dict[str, object]] = graph.get("/messages", params=query).json()["value"]
        return value_list

    (plain,) = found(own, "ABC")
    assert "singleValueExtendedProperties" not in plain
    assert found(own.lower(), "Abc") == []
    expand = {"$expand": f"singleValueExtendedProperties($filter=id eq '{own}')"}
    (shown,) = found(own, "abc", **expand)
    assert shown["singleValueExtendedProperties"] == [{"id": own, "value": "Abc"}]


def test_nothing_can_be_sent_and_each_try_is_counted(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    mail = sandbox.seed_mail(ANNA, is_draft=True, folder="drafts")
    before = int(str(sandbox.counts()["send_attempts"]))
    for path in ("/sendMail", f"/messages/{mail['id']}/send", f"/messages/{mail['id']}/reply"):
        assert graph.post(path, json={}).status_code == 403
    assert int(str(sandbox.counts()["send_attempts"])) == before + 3


def test_the_fifth_concurrent_request_is_throttled(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    sandbox.fault("graph", "latency", times=8, seconds=0.4)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: graph.get("/messages"), range(6)))
    throttled = [answer for answer in answers if answer.status_code == 429]
    assert len(throttled) >= 1
    assert {code(answer) for answer in throttled} == {"ApplicationThrottled"}
    assert "retry-after" not in throttled[0].headers


def test_errors_carry_request_ids_inside_and_outside(graph: httpx.Client) -> None:
    missing = graph.get("/messages/none", headers={"client-request-id": "c-1"})
    inner = missing.json()["error"]["innerError"]
    assert missing.headers["request-id"] == inner["request-id"]
    assert (missing.headers["client-request-id"], inner["client-request-id"]) == ("c-1", "c-1")


def test_a_batch_answers_by_id_and_fails_what_depends_on_a_failure(
    sandbox: RunningSandbox, graph: httpx.Client
) -> None:
    user = f"/users/{sandbox.environment['GRAPH_MAILBOX']}"
    requests = [
        {"id": "a", "method": "GET", "url": f"{user}/mailFolders/inbox"},
        {"id": "b", "method": "GET", "url": f"{user}/messages/none"},
        {"id": "c", "method": "GET", "url": f"{user}/messages", "dependsOn": ["b"]},
    ]
    url = f"{sandbox.environment['GRAPH_BASE_URL']}/$batch"
    answered = graph.post(url, json={"requests": requests})
    by_id = {each["id"]: each["status"] for each in answered.json()["responses"]}
    assert by_id == {"a": 200, "b": 404, "c": 424}
    assert graph.post(url, json={"requests": requests * 7}).status_code == 400


def test_delta_refuses_what_delta_cannot_do(graph: httpx.Client) -> None:
    path = "/mailFolders/inbox/messages/delta"
    for query in ({"$filter": "conversationId eq 'c'"}, {"$orderby": "subject"}, {"$search": "x"}):
        assert graph.get(path, params=query).status_code == 400
