from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from swarm.clients.http_failures import (
    retry_after_seconds,
    safe_code,
    status_failure,
    transport_failure,
)
from swarm.errors import RateLimitedError, RemoteRefusedError, RemoteUnavailableError


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (400, {}, RemoteRefusedError),
        (401, {}, RemoteRefusedError),
        (404, {}, RemoteRefusedError),
        (408, {}, RemoteUnavailableError),
        (423, {}, RemoteUnavailableError),
        (429, {}, RateLimitedError),
        (500, {}, RemoteUnavailableError),
        (503, {}, RemoteUnavailableError),
        (503, {"Retry-After": "7"}, RateLimitedError),
    ],
)
def test_a_status_says_whether_waiting_helps(
    status: int, headers: dict[str, str], kind: type[Exception]
) -> None:
    error = status_failure(httpx.Response(status, headers=headers), "reading")
    assert type(error) is kind


@pytest.mark.parametrize(
    ("value", "seconds"), [("3", 3.0), ("0", 0.0), ("1.5", 1.5), ("", None), ("soon", None)]
)
def test_retry_after_is_read_as_seconds(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(httpx.Response(429, headers={"Retry-After": value})) == seconds


def test_retry_after_may_be_a_date_and_never_is_negative() -> None:
    def asked(moment: datetime) -> float | None:
        header = {"Retry-After": format_datetime(moment, usegmt=True)}
        return retry_after_seconds(httpx.Response(429, headers=header))

    later = asked(datetime.now(UTC) + timedelta(seconds=30))
    assert later is not None
    assert 25 < later <= 30
    assert asked(datetime.now(UTC) - timedelta(hours=1)) == 0.0


def test_no_url_and_no_text_of_the_cause_enters_a_message() -> None:
    cause = httpx.ConnectError("https://hooks.example.com/SECRET refused")
    assert "SECRET" not in str(transport_failure(cause, "reading"))


def test_a_code_of_a_service_cannot_smuggle_text_into_a_log_line() -> None:
    assert safe_code("Error\nFAKE line <b>") == "Error_FAKE_line__b_"
    assert len(safe_code("x" * 500)) == 80
