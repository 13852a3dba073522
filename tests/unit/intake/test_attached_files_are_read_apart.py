"""Text of attached files, by bytes before names, in a process that may die alone."""

import io
import time
import zlib

import pytest
from documents import bomb, docx, form, locked_pdf, noted_docx, pdf
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    ByteStringObject,
    DecodedStreamObject,
    DictionaryObject,
    EncodedStreamObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
    TextStringObject,
)

from swarm.intake.documents import reading
from swarm.intake.documents.forms import MORE_FIELDS, ODD_FIELD, XFA_FORM, filled
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


@pytest.mark.parametrize("note", ["footnotes", "endnotes", "comments"])
def test_notes_of_a_word_file_are_read_behind_its_text(note: str) -> None:
    found = read_text(noted_docx(note, "I will sue you", "Body"), "a.docx", WORD)
    assert found.text.split() == ["Body", "I", "will", "sue", "you"]
    assert found.problem == ""


def test_what_was_filled_into_a_form_is_read_behind_its_pages() -> None:
    filled = form("Complaint", why="I will sue you", who="Jörg 日本", when="")
    found = read_text(filled, "a.pdf", PDF)
    assert (found.text.split("\n\n\n"), found.problem) == (
        ["Complaint", "I will sue you\nJörg 日本"],
        "",
    )


def test_a_form_whose_pages_say_nothing_is_read_for_what_was_filled_in() -> None:
    assert read_text(form(why="I will sue you"), "a.pdf", PDF).text == "I will sue you"


def listed(*said: str) -> ArrayObject:
    return ArrayObject(TextStringObject(each) for each in said)


def streamed(said: bytes) -> StreamObject:
    value = DecodedStreamObject()
    value.set_data(said)
    return value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("/ I will sue you", "/ I will sue you"),
        ("/", "/"),
        ("//complaint", "//complaint"),
        (listed("I will sue you"), "I will sue you"),
        (listed("I will sue you", "/ soon"), "I will sue you\n/ soon"),
        (ArrayObject([listed("deep"), NumberObject(7)]), "deep\n7"),
        (ByteStringObject(b"\x9f\x7f I will sue you"), "I will sue you"),
        (ByteStringObject(b"\xad Gr\xfc\xdfe, Ihr Anwalt \x9f"), "Ihr Anwalt"),
        (NameObject("/Complaint"), "Complaint"),
        (NumberObject(10482), "10482"),
        (streamed(b"I will sue you"), "I will sue you"),
        (streamed("I will sue you".encode("utf-16")), "I will sue you"),
    ],
)
def test_a_value_of_a_form_is_read_in_whatever_shape_it_is_written(
    value: str | PdfObject, said: str
) -> None:
    found = read_text(form("Complaint", why=value, who="Ada"), "a.pdf", PDF)
    assert said in found.text
    assert found.text.endswith("\nAda")
    assert found.problem == ""


@pytest.mark.parametrize(
    "value",
    [
        BooleanObject(value=True),
        DictionaryObject({NameObject("/Why"): TextStringObject("x")}),
        ArrayObject([TextStringObject("read"), DictionaryObject()]),
    ],
)
def test_a_value_that_cannot_be_read_is_said_and_the_rest_is_read(value: PdfObject) -> None:
    found = read_text(form("Complaint", why=value, who="Ada"), "a.pdf", PDF)
    assert (found.text.split()[0], found.text.split()[-1]) == ("Complaint", "Ada")
    assert found.problem == "a field of its form cannot be read"


def test_of_two_fields_of_one_name_both_are_read_and_those_within_others_too() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(form(why="I will sue you", who="Ada"))))
    fields = writer.root_object["/AcroForm"]["/Fields"]
    around = DictionaryObject({NameObject("/FT"): NameObject("/Tx"), NameObject("/Kids"): fields})
    again = DictionaryObject({NameObject("/T"): TextStringObject("why"),
                              NameObject("/V"): TextStringObject("and your boss"),
                              NameObject("/Kids"): ArrayObject([fields[0]])})  # fmt: skip
    tree = NameObject("/Fields")
    writer.root_object["/AcroForm"][tree] = ArrayObject([around, again])
    out = io.BytesIO()
    writer.write(out)
    found = read_text(out.getvalue(), "a.pdf", PDF)
    assert (found.text.split("\n"), found.problem) == (
        ["I will sue you", "Ada", "and your boss"],
        "",
    )


def test_a_form_of_more_fields_than_are_read_says_so() -> None:
    fields = {f"f{number}": "x" for number in range(10_050)}
    assert read_text(form(**fields), "a.pdf", PDF).problem == (
        "its form has more fields than are read"
    )


SUE = TextStringObject("I will sue you")


def a_dictionary(**keys: PdfObject) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{name}"): value for name, value in keys.items()})


def a_field(value: PdfObject = SUE, kind: str = "/Tx", **more: PdfObject) -> DictionaryObject:
    return a_dictionary(FT=NameObject(kind), V=value, **more)


REST = a_field(TextStringObject("rest"))


def of_fields(*fields: PdfObject, **more: PdfObject) -> DictionaryObject:
    form_of = a_dictionary(Fields=ArrayObject(fields), **more)
    return a_dictionary(AcroForm=form_of)


class Leading(PdfObject):
    """A reference; to nothing, it raises what a broken file makes pypdf raise."""

    def __init__(self, to: PdfObject | None) -> None:
        self.to = to

    def get_object(self) -> PdfObject:
        if self.to is None:
            raise NotImplementedError
        return self.to


@pytest.mark.parametrize(
    "catalog",
    [
        a_dictionary(AcroForm=a_dictionary(Fields=a_field(), Kids=REST)),
        a_dictionary(AcroForm=ArrayObject([a_field(), REST])),
        of_fields(a_dictionary(Kids=a_field()), REST),
        of_fields(ArrayObject([ArrayObject([a_field()])]), REST),
        of_fields(a_dictionary(Fields=ArrayObject(), Kids=ArrayObject([a_field()])), REST),
        of_fields(REST, Kids=ArrayObject([a_field()])),
        of_fields(a_field(kind="/Sig"), REST),
        of_fields(
            a_dictionary(FT=NameObject("/Sig"), Kids=ArrayObject([a_dictionary(V=SUE)])), REST
        ),
        of_fields(Leading(Leading(a_field())), REST),
        of_fields(a_field(Leading(Leading(SUE))), REST),
        a_dictionary(
            AcroForm=a_dictionary(Fields=ArrayObject([REST])),
            Pages=a_dictionary(Kids=ArrayObject([a_dictionary(Annots=ArrayObject([a_field()]))])),
        ),
        a_dictionary(
            AcroForm=a_dictionary(Fields=ArrayObject([REST])),
            Pages=a_dictionary(Annots=ArrayObject([a_dictionary(Parent=a_field())])),
        ),
    ],
)
def test_a_field_is_read_wherever_it_stands(catalog: DictionaryObject) -> None:
    said, problem = filled(catalog)
    assert (sorted(said), problem) == (["I will sue you", "rest"], "")


def within_itself() -> ArrayObject:
    value = ArrayObject([SUE])
    value.append(value)
    return value


def doubled(times: int) -> ArrayObject:
    value = ArrayObject([SUE])
    for _ in range(times):
        value = ArrayObject([value, value])
    return value


def of_an_unknown_filter() -> StreamObject:
    stream = EncodedStreamObject()
    stream[NameObject("/Filter")] = NameObject("/Foo")
    return stream


@pytest.mark.parametrize(
    "field",
    [
        a_dictionary(FT=NameObject("/Tx"), RV=TextStringObject("<p>I will <b>sue</b> you</p>")),
        Leading(None),
        a_field(Leading(None)),
        a_field(of_an_unknown_filter()),
        a_field(within_itself()),
        a_field(doubled(30)),
        TextStringObject("no field"),
    ],
)
def test_a_field_that_cannot_be_read_is_said_and_loses_no_other(field: PdfObject) -> None:
    said, problem = filled(of_fields(field, REST))
    assert said[-1] == "rest"
    assert problem == ODD_FIELD


def test_a_form_of_another_kind_is_said_to_be_unread() -> None:
    assert filled(of_fields(XFA=ArrayObject([SUE]))) == ([], XFA_FORM)


def test_a_value_of_many_lists_in_one_another_is_read() -> None:
    value: PdfObject = SUE
    for _ in range(3000):
        value = ArrayObject([value])
    assert filled(of_fields(a_field(value), REST)) == (["I will sue you", "rest"], "")


@pytest.mark.parametrize(("count", "problem"), [(10_000, ""), (10_001, MORE_FIELDS)])
def test_as_many_values_as_are_read_are_no_more_than_are_read(count: int, problem: str) -> None:
    value = ArrayObject([SUE] * count)
    assert filled(of_fields(a_field(value)))[1] == problem
    said, found = filled(of_fields(*(a_field() for _ in range(count))))
    assert (len(said), found) == (10_000, problem)


def test_fields_that_share_what_is_within_them_take_no_square_of_the_time() -> None:
    within = ArrayObject(a_dictionary() for _ in range(5000))
    for each in within:
        each[NameObject("/Kids")] = within
    begin = time.process_time()
    assert filled(of_fields(*within)) == ([], "")
    assert time.process_time() - begin < 2.0


def test_a_box_that_is_ticked_says_nothing() -> None:
    assert "no text in it" in read_text(form(ticked="Yes"), "a.pdf", PDF).problem


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
