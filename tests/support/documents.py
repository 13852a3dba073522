"""Small files of the kinds that are read, and some that break whoever reads them."""

import io
import zipfile

from docx import Document
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, PdfObject, TextStringObject

_OFFICE = "http://schemas.openxmlformats.org"


def pdf(*lines: str) -> bytes:
    """A PDF of one page with these lines of plain ASCII."""
    shown = " ".join(f"({line}) Tj 0 -16 Td" for line in lines)
    stream = f"BT /F1 12 Tf 72 720 Td {shown} ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",  # noqa: E501
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n" % size
    return (
        out
        + head
        + table
        + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (
            size,
            len(out),
        )
    )


def locked_pdf(password: str) -> bytes:
    """A PDF that opens with a password only."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf("secret"))))
    writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def form(*lines: str, ticked: str = "Yes", **fields: str | PdfObject) -> bytes:
    """A PDF with these lines and a form: a box that is ticked, and fields with what was typed.

    A value that is no plain text stands as it is, in a field of the kind its type asks for.
    """
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(*lines))))
    typed = [(name, *_typed(value)) for name, value in fields.items()]
    widgets = ArrayObject()
    for name, kind, value in (*typed, ("box", "/Btn", NameObject(f"/{ticked}"))):
        field = {"/FT": NameObject(kind), "/T": TextStringObject(name), "/V": value}
        widget = DictionaryObject({NameObject(key): each for key, each in field.items()})
        widgets.append(writer._add_object(widget))
    filled = DictionaryObject({NameObject("/Fields"): widgets})
    writer.root_object[NameObject("/AcroForm")] = filled
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _typed(value: str | PdfObject) -> tuple[str, PdfObject]:
    if isinstance(value, PdfObject):
        return ("/Ch" if isinstance(value, ArrayObject) else "/Tx"), value
    return "/Tx", TextStringObject(value)


def noted_docx(kind: str, note: str, *paragraphs: str) -> bytes:
    """A Word file with a note; ``kind`` is footnotes, endnotes or comments."""
    document = Document(io.BytesIO(docx(*paragraphs)))
    head = f'<w:{kind} xmlns:w="{_OFFICE}/wordprocessingml/2006/main">'
    said = f"{head}<w:p><w:r><w:t>{note}</w:t></w:r></w:p></w:{kind}>"
    of_kind = f"application/vnd.openxmlformats-officedocument.wordprocessingml.{kind}+xml"
    name, package = PackURI(f"/word/{kind}.xml"), document.part.package
    part = Part(name, of_kind, said.encode(), package)
    document.part.relate_to(part, f"{_OFFICE}/officeDocument/2006/relationships/{kind}")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def docx(*paragraphs: str, cell: str = "", header: str = "") -> bytes:
    """A Word file with paragraphs, a table of one cell and a header line."""
    document = Document()
    for text in paragraphs:
        document.add_paragraph(text)
    if cell:
        document.add_table(1, 1).cell(0, 0).text = cell
    if header:
        document.sections[0].header.paragraphs[0].text = header
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def bomb() -> bytes:
    """A Word file of 70 kB that is 70 MB unpacked."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<a>" + b"a" * (70 << 20))
    return out.getvalue()
