"""T50: every class of bad line is quarantined by name, its reason repeating nothing of the line."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.line import Accepted, Quarantined, dated_in_future, read_line

pytestmark = pytest.mark.faults

SECRET = "a secret of the tests"
SCHEMA = json.loads(
    (resources.files("swarm.intake.stream") / "work_order.schema.json").read_text("utf-8")
)


def good(**changes: object) -> dict[str, object]:
    line: dict[str, object] = {
        "schema_version": "1",
        "id": "mail-1",
        "mailbox": "service@example.com",
        "sender": {"address": "ada@example.org", "name": "Ada"},
        "subject": "Where is my parcel?",
        "received_at": "2026-03-01T10:00:00Z",
        "source": "graph",
    }
    return {name: value for name, value in (line | changes).items() if value is not ...}


def read(line: object) -> Accepted | Quarantined:
    return read_line(json.dumps(line).encode(), SECRET)


def reason(data: bytes) -> str:
    verdict = read_line(data, SECRET)
    assert isinstance(verdict, Quarantined), verdict
    return verdict.reason


def test_a_good_line_is_accepted_under_its_opaque_key() -> None:
    verdict = read(good())
    assert isinstance(verdict, Accepted)
    assert verdict.work_order.key == work_order_key(SECRET, "mail-1")
    assert verdict.work_order.received_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


GOOD = json.dumps(good()).encode()

BAD_BYTES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty line"),
    "blanks": (b" \t ", "empty line"),
    "invalid UTF-8": (GOOD.replace(b"Ada", b"\xff\xfe"), "invalid UTF-8"),
    "a block of NULs": (b"\x00" * 512, "NUL bytes"),
    "NULs before a good line": (b"\x00" * 512 + GOOD, "NUL bytes"),
    "half a line": (GOOD[:40], "not JSON"),
    "two lines fused": (GOOD[:40] + GOOD, "not JSON"),
    "a list": (b"[]", "not a JSON object"),
    "a text": (b'""', "not a JSON object"),
    "a number of 5000 digits": (b'{"a":' + b"9" * 5000 + b"}", "not JSON"),
    "a key twice": (GOOD[:-1] + b',"id":"mail-2"}', "duplicate JSON key"),
    "a key twice, deep inside": (
        GOOD.replace(b'"name"', b'"address": "eve@example.net", "name"'),
        "duplicate JSON key",
    ),
    "NaN": (GOOD[:-1] + b',"x":NaN}', "NaN or Infinity"),
    "Infinity": (GOOD[:-1] + b',"x":-Infinity}', "NaN or Infinity"),
    "a float too large": (GOOD[:-1] + b',"x":1e999}', "NaN or Infinity"),
    "100,000 levels": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deep"),
    "20 levels": (GOOD[:-1] + b',"x":' + b"[" * 20 + b"]" * 20 + b"}", "nested too deep"),
    "U+0000": (GOOD.replace(b"Ada", b"A\\u0000"), "U+0000 in a text"),
    "U+0000 in a key": (GOOD[:-1] + b',"\\u0000":1}', "U+0000 in a text"),
    "a lone surrogate": (GOOD.replace(b"Ada", b"\\ud800"), "lone surrogate in a text"),
}


@pytest.mark.fault("T50")
@pytest.mark.parametrize("name", BAD_BYTES)
def test_bad_bytes_are_quarantined_by_name(name: str) -> None:
    data, expected = BAD_BYTES[name]
    assert reason(data) == expected


BAD_FIELDS: dict[str, tuple[dict[str, object], str]] = {
    "no id": ({"id": ...}, "missing id"),
    "empty id": ({"id": ""}, "missing id"),
    "blank id": ({"id": " \t"}, "missing id"),
    "null id": ({"id": None}, "missing id"),
    "a number as id": ({"id": 7}, "missing id"),
    "an id too long": ({"id": "x" * 513}, "oversized id"),
    "no date": ({"received_at": ...}, "bad date"),
    "a date without zone": ({"received_at": "2026-03-01T10:00:00"}, "bad date"),
    "a day that does not exist": ({"received_at": "2026-02-30T10:00:00Z"}, "bad date"),
    "a date of year 1": ({"received_at": "0001-01-01T00:00:00+14:00"}, "bad date"),
    "a date as number": ({"received_at": 1700000000}, "bad date"),
    "no sender": ({"sender": ...}, "schema: sender: missing"),
    "a sender without address": ({"sender": {"name": "Ada"}}, "schema: sender: missing"),
    "a subject that is no text": ({"subject": 5}, "schema: subject: string_type"),
    "another schema": ({"schema_version": "2"}, "schema: schema_version: literal_error"),
    "a size below zero": (
        {"attachments": [{"name": "a", "content_type": "b", "size": -1}]},
        "schema: attachments: greater_than_equal",
    ),
    "a size as text": (
        {"attachments": [{"name": "a", "content_type": "b", "size": "1"}]},
        "schema: attachments: int_type",
    ),
}


@pytest.mark.fault("T50")
@pytest.mark.parametrize("name", BAD_FIELDS)
def test_one_bad_field_is_named(name: str) -> None:
    changes, expected = BAD_FIELDS[name]
    verdict = read(good(**changes))
    assert isinstance(verdict, Quarantined)
    assert verdict.reason == expected


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_the_published_schema_refuses_the_same_fields(name: str) -> None:
    if name in ("a day that does not exist", "a date of year 1"):
        pytest.skip("a pattern cannot know the calendar")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(good(**BAD_FIELDS[name][0]), SCHEMA)


def test_the_published_schema_accepts_a_good_line() -> None:
    jsonschema.validate(good(), SCHEMA)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data + b"\r",
        lambda data: b"  " + data + b"  ",
        lambda data: data.replace(b"parcel", "par\u2028cel\u0085".encode()),
        lambda data: data[:-1] + b', "a field of tomorrow": 1}',
    ],
    ids=["byte-order mark", "carriage return", "blanks", "U+2028 and U+0085", "unknown field"],
)
def test_what_does_no_harm_is_accepted(wrap: Callable[[bytes], bytes]) -> None:
    assert isinstance(read_line(wrap(GOOD), SECRET), Accepted)


def test_the_canonical_hash_covers_what_is_said_not_how_the_id_is_spelt() -> None:
    plain, spelt = read(good()), read(good(id=" MAIL-1"))
    other = read(good(subject="Something else"))
    assert isinstance(plain, Accepted)
    assert isinstance(spelt, Accepted)
    assert isinstance(other, Accepted)
    assert plain.work_order.key == spelt.work_order.key == other.work_order.key
    assert plain.canonical_sha256 == spelt.canonical_sha256 != other.canonical_sha256


def test_a_date_ahead_by_more_than_a_day_is_flagged() -> None:
    verdict = read(good())
    assert isinstance(verdict, Accepted)
    at = verdict.work_order.received_at
    assert not dated_in_future(verdict.work_order, at)
    assert dated_in_future(verdict.work_order, at.replace(day=1, month=2))


def test_a_key_depends_on_the_secret() -> None:
    assert work_order_key("one", "mail-1") != work_order_key("two", "mail-1")


@given(st.text())
def test_any_id_gives_a_well_formed_key(original_id: str) -> None:
    key = work_order_key(SECRET, original_id)
    assert len(key) == 27
    assert key.startswith("wo_")
    assert set(key[3:]) <= set("abcdefghijklmnopqrstuvwxyz234567")


@pytest.mark.fault("T50")
@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    read_line(data, SECRET)


@pytest.mark.fault("T50")
@given(
    st.dictionaries(
        st.sampled_from([*good(), "x"]), st.none() | st.text() | st.integers() | st.lists(st.text())
    )
)
def test_no_object_raises_and_what_is_accepted_satisfies_the_schema(
    changes: dict[str, object],
) -> None:
    line = good(**changes)
    if isinstance(read(line), Accepted):
        jsonschema.validate(line, SCHEMA)
