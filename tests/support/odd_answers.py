"""Odd answers by the thousand, each from a seed that is printed: values, bodies, whole answers.

``written`` writes JSON that ``json.dumps`` would not: lone surrogates, NaN, numbers of 5,000
digits, arrays 100,000 deep, a name twice in one object.
"""

import json
from dataclasses import dataclass
from random import Random

from scripted_server import Answer

_STATUSES = (
    201, 204, 206, 226, 301, 302, 303, 307, 308, 304, 400, 401, 402, 403, 404, 405, 406,
    408, 409, 410, 411, 412, 413, 415, 418, 422, 423, 425, 426, 428, 429, 431, 451, 499, 500, 501,
    502, 503, 504, 507, 511, 520, 599,
)  # fmt: skip
WAITS = (
    "0", "1", "-1", "-5", "99999999999", "9" * 400, "1e9", "NaN", "inf", "0.001", "soon", "",
    "Fri, 31 Dec 1999 23:59:59", "Fri, 31 Dec 1999 23:59:59 -0000", "Fri, 31 Dec 9999 23:59:59 GMT",
    "Fri, 31 Feb 2026 25:61:61 GMT", "Sun, 06 Nov 1994", "31 Dec", ",", "1, 2", "\u0663",
    "Fri, 31 Dec 2026 23:59:59 +9999", "Mon, 01 Jan 0000 00:00:00 GMT", "0x10", "1;2",
)  # fmt: skip
DATES = (
    "", "yesterday", "2026-13-45T99:99:99Z", "2026-11-20T10:00:00", "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00",
    "2026-11-20T10:00:00.0000000Z", "2026-11-20", "20 Nov 2026", "-1", "1700000000",
    "2026-11-20T10:00:00+99:99",
)  # fmt: skip
LOCATIONS = (
    "https://foreign.example.net/", "//foreign.example.net/x", "http://[::1", "http://xn--0/",
    "http://host:99999999/", "javascript:alert(1)", "/again", "",
)  # fmt: skip


@dataclass(frozen=True)
class Raw:
    """A piece of JSON text that goes out as it is."""

    text: str


def written(value: object) -> str:
    """Return a value as JSON text, ``Raw`` pieces as they are."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        pairs = (f"{json.dumps(name)}:{written(each)}" for name, each in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(written(each) for each in value) + "]"
    return json.dumps(value)


def odd_value(random: Random) -> object:
    """Return something that is not what anybody expects there."""
    return random.choice(
        (
            None, True, False, 0, -1, 5, 1.5, "", "x", "x" * 5000, [], {}, [None], [[]], {"": None},
            {"id": None}, {"a": {"b": {"c": []}}}, [1, "a", None, {}], "\u0000", "\u202e", "NaN",
            Raw("NaN"), Raw("-Infinity"), Raw("1e999"), Raw("9" * 5000), Raw("-" + "1" * 30),
            Raw('"\\ud800"'), Raw('"a\\udc00\\u0000b"'), Raw("[" * 200 + "]" * 200),
            Raw("[" * 100_000 + "]" * 100_000), Raw('{"a":' * 2000 + "1" + "}" * 2000),
            Raw('{"id":"one","id":"two"}'), random.choice(DATES),
        )
    )  # fmt: skip


def spoiled(value: dict[str, object], random: Random) -> dict[str, object]:
    """Return an object with one of its parts, at any depth, replaced, taken out or doubled."""
    name = random.choice([*value])
    inner = value[name]
    if isinstance(inner, dict) and inner and random.random() < 0.5:
        return {**value, name: spoiled(inner, random)}
    if isinstance(inner, list) and inner and random.random() < 0.5:
        at = random.randrange(len(inner))
        member = inner[at]
        deeper = isinstance(member, dict) and member and random.random() < 0.6
        odd = spoiled(member, random) if deeper else odd_value(random)
        return {**value, name: [*inner[:at], odd, *inner[at + 1 :]]}
    if random.random() < 0.2:
        return {key: each for key, each in value.items() if key != name}
    return {**value, name: odd_value(random)}


def odd_answer(good: bytes, random: Random) -> Answer:
    """Return an answer that is wrong as a whole; ``good`` is what would have been right."""
    headers = _headers(random)
    kind = random.choice(("status", "body", "coding", "connection", "manner"))
    if kind == "status":
        body = random.choice((good, b"", b'{"error":null}', b'{"error":{"code":5}}', b"<html>"))
        return Answer(random.choice(_STATUSES), body, headers)
    if kind == "body":
        return Answer(200, _odd_body(good, random), headers)
    if kind == "coding":
        coding = random.choice(("gzip", "deflate", "br", "identity", "nonsense", "gzip, gzip"))
        return Answer(200, good, (*headers, ("Content-Encoding", coding)))
    if kind == "connection" and random.random() < 0.5:
        return Answer(body=random.choice(_RAW), manner="raw")
    manners = ("cut", "reset") if kind == "connection" else ("chunked", "closing", "plain")
    return Answer(200, good, headers, manner=random.choice(manners))


_RAW = (
    b"SSH-2.0-x\r\n", b"\x00" * 50, b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}", b"HTTP/1.1 OK\r\n\r\n",
)  # fmt: skip


def _headers(random: Random) -> tuple[tuple[str, str], ...]:
    headers = [("Content-Type", random.choice(("application/json", "text/html", "", "x;y=z")))]
    if random.random() < 0.4:
        headers.append(("Retry-After", random.choice(WAITS).encode("ascii", "ignore").decode()))
    if random.random() < 0.3:
        headers.append(("Location", random.choice(LOCATIONS)))
    if random.random() < 0.1:
        headers.append(("RateLimit", f'"x";r=0;t={"9" * random.choice((1, 400))}'))
    if random.random() < 0.1:
        headers.append(("Set-Cookie", "a=b; Max-Age=99999999999999999999"))
    return tuple(headers)


def _odd_body(good: bytes, random: Random) -> bytes:
    at = random.randrange(len(good))
    return random.choice(
        (
            good[:at], good[:at] + random.randbytes(3) + good[at:], b"", b"<html>", b"null", b"[]",
            b"5", b'"x"', random.randbytes(at % 300),
        )
    )  # fmt: skip
