"""A mail that says more than a mail may: the rest is judged as well, or said to be unread."""

from datetime import UTC, datetime

import pytest

from swarm.legacy.events import event_from_eml
from swarm.legacy.mime import MORE_SUBJECTS, SEVERAL_SENDERS, parse_mail
from swarm.legacy.mime_bodies import MAX_PARTS, MORE_PARTS, NO_PARTS
from swarm.sandbox.addresses import MAILBOX

HEAD = b"From: Ada <ada@example.org>\nTo: service@example.com\nSubject: Lamp\n"
TEXT = "My lawyer will write to you."
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def headed(*lines: str) -> bytes:
    return "\n".join((*lines, "", "Hello\n")).encode()


def of_parts(count: int) -> bytes:
    """A mail of so many texts side by side."""
    parts = b"".join(b"--x\n\ntext %d.\n" % number for number in range(1, count + 1))
    return HEAD + b"Content-Type: multipart/mixed; boundary=x\n\n" + parts + b"--x--\n"


def nested(depth: int, *, said: str) -> bytes:
    """A text in so many multiparts; ``said``: the boundary they name, of ``b0``, ``b1``..."""
    inner = f"Content-Type: text/plain\n\n{TEXT}\n"
    for n in reversed(range(depth)):
        boundary = said.format(n)
        head = f"Content-Type: multipart/mixed; boundary={boundary}\n\n"
        inner = f"{head}--b{n}\n{inner}--b{n}--\n"
    return HEAD + inner.encode()


@pytest.mark.parametrize("second", ["b@evil.example", "a@kunde.example", "nobody at all", ""])
def test_a_mail_with_a_second_from_is_unread_whatever_it_says(second: str) -> None:
    mail = headed("From: a@kunde.example", "Subject: Lamp", f"from: {second}")
    parsed = parse_mail(mail)
    assert parsed.sender == ("", "a@kunde.example")
    assert parsed.unread == (SEVERAL_SENDERS,)
    assert event_from_eml(mail, MAILBOX, now=NOW)["unread"] == [SEVERAL_SENDERS]


def test_a_sender_beside_the_from_is_no_second_one() -> None:
    parsed = parse_mail(headed("From: a@kunde.example", "Sender: office@kunde.example"))
    assert (parsed.sender, parsed.unread) == (("", "a@kunde.example"), ())


@pytest.mark.parametrize(
    ("first", "second", "subject"),
    [
        ("Lamp", "I will sue you", "Lamp I will sue you"),
        ("", "I will sue you", "I will sue you"),
        ("Lampe", "=?utf-8?Q?K=C3=BCndigung?=", "Lampe Kündigung"),
        ("Lamp", "", "Lamp"),
        ("=?utf-8?Q?Frage?=", "=?utf-8?Q?Anwalt_eingeschaltet?=", "Frage Anwalt eingeschaltet"),
        ("=?utf-8?B?RnJhZ2U=?=", "=?utf-8?B?QW53YWx0?=", "Frage Anwalt"),
        ("=?utf-8?Q?Frage?= =?utf-8?Q?n?=", "=?koi8-r?B?68HL?=", "Fragen Как"),
        ("=?utf-8?Q?Frage_", "an?=", "=?utf-8?Q?Frage_ an?="),
    ],
)
def test_what_a_second_subject_says_stands_in_the_subject(
    first: str, second: str, subject: str
) -> None:
    mail = headed("From: a@kunde.example", f"Subject: {first}", "To: x@y.example",
                  f"SUBJECT: {second}")  # fmt: skip
    parsed = parse_mail(mail)
    assert (parsed.subject, parsed.unread) == (subject, ())
    assert event_from_eml(mail, MAILBOX, now=NOW)["subject"] == subject


def test_what_every_further_subject_says_stands_in_the_subject() -> None:
    mail = headed("From: a@kunde.example", *["Subject: =?utf-8?Q?Kern?="] * 3, "Subject: Lamp")
    assert parse_mail(mail).subject == "Kern Kern Kern Lamp"


def test_of_more_subjects_than_are_read_the_mail_is_unread() -> None:
    ten, more = (
        parse_mail(headed("From: a@kunde.example", *(f"Subject: s{n}" for n in range(count))))
        for count in (10, 11)
    )
    assert (len(ten.subject.split()), ten.unread) == (10, ())
    assert (len(more.subject.split()), more.unread) == (10, (MORE_SUBJECTS,))


def test_nor_is_it_read_where_its_further_subjects_are_too_long() -> None:
    long = f"Subject: {'x' * 20_000}"
    parsed = parse_mail(headed("From: a@kunde.example", "Subject: Lamp", long, long))
    assert parsed.subject == f"Lamp {'x' * 20_000}"
    assert parsed.unread == (MORE_SUBJECTS,)


@pytest.mark.parametrize("name", ["To", "Cc", "Reply-To", "Date", "Message-ID"])
def test_of_any_other_header_the_first_one_counts(name: str) -> None:
    one, other = "<1@x.example>", "<2@y.example>"
    parsed = parse_mail(headed("From: a@kunde.example", f"{name}: {one}", f"{name}: {other}"))
    assert parsed.headers[name.lower()] == one


def test_as_many_parts_as_are_read_are_all_of_the_mail() -> None:
    most = MAX_PARTS - 1  # the mail itself is one
    parsed = parse_mail(of_parts(most))
    assert f"text {most}." in parsed.body_text
    assert parsed.unread == ()


@pytest.mark.parametrize("count", [MAX_PARTS, MAX_PARTS + 11])
def test_a_mail_of_more_parts_than_are_read_is_unread(count: int) -> None:
    mail = of_parts(count)
    parsed = parse_mail(mail)
    assert "text 499." in parsed.body_text
    assert f"text {count}." not in parsed.body_text
    assert parsed.unread == (MORE_PARTS,)
    assert event_from_eml(mail, MAILBOX, now=NOW)["unread"] == [MORE_PARTS]


@pytest.mark.parametrize("depth", [1, 8, 60])
def test_a_text_in_many_multiparts_is_found(depth: int) -> None:
    parsed = parse_mail(nested(depth, said="b{}"))
    assert (parsed.body_text, parsed.unread) == (TEXT, ())


@pytest.mark.parametrize("depth", [1, 2, 8])
def test_it_is_found_too_where_each_names_another_boundary_than_its_own(depth: int) -> None:
    parsed = parse_mail(nested(depth, said="other{}"))
    assert (parsed.body_text, parsed.unread) == (TEXT, ())


@pytest.mark.parametrize("depth", [9, 60])
def test_beyond_eight_of_these_the_rest_is_read_as_text_and_unread(depth: int) -> None:
    """Each is parsed anew with all that is in it: unbounded, the work grows with the square."""
    parsed = parse_mail(nested(depth, said="other{}"))
    assert TEXT in parsed.body_text
    assert parsed.unread == (NO_PARTS,)
