"""Text of attached files, by bytes before names, in a process that may die alone."""

import zlib

import pytest
from documents import bomb, docx, locked_pdf, pdf

from swarm.intake.documents import reading
from swarm.intake.documents.reading import MAX_CHARACTERS, NO_KIND, could_be_read, read_text

PDF, PLAIN = "application/pdf", "text/plain"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ANY = "application/octet-stream"


@pytest.mark.parametrize(
    ("data", "name", "kind", "said"),
    [
        (pdf("Order 10482", "shipped"), "a.pdf", PDF, "Order 10482\nshipped"),
        (pdf("Order 10482"), "picture.png", "image/png", "Order 10482"),
        (docx("Order 10482"), "a.docx", WORD, "Order 10482"),
        (b"Order;Amount\n10482;12,50\n", "a.csv", "text/csv", "Order;Amount\n10482;12,50"),
        ("Größe".encode(), "a.txt", PLAIN, "Größe"),
        ("Größe ändern".encode("latin-1"), "a.txt", ANY, "Größe ändern"),
        ("Größe".encode("utf-16"), "a.txt", PLAIN, "Größe"),
        (b"\xef\xbb\xbfOrder 1\r\n2", "a.txt", PLAIN, "Order 1\n2"),
    ],
)
def test_the_text_of_a_file_is_read(data: bytes, name: str, kind: str, said: str) -> None:
    found = read_text(data, name, kind)
    assert (found.text, found.problem) == (said, "")


def test_tables_and_headers_of_a_word_file_are_read_too() -> None:
    found = read_text(docx("Body", cell="I will sue you", header="Kern GmbH"), "a.docx", WORD)
    assert all(part in found.text for part in ("Body", "I will sue you", "Kern GmbH"))


@pytest.mark.parametrize(
    ("data", "name", "kind", "why"),
    [
        (locked_pdf("x"), "a.pdf", PDF, "password"),
        (pdf(), "scan.pdf", PDF, "no text in it"),
        (b"%PDF-1.4\n%\xc7\xec", "a.pdf", PDF, "failed"),
        (docx("x")[:900], "a.docx", WORD, "failed|kind"),
        (bomb(), "a.docx", WORD, "unpacked"),
        (b"", "a.txt", PLAIN, "empty"),
        (b"\x00\x01\x02\x03" * 9, "a.txt", PLAIN, "is none"),
        (b"\x89PNG", "a.png", "image/png", NO_KIND),
        (b"plain words", "a.pdf", PDF, NO_KIND),
        (b"MZ\x90\x00", "a.exe", ANY, NO_KIND),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, name: str, kind: str, why: str) -> None:
    found = read_text(data, name, kind)
    assert not found.text
    assert any(word in found.problem for word in why.split("|")), found.problem


def test_a_long_text_is_cut_and_says_so() -> None:
    found = read_text(b"word " * 30_000, "a.txt", PLAIN)
    assert len(found.text) == MAX_CHARACTERS
    assert found.truncated
    assert "longer" in found.problem


def test_a_reader_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_SECONDS", 0.001)
    assert read_text(pdf("x"), "a.pdf", PDF).problem == "reading it took too long"


def test_a_reader_that_eats_memory_dies_alone() -> None:
    """A stream that unpacks to 2 GB must not be unpacked in anybody's memory but the child's."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * (8 << 20)) for _ in range(256)) + packer.flush()
    old = pdf("x")
    start, end = old.index(b"<</Length"), old.index(b"endstream")
    head = b"<</Length %d/Filter/FlateDecode>>stream\n" % len(packed)
    assert not read_text(old[:start] + head + packed + b"\n" + old[end:], "a.pdf", PDF).text


def test_only_what_may_be_read_is_worth_fetching() -> None:
    assert could_be_read("a.PDF", ANY)
    assert could_be_read("", "text/csv; charset=utf-8")
    assert not could_be_read("photo.jpg", "image/jpeg")
    assert not could_be_read("page.html", "text/html")
