"""What the model libraries get of an answer, and what it cost."""

import gzip
import json

import httpx
import pytest

from swarm.clients.bounded_client import BrokenOffError, WebPageError
from swarm.clients.bounded_http import Bounds
from swarm.specialists.chat.tokens import CountingClient, TokenCount, listening, total

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100}
PAID = json.dumps({"choices": [], "usage": USAGE}).encode()


class Answering(CountingClient):
    """A client whose every request is answered so."""

    def __init__(self, content: bytes, **headers: str) -> None:
        super().__init__(Bounds(5.0, 8 << 20), httpx.Timeout(5.0))
        self._transport = httpx.MockTransport(
            lambda _: httpx.Response(
                200,
                headers={name.replace("_", "-"): value for name, value in headers.items()},
                stream=httpx.ByteStream(content),
            )
        )
        self._mounts = {}


def test_a_body_that_cannot_be_unpacked_broke_off() -> None:
    client = Answering(b"\x1f\x8b\x08\x00garbage....", content_encoding="gzip")
    with pytest.raises(BrokenOffError):
        client.get("https://model.example/")


def test_a_body_that_can_be_is_read() -> None:
    client = Answering(gzip.compress(PAID), content_encoding="gzip")
    with listening() as heard:
        assert client.get("https://model.example/").json() == {"choices": []}
    assert heard == [TokenCount(1000, None, 100)]


@pytest.mark.parametrize("kind", ["text/html", "Text/HTML; charset=utf-8"])
def test_a_web_page_is_one_whatever_its_case(kind: str) -> None:
    with pytest.raises(WebPageError):
        Answering(b"<html>", content_type=kind).get("https://model.example/")


def test_what_is_called_a_web_page_and_is_none_is_an_answer() -> None:
    client = Answering(PAID, content_type="text/html")
    assert client.get("https://model.example/").json() == {"choices": []}


def test_the_count_is_taken_out_where_nobody_listens_too() -> None:
    assert "usage" not in Answering(PAID).get("https://model.example/").json()


def test_what_can_be_read_and_not_be_written_again_comes_as_it_is() -> None:
    for depth in range(100, 1000, 20):
        deep = PAID[:-1] + b', "x": ' + b"[" * depth + b"]" * depth + b"}"
        assert Answering(deep).get("https://model.example/").is_success


def test_several_answers_cost_all_of_them() -> None:
    counts = [TokenCount(1, None, 2), TokenCount(3, None, None)]
    assert total(counts) == TokenCount(4, None, 2)
    assert total([]) == TokenCount()
