"""What an endpoint says of itself is told apart: the mail, the way of asking, our account."""

import httpx
import pytest

from swarm.clients.bounded_client import BrokenOffError, WebPageError
from swarm.errors import MalformedInputError, ModelUnavailableError
from swarm.specialists.chat.failures import WayRefusedError, failure


class RefusalError(Exception):
    """As the providers' libraries raise it: a text, the body, the response."""

    def __init__(self, status: int, text: str, body: object = None, **headers: str) -> None:
        super().__init__(text)
        self.body = body
        self.response = httpx.Response(
            status, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RefusalError(400, "Your credit balance is too low to access the API"), "paid first"),
        (RefusalError(429, "Error code: 429", {"code": "insufficient_quota"}), "paid first"),
        (RefusalError(400, "API key not valid. Please pass a valid API key."), "refuses our key"),
        (RefusalError(400, "Model Not Exist"), "does not know this model"),
        (RefusalError(404, "model my-tool-model is not there"), "does not know this model"),
    ],
)
def test_what_lasts_is_said_at_once_whatever_its_status(error: RefusalError, words: str) -> None:
    found = failure(error, 5.0)
    assert isinstance(found, ModelUnavailableError)
    assert found.for_good
    assert words in str(found)


@pytest.mark.parametrize(
    "error",
    [
        RefusalError(400, "the request exceeds the available context size"),
        RefusalError(
            400, "Error code: 400", {"detail": "This model's maximum context length is 8192"}
        ),
        RefusalError(400, "'max_tokens' is too large. Please reduce the length of the messages."),
    ],
)
def test_a_mail_that_is_too_long_is_no_way_of_asking(error: RefusalError) -> None:
    assert isinstance(failure(error, 5.0), MalformedInputError)


def test_what_is_refused_is_read_in_the_body_as_well() -> None:
    found = failure(
        RefusalError(400, "Error code: 400", {"error": "unsupported: temperature"}), 5.0
    )
    assert isinstance(found, WayRefusedError)
    assert "temperature" in found.words


def test_a_long_refusal_that_quotes_a_mail_does_not_end_the_model_for_all() -> None:
    quoted = "bad request: " + "Dear all, my api key expired, says the mail. " * 20
    assert isinstance(failure(RefusalError(400, quoted), 5.0), WayRefusedError)


def test_a_date_after_which_to_ask_again_is_heeded() -> None:
    found = failure(
        RefusalError(429, "slow down", retry_after="Fri, 01 Jan 2100 00:00:00 GMT"), 5.0
    )
    assert isinstance(found, ModelUnavailableError)
    assert found.retry_after > 60


def test_a_page_for_people_is_trouble_that_may_pass() -> None:
    error = RuntimeError("connection error")
    error.__cause__ = WebPageError("a web page")
    found = failure(error, 5.0)
    assert isinstance(found, ModelUnavailableError)
    assert not found.for_good
    assert "web page" in str(found)


def test_an_answer_that_broke_off_is_not_asked_for_again_at_once() -> None:
    error = RuntimeError("connection error")
    error.__cause__ = BrokenOffError("the answer broke off")
    found = failure(error, 5.0)
    assert isinstance(found, ModelUnavailableError)
    assert not found.patient
