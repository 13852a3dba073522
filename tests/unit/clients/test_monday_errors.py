"""The three shapes in which monday says that something went wrong."""

from typing import Any

import httpx
import pytest

from swarm.clients.monday_errors import MondayFault, Remedy, fault_of, rate_limit_reset, read_answer


def fault(
    body: Any, status: int = 200, headers: dict[str, str] | None = None
) -> MondayFault | None:
    response = httpx.Response(status, json=body, headers=headers)
    answer = read_answer(response)
    assert answer is not None
    return fault_of(answer, response)


def first_shape(code: str, message: str = "", **extensions: object) -> dict[str, object]:
    return {
        "data": {},
        "errors": [{"message": message, "extensions": {"code": code, **extensions}}],
    }


def test_a_plain_success_is_no_fault() -> None:
    assert fault({"data": {"items": []}, "account_id": 1}) is None


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("COMPLEXITY_BUDGET_EXHAUSTED", Remedy.WAIT),
        ("RATE_LIMIT_EXCEEDED", Remedy.WAIT),
        ("maxConcurrencyExceeded", Remedy.WAIT),
        ("FIELD_LIMIT_EXCEEDED", Remedy.WAIT),
        ("FIELD_MINUTE_RATE_LIMIT_EXCEEDED", Remedy.WAIT),
        ("IP_RATE_LIMIT_EXCEEDED", Remedy.WAIT),
        ("INTERNAL_SERVER_ERROR", Remedy.WAIT),
        ("DAILY_LIMIT_EXCEEDED", Remedy.TOMORROW),
        ("API_TEMPORARILY_BLOCKED", Remedy.PAUSE),
        ("CursorException", Remedy.START_OVER),
        ("Unauthorized", Remedy.NONE),
        ("UserUnauthorizedException", Remedy.NONE),
        ("InvalidColumnIdException", Remedy.NONE),
        ("InvalidVersionException", Remedy.NONE),
        ("GRAPHQL_VALIDATION_FAILED", Remedy.NONE),
    ],
)
def test_each_code_has_its_remedy(code: str, remedy: Remedy) -> None:
    found = fault(first_shape(code))
    assert found is not None
    assert (found.code, found.remedy) == (code, remedy)


@pytest.mark.parametrize("message", ["Minute limit rate exceeded", "Concurrency limit exceeded"])
def test_limits_without_a_code_are_known_by_their_message(message: str) -> None:
    found = fault({"errors": [{"message": message}]}, 429)
    assert found is not None
    assert found.remedy is Remedy.WAIT


def test_the_second_shape_carries_the_wait_in_its_extensions() -> None:
    found = fault(first_shape("COMPLEXITY_BUDGET_EXHAUSTED", retry_in_seconds=7))
    assert found is not None
    assert found.retry_in == 7


def test_the_legacy_shape_takes_the_longest_wait_it_names() -> None:
    body = {
        "error_code": "ComplexityException",
        "status_code": 429,
        "error_message": "Complexity budget exhausted, reset in 3 seconds",
        "error_data": {"retry_in_seconds": 15},
        "errors": ["Complexity budget exhausted"],
    }
    found = fault(body)
    assert found is not None
    assert (found.remedy, found.retry_in) == (Remedy.WAIT, 15)


def test_without_a_wait_in_the_body_the_headers_tell() -> None:
    body = first_shape("RATE_LIMIT_EXCEEDED")
    after = fault(body, 429, {"Retry-After": "9"})
    limit = fault(body, 429, {"RateLimit": '"minuteRate";r=0;t=45'})
    assert after is not None
    assert limit is not None
    assert (after.retry_in, limit.retry_in) == (9, 45)


def test_only_an_exhausted_limit_counts() -> None:
    header = {"RateLimit": '"minuteRate";r=4999;t=45, "concurrency";r=0;t=2'}
    assert rate_limit_reset(httpx.Response(200, headers=header)) == 2


def test_a_lost_column_is_told_from_a_lost_item() -> None:
    def at(*path: str | int) -> dict[str, object]:
        error = {"message": "x", "path": [*path], "extensions": {"code": "ColumnValueException"}}
        return {"data": {"items": None}, "errors": [error]}

    column, item = fault(at("items", 0, "column_values", 2, "text")), fault(at("items"))
    assert column is not None
    assert item is not None
    assert (column.column_only, item.column_only) == (True, False)


def test_a_mistake_of_ours_outweighs_a_wait() -> None:
    errors = [
        {"message": "", "extensions": {"code": "RATE_LIMIT_EXCEEDED"}},
        {"message": "", "extensions": {"code": "InvalidBoardIdException"}},
    ]
    found = fault({"errors": errors})
    assert found is not None
    assert found.code == "InvalidBoardIdException"


@pytest.mark.parametrize("body", [b"", b"<html>bad gateway</html>", b"[1]", b"{not json"])
def test_what_is_no_answer_of_monday_is_not_read_as_one(body: bytes) -> None:
    assert read_answer(httpx.Response(502, content=body)) is None
