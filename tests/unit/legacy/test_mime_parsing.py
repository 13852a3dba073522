"""Whatever the bytes are: a mail, or one ``MalformedInputError`` that names what is wrong."""

# ruff: noqa: E501 - sample mails stay on one line

import contextlib
import json
import os
import time
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm import charsets
from swarm.errors import MalformedInputError
from swarm.legacy.events import MAX_LINE_BYTES, encoded, event_from_eml
from swarm.legacy.mime import parse_mail
from swarm.legacy.mime_headers import decode_header

SCHEMA = json.loads((resources.files("swarm.legacy") / "event.schema.json").read_text("utf-8"))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
MAILBOX = "service@example.com"
HEAD = b"From: Ada <ada@example.org>\nTo: service@example.com\nSubject: Lamp\nMessage-ID: <1@example.org>\n"


def mail(extra: bytes = b"", body: bytes = b"Hello\n") -> bytes:
    return HEAD + extra + b"\n" + body


def test_a_plain_mail_is_read() -> None:
    parsed = parse_mail(mail())
    assert parsed.sender == ("Ada", "ada@example.org")
    assert (parsed.subject, parsed.message_id) == ("Lamp", "<1@example.org>")
    assert parsed.body_text == "Hello\n"


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        ("utf-8", "Größe".encode(), "Größe"),
        ("iso-8859-1", "Größe".encode("latin-1"), "Größe"),
        ("iso-8859-1", "Größe".encode(), "Größe"),
        ("iso-8859-1", b"\x93quoted\x94", "\u201cquoted\u201d"),
        ("us-ascii", "Größe".encode(), "Größe"),
        ("no-such-charset", "Größe".encode(), "Größe"),
        ("utf-8", "Größe".encode("latin-1"), "Größe"),
        ("gb2312", "你好".encode("gbk"), "你好"),
        ("iso-2022-jp", "こんにちは".encode("iso-2022-jp"), "こんにちは"),
        ('"utf-8', "Größe".encode(), "Größe"),
    ],
)
def test_bodies_are_decoded_whatever_the_mail_claims(charset: str, body: bytes, text: str) -> None:
    extra = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n"
    assert parse_mail(mail(extra.encode(), body)).body_text == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("=?utf-8?q?Gr=C3=B6=C3=9Fe?=", "Größe"),
        ("=?utf-8?B?R3LDtg==?= =?utf-8?B?w59l?=", "Größe"),
        ("=?utf-8?B?R3LD?=\n =?utf-8?B?tsOfZQ==?=", "Größe"),
        ("=?utf-8?B?not base64!?=", "not base64!"),
        ("=?x-unknown?q?abc?=", "abc"),
        ("a\n b\r\n\tc", "a b c"),
        ("nul\x00led", "nulled"),
    ],
)
def test_headers_are_decoded(raw: str, text: str) -> None:
    assert decode_header(raw) == text


@pytest.mark.parametrize("charset", ["punycode", "IDNA", "unicode_escape", "Unicode-Escape"])
def test_nobody_writes_a_mail_in_a_codec_of_another_purpose(charset: str) -> None:
    said = b"xn--mller-kva \\x41"
    assert decode_header(f"=?{charset}?q?mller-kva_=5Cx41?=") == "mller-kva \\x41"
    extra = f"Content-Type: text/plain; charset={charset}\n".encode()
    assert parse_mail(mail(extra, said)).body_text == said.decode()


def test_the_charset_of_a_header_is_guessed_for_its_first_words_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = list[bytes]()

    def detected(data: bytes) -> str:
        asked.append(data)
        return "cp1252"

    monkeypatch.setattr(charsets, "_detected", detected)
    words = " ".join(f"=?x{number}?q?=80{'a' * 60}?=" for number in range(100))
    assert decode_header(words).count("\u20ac") == 100
    assert 1 <= len(asked) <= 8


MULTIPART = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n"


def part(headers: str, body: str) -> bytes:
    return f"--x\n{headers}\n\n{body}\n".encode()


def test_attachments_are_labels_without_bytes() -> None:
    body = (
        part("Content-Type: text/plain", "see attached")
        + part("Content-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment; filename=a.pdf\nContent-Transfer-Encoding: base64", "aGVsbG8=")
        + part("Content-Type: image/png\nContent-ID: <i@x>\nContent-Disposition: inline; filename=i.png", "png")
        + part("Content-Type: application/ms-tnef; name=winmail.dat", "tnef")
        + part("Content-Type: message/rfc822", "From: eve@example.net\nSubject: inner\n\nsecret inner text")
        + b"--x--\n"
    )  # fmt: skip
    parsed = parse_mail(mail(MULTIPART, body))
    assert parsed.body_text == "see attached"
    labels = [(a.name, a.content_type, a.inline) for a in parsed.attachments]
    assert labels == [
        ("a.pdf", "application/pdf", False),
        ("i.png", "image/png", True),
        ("winmail.dat", "application/ms-tnef", False),
        ("inner.eml", "message/rfc822", False),
    ]
    assert parsed.attachments[0].size == 5
    assert "secret inner" not in str(parsed)


def test_html_only_and_plain_beside_html_are_both_kept() -> None:
    body = (
        part("Content-Type: text/html", "<p>Hi</p>")
        + part("Content-Type: text/plain", "a < b")
        + b"--x--\n"
    )
    parsed = parse_mail(mail(MULTIPART, body))
    assert parsed.body_html == "<p>Hi</p>\n<pre>a &lt; b</pre>"
    assert parsed.body_text == "a < b"


def test_uuencoded_text_stays_text() -> None:
    body = b"begin 644 a.txt\n#0V%T\n`\nend\n"
    assert parse_mail(mail(body=body)).body_text == body.decode()


@pytest.mark.parametrize(
    "prefix", [b"From ada Mon Jan  1 00:00:00 2026\n", b"\xef\xbb\xbf", b"\r\n\r\n"]
)
def test_what_stands_before_the_first_header_is_passed_over(prefix: bytes) -> None:
    assert parse_mail(prefix + mail()).subject == "Lamp"


def test_obsolete_blanks_before_the_colon_are_read() -> None:
    assert parse_mail(b"From  : ada@example.org\nSubject\t: Lamp\n\nx").subject == "Lamp"


@pytest.mark.parametrize(
    "data", [b"", b"just some text", b"\x89PNG\r\n\x1a\n\x00\x00", b"\x00" * 1000, b"{}"]
)
def test_what_is_no_mail_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(MalformedInputError, match="not a mail"):
        parse_mail(data)


HOSTILE = {
    "a header of 3 MB": HEAD + b"X-Long: " + b"a" * 3_000_000 + b"\n\nbody",
    "a recipient list of 1 MB": HEAD.replace(b"To: ", b"To: " + b"a@b.example, " * 70_000) + b"\nbody",
    "open brackets": HEAD + b"Cc: " + b"<" * 200_000 + b"\nReply-To: " + b"(" * 200_000 + b"\n\nx",
    "encoded words": HEAD + b"X-S: " + b"=?utf-8?q?a?= " * 50_000 + b"\n\nx",
    "nested parts": HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(300)) + b"x",
    "nested mails": HEAD + b"Content-Type: message/rfc822\n\n" * 300 + b"x",
    "ten thousand parts": mail(MULTIPART, b"--x\n\nhi\n" * 10_000),
    "no end of base64": HEAD + b"Content-Transfer-Encoding: base64\n\n" + b"=" * 500_000,
    "bad bytes everywhere": HEAD + b"\n" + bytes(range(256)) * 4000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mails_end_soon_and_well(name: str) -> None:
    begin = time.process_time()
    with contextlib.suppress(MalformedInputError):
        parse_mail(HOSTILE[name])
    assert time.process_time() - begin < 4.0


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_a_mail_or_a_malformed_input(data: bytes, headed: bool) -> None:
    try:
        event = event_from_eml((HEAD if headed else b"") + data, MAILBOX, now=NOW)
    except MalformedInputError:
        return
    line = encoded(event)
    assert line.count(b"\n") == 1
    jsonschema.validate(json.loads(line), SCHEMA)


def test_a_mail_without_message_id_gets_one_from_its_content() -> None:
    raw = mail().replace(b"Message-ID: <1@example.org>\n", b"")
    first, second = (event_from_eml(raw, MAILBOX, now=NOW) for _ in range(2))
    other = event_from_eml(raw + b"more", MAILBOX, now=NOW)
    assert first["id"] == second["id"] != other["id"]
    assert first["internet_message_id"]


def test_answers_share_the_conversation_of_the_oldest_mail() -> None:
    first = event_from_eml(mail(), MAILBOX, now=NOW)
    answer = mail(b"In-Reply-To: <2@example.org>\nReferences: <1@example.org> <2@example.org>\n")
    answer = answer.replace(b"Message-ID: <1@", b"Message-ID: <3@")
    assert event_from_eml(answer, MAILBOX, now=NOW)["conversation_id"] == first["conversation_id"]


def test_a_date_ahead_of_now_becomes_now() -> None:
    event = event_from_eml(mail(b"Date: Mon, 1 Jan 2035 00:00:00 +0000\n"), MAILBOX, now=NOW)
    assert event["received_at"] == "2026-03-01T00:00:00.000000Z"


def test_a_mail_too_long_for_a_line_is_cut_and_says_so() -> None:
    event = event_from_eml(mail(body=b'"\\\x01' * 1_000_000), MAILBOX, now=NOW)
    line = encoded(event)
    assert len(line) <= MAX_LINE_BYTES
    assert json.loads(line)["truncated"] is True


def test_every_mail_of_the_corpus_becomes_a_valid_event() -> None:
    shared = Path(os.environ.get("SWARM_SHARED", Path(__file__).parents[4] / "shared"))
    corpus = shared / "data" / "dev" / "mime"
    if not corpus.is_dir():
        pytest.skip(f"no mail corpus at {corpus}; set SWARM_SHARED")
    refused = 0
    for path in corpus.rglob("*.eml"):
        try:
            event = event_from_eml(path.read_bytes(), MAILBOX, now=NOW)
        except MalformedInputError:
            refused += 1
            continue
        jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(encoded(event)))
    assert refused <= 1
