"""Encodings, boundaries, line ends and files that are odd, and what they mean all the same."""

import base64
from datetime import UTC, datetime

import pytest

from swarm.errors import MalformedInputError
from swarm.legacy.events import event_from_eml
from swarm.legacy.mime import NO_TEXT, SEVERAL_SENDERS, parse_mail
from swarm.legacy.mime_bodies import ENCODED_TEXT, NO_PARTS, SPOILT_TEXT
from swarm.legacy.mime_flowed import unflowed
from swarm.sandbox.addresses import MAILBOX

HEAD = b"From: Ada <ada@example.org>\nTo: service@example.com\nSubject: Lamp\n"
TEXT = "My lawyer will write to you because the lamp burned my hand."
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def mail(extra: str, body: bytes) -> bytes:
    return HEAD + extra.encode() + b"\n" + body


@pytest.mark.parametrize(
    "spelling",
    [
        "base64 ",
        "BASE64",
        "base64\t",
        "base64;",
        "base64 (as ever)",
        "(as ever) base64",
        '"base64"',
        "base-64",
        "\n base64",
    ],
)
def test_base64_is_decoded_however_it_is_announced(spelling: str) -> None:
    body = base64.encodebytes(TEXT.encode())
    parsed = parse_mail(mail(f"Content-Transfer-Encoding: {spelling}\n", body))
    assert (parsed.body_text, parsed.unread) == (TEXT, ())


@pytest.mark.parametrize(
    "spelling", ["quoted-printable ", "Quoted-Printable;", "quoted printable", "quoted_printable"]
)
def test_quoted_printable_is_decoded_however_it_is_announced(spelling: str) -> None:
    parsed = parse_mail(mail(f"Content-Transfer-Encoding: {spelling}\n", b"My la=\nwyer =3D here"))
    assert parsed.body_text == "My lawyer = here"


def test_base64_that_nothing_announces_is_unread() -> None:
    assert parse_mail(mail("", base64.encodebytes(TEXT.encode() * 3))).unread == (ENCODED_TEXT,)


def test_base64_that_was_cut_off_is_read_as_far_as_it_goes_and_said_to_be_unread() -> None:
    cut = base64.b64encode(TEXT.encode())[:-3]
    parsed = parse_mail(mail("Content-Transfer-Encoding: base64\n", cut))
    assert parsed.body_text.startswith("My lawyer will write")
    assert parsed.unread == (ENCODED_TEXT,)


def test_what_a_list_wrote_below_base64_is_kept() -> None:
    body = base64.encodebytes(TEXT.encode()) + b"_____\nMy lawyer will call you\n"
    parsed = parse_mail(mail("Content-Transfer-Encoding: base64\n", body))
    assert parsed.body_text == f"{TEXT}\n\n_____\nMy lawyer will call you\n"


def test_uuencoded_text_is_decoded() -> None:
    body = b"begin 644 a\n#0V%T\n`\nend\n"
    assert parse_mail(mail("Content-Transfer-Encoding: x-uuencode \n", body)).body_text == "Cat"


def test_a_text_that_is_said_to_be_base64_and_is_not_stays_as_it_is() -> None:
    parsed = parse_mail(mail("Content-Transfer-Encoding: base64\n", TEXT.encode() + b" !?.,-" * 9))
    assert parsed.body_text.startswith(TEXT)


def test_bytes_of_no_character_set_are_unread() -> None:
    head = "Content-Type: text/plain; charset=utf-8\n"
    parsed = parse_mail(mail(head, b"\x81\x8d\x8f\x90\x9d" * 9))
    assert parsed.unread == (SPOILT_TEXT,)


def test_a_mail_with_a_subject_and_no_text_is_unread() -> None:
    assert parse_mail(mail("", b"\n \n")).unread == (NO_TEXT,)
    assert event_from_eml(mail("", b""), MAILBOX, now=NOW)["unread"] == [NO_TEXT]


@pytest.mark.parametrize(
    "kind",
    [
        'multipart/mixed; boundary="ab\n cd"',
        "multipart/mixed; boundary=other",
        "multipart/mixed",
        'multipart/mixed;\n boundary=\n "abcd"',
    ],
)
def test_parts_are_found_where_they_begin_whatever_the_boundary_is_said_to_be(kind: str) -> None:
    body = f"--abcd\nContent-Type: text/plain\n\n{TEXT}\n--abcd--\n".encode()
    assert parse_mail(mail(f"Content-Type: {kind}\n", body)).body_text.strip() == TEXT


def test_a_multipart_that_nothing_divides_is_read_as_text_and_unread() -> None:
    parsed = parse_mail(mail("Content-Type: multipart/mixed; boundary=x\n", TEXT.encode()))
    assert (parsed.body_text, parsed.unread) == (TEXT, (NO_PARTS,))


@pytest.mark.parametrize(
    ("charset", "raw"),
    [
        ("utf-8", "Größe".encode()),
        ("iso-8859-1", "Größe".encode("latin-1")),
        ("koi8-r", "Заказ".encode("koi8-r")),
        ("windows-1250", "Objednávka číslo".encode("cp1250")),
        ("", "Größe".encode("latin-1")),
    ],
)
def test_a_raw_subject_is_of_the_character_set_of_its_mail(charset: str, raw: bytes) -> None:
    kind = f"Content-Type: text/plain; charset={charset}\n" if charset else ""
    data = b"From: a@example.org\nSubject: " + raw + b"\n" + kind.encode() + b"\nHello\n"
    assert parse_mail(data).subject == raw.decode(charset or "latin-1")


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_a_file_in_a_wide_encoding_is_read(charset: str) -> None:
    said = "Content-Type: text/plain; charset=utf-16\n"
    parsed = parse_mail(mail(said, TEXT.encode()).decode().encode(charset))
    assert (parsed.sender, parsed.body_text) == (("Ada", "ada@example.org"), TEXT)


def test_an_emlx_is_the_mail_between_its_length_and_its_plist() -> None:
    raw = mail("", TEXT.encode())
    plist = b'<?xml version="1.0"?>\n<plist version="1.0"><dict/></plist>\n'
    assert parse_mail(b"%d\n" % len(raw) + raw + plist).body_text == TEXT
    assert (
        parse_mail(b"%d   \r\n" % (len(raw) + 40) + raw + b"\n" + plist).body_text.strip() == TEXT
    )


def test_a_mail_that_begins_with_a_number_and_no_plist_loses_nothing() -> None:
    assert parse_mail(b"7\n" + mail("", TEXT.encode())).body_text == TEXT


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 99, "save it as .eml"),
        (b"!BDN" + b"\x00" * 99, "save it as .eml"),
        (b"PK\x03\x04" + b"\x00" * 99, "inside"),
        (b"%PDF-1.7 ", "the mail itself"),
    ],
)
def test_files_of_other_programs_are_refused_with_what_to_do(data: bytes, word: str) -> None:
    with pytest.raises(MalformedInputError, match=word):
        parse_mail(data)


@pytest.mark.parametrize(
    ("text", "delsp", "joined"),
    [
        ("one \ntwo\nthree", False, "one two\nthree"),
        ("deli \nvered", True, "delivered"),
        (" From here\n >no quote", False, "From here\n>no quote"),
        ("> a \n> b\n> c\nmine", False, "> a b\n> c\nmine"),
        ("> a \nmine", False, "> a \nmine"),
        (">> a \n>> b", True, ">> ab"),
        ("text \n-- \nAda", False, "text \n-- \nAda"),
        ("", False, ""),
    ],
)
def test_soft_lines_are_joined(text: str, delsp: bool, joined: str) -> None:
    assert unflowed(text, delsp=delsp) == joined


@pytest.mark.parametrize(
    ("header", "sender"),
    [
        ("=?utf-8?Q?boss=40victim.example=2C?= <a@evil.example>", "a@evil.example"),
        ("=?utf-8?B?PGJvc3NAdmljdGltLmV4YW1wbGU+?= <a@evil.example>", "a@evil.example"),
        ("=?utf-8?Q?=22boss=40victim.example=22_=3Cx=40y.example=3E?= <a@evil.example>",
         "a@evil.example"),
        ('"boss@victim.example," <a@evil.example>', "a@evil.example"),
        ("Kern, Ada <a@evil.example>", "a@evil.example"),
        ("=?utf-8?Q?Ada_=3Ca=40evil.example=3E?=", "a@evil.example"),
    ],
)  # fmt: skip
def test_an_encoded_name_makes_no_other_address(header: str, sender: str) -> None:
    parsed = parse_mail(f"From: {header}\nSubject: x\n\nHello\n".encode())
    assert parsed.sender is not None
    assert parsed.sender[1] == sender
    assert parsed.unread == ()


@pytest.mark.parametrize("field", ["To", "Cc", "Reply-To"])
def test_nor_does_it_in_any_other_header(field: str) -> None:
    name = "=?utf-8?Q?boss=40victim.example=2C?="
    parsed = parse_mail(
        f"From: a@b.example\nSubject: x\n{field}: {name} <c@d.example>\n\nHello\n".encode()
    )
    people = {"To": parsed.to, "Cc": parsed.cc, "Reply-To": parsed.reply_to}[field]
    assert [address for _, address in people] == ["c@d.example"]


def test_a_mail_of_two_senders_is_unread() -> None:
    data = b"From: boss@victim.example, Ada <a@evil.example>\nSubject: x\n\nHello\n"
    assert parse_mail(data).unread == (SEVERAL_SENDERS,)
