"""The monday double checks headers, validates queries and keeps monday's odd habits."""

import time

import httpx
import pytest

from swarm.sandbox.server import RunningSandbox

pytestmark = pytest.mark.integration


def ask(monday: httpx.Client, query: str, **more: object) -> dict[str, object]:
    body: dict[str, object] = monday.post("/v2", json={"query": query, **more}).json()
    return body


def code(body: dict[str, object]) -> object:
    errors = body["errors"]
    assert isinstance(errors, list)
    return errors[0]["extensions"]["code"]


def test_a_bearer_token_is_no_token(sandbox: RunningSandbox, monday: httpx.Client) -> None:
    assert "errors" not in ask(monday, "{ me { id } }")
    bearer = {"Authorization": f"Bearer {sandbox.environment['MONDAY_TOKEN']}"}
    refused = monday.post("/v2", json={"query": "{ me { id } }"}, headers=bearer)
    assert (refused.status_code, code(refused.json())) == (401, "Unauthorized")


def test_a_malformed_version_is_refused(monday: httpx.Client) -> None:
    refused = monday.post("/v2", json={"query": "{ me { id } }"}, headers={"API-Version": "latest"})
    assert code(refused.json()) == "InvalidVersionException"


def test_a_misspelt_field_is_refused_inside_a_200(monday: httpx.Client) -> None:
    answered = monday.post("/v2", json={"query": "{ me { photo } }"})
    assert (answered.status_code, code(answered.json())) == (200, "GRAPHQL_VALIDATION_FAILED")
    assert code(ask(monday, "{ me {")) == "PARSE_ERROR"


def test_relations_have_no_text_and_no_value(monday: httpx.Client) -> None:
    query = """{ items_page_by_column_values(board_id: "1001", columns: [
        {column_id: "email", column_values: ["anna.keller@example.org"]}]) { items {
        column_values(ids: ["deals"]) { text value
          ... on BoardRelationValue { linked_item_ids display_value } } } } }"""
    data = ask(monday, query)["data"]
    assert isinstance(data, dict)
    (cell,) = data["items_page_by_column_values"]["items"][0]["column_values"]
    assert (cell["text"], cell["value"]) == (None, None)
    assert (len(cell["linked_item_ids"]), cell["display_value"]) == (1, "Order 10482")


def test_cursors_expire(sandbox: RunningSandbox, monday: httpx.Client) -> None:
    sandbox.configure(cursor_seconds=-1)
    first = '{ boards(ids: ["1001"]) { items_page(limit: 1) { cursor items { id } } } }'
    data = ask(monday, first)["data"]
    assert isinstance(data, dict)
    cursor = data["boards"][0]["items_page"]["cursor"]
    following = "query ($c: String!) { next_items_page(cursor: $c) { items { id } } }"
    assert code(ask(monday, following, variables={"c": cursor})) == "CursorException"


def test_the_daily_limit_counts(sandbox: RunningSandbox, monday: httpx.Client) -> None:
    used = int(str(sandbox.counts()["monday_calls_today"]))
    sandbox.configure(monday_daily_limit=used + 1)
    assert "errors" not in ask(monday, "{ me { id } }")
    assert code(ask(monday, "{ me { id } }")) == "DAILY_LIMIT_EXCEEDED"
    sandbox.configure(monday_daily_limit=None)


def test_rate_limit_headers_come_with_every_answer(monday: httpx.Client) -> None:
    headers = monday.post("/v2", json={"query": "{ me { id } }"}).headers
    assert "minuteRate" in headers["RateLimit-Policy"]
    assert ";t=" in headers["RateLimit"]


def test_a_mutation_with_the_same_key_happens_once(
    sandbox: RunningSandbox, monday: httpx.Client
) -> None:
    item = sandbox.add_deal("Order with a note")
    query = f'mutation {{ create_update(item_id: "{item}", body: "Draft waits") {{ id }} }}'
    key = {"Idempotency-Key": f"{item}-{time.time()}"}
    first = monday.post("/v2", json={"query": query}, headers=key)
    again = monday.post("/v2", json={"query": query}, headers=key)
    assert first.json()["data"] == again.json()["data"]
    assert again.headers["Idempotency-Replayed"] == "true"
