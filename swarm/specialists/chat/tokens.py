"""What an answer cost in tokens, heard on its way in and kept from the library that reads it.

The library raises over a count it does not expect, and an answer that was paid would be lost with
what it cost. So the count is taken out of each answer before the library sees it, and known also
where the library cannot read the rest. What lives elsewhere: prices
(``swarm.specialists.model_calls``).
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import httpx

from swarm.clients.bounded_client import BoundedClient

_MOST_TOKENS = 100_000_000
_MOST_DIGITS = 30  # Python refuses to read thousands of them


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How many tokens went in, of them from a cache, and came out; None: nobody said it."""

    input: int | None = None
    cached: int | None = None
    output: int | None = None


def total(counts: Sequence[TokenCount]) -> TokenCount:
    """Return what several answers cost together."""
    return TokenCount(
        input=_sum([each.input for each in counts]),
        cached=_sum([each.cached for each in counts]),
        output=_sum([each.output for each in counts]),
    )


def _sum(said: Sequence[int | None]) -> int | None:
    known = [each for each in said if each is not None]
    return sum(known) if known else None


_heard: ContextVar[list[TokenCount] | None] = ContextVar("heard", default=None)


@contextmanager
def listening() -> Iterator[list[TokenCount]]:
    """Hear what the answers cost that come in within this block and thread."""
    heard = list[TokenCount]()
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


class CountingClient(BoundedClient):
    """Takes out of each answer what it cost, and tells whoever listens."""

    def send(self, request: httpx.Request, **options: object) -> httpx.Response:
        """Return the whole answer without its count; raises what ``BoundedClient`` does."""
        answer = super().send(request, **options)
        try:
            body = json.loads(answer.content, parse_int=_whole_number)
        except (ValueError, RecursionError):  # no JSON: the library says what it is
            return answer
        if not isinstance(body, dict) or "usage" not in body:
            return answer
        usage = body.pop("usage")
        if (heard := _heard.get()) is not None:
            heard.append(_tokens(usage))
        try:
            return _with_body(answer, body)
        except RecursionError:  # what can be read may be too deep to be written
            return answer


def _whole_number(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MOST_DIGITS else None


def _with_body(answer: httpx.Response, body: object) -> httpx.Response:
    headers = [each for each in answer.headers.raw if each[0].lower() != b"content-length"]
    return httpx.Response(
        answer.status_code,
        headers=headers,
        content=json.dumps(body).encode(),
        request=answer.request,
    )


def _tokens(usage: object) -> TokenCount:
    said = _object(usage)
    return TokenCount(
        input=count(said.get("prompt_tokens")),
        cached=count(_object(said.get("prompt_tokens_details")).get("cached_tokens")),
        output=count(said.get("completion_tokens")),
    )


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def count(said: object) -> int | None:
    """Return what can be a number of tokens: an odd one must not cost a paid answer."""
    if isinstance(said, bool) or not isinstance(said, int):
        return None
    return said if 0 <= said <= _MOST_TOKENS else None
