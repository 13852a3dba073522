"""The program that opens a foreign file: ``python -I -m swarm.intake.documents.child KIND``.

Reads the file from standard input and writes ``{"text", "problem", "truncated"}`` as JSON. It gives
itself narrow limits (processor time, memory, what it may write) before it imports what reads files,
and whatever breaks it breaks nothing else: the parent takes silence for an answer.
"""

import io
import json
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

from swarm.charsets import decode_bytes
from swarm.intake.documents.forms import filled

CPU_SECONDS = 10
WALL_SECONDS = 30  # on a machine that has much else to do
MEMORY_BYTES = 700 << 20
OUTPUT_BYTES = 1 << 20
_MOST_CHARACTERS = 60_000  # a little more than what is kept, so that a cut can be told
_MOST_PAGES = 200
_NOTES = ("/footnotes.xml", "/endnotes.xml")  # python-docx reads the other parts itself
_MOST_UNPACKED = 60 << 20  # bytes of a .docx; a compressed bomb ends here


def main() -> int:
    """Answer about one file; returns the exit code."""
    _narrow()
    kind = sys.argv[1]
    data = sys.stdin.buffer.read()
    parts, problem = {"pdf": _pdf, "docx": _docx, "text": _text}[kind](data)
    pieces: list[str] = []
    left = _MOST_CHARACTERS
    for part in parts:
        pieces.append(part[:left])
        left -= len(part)
        if left <= 0:
            break
    text = _storable("".join(pieces))
    answer = {"text": text, "problem": problem, "truncated": left <= 0}
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode())
    return 0


def _narrow() -> None:
    limits = {
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_FSIZE: OUTPUT_BYTES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 32,
    }
    for limit, most in limits.items():
        with suppress(ValueError, OSError):  # a tighter one is in force already
            resource.setrlimit(limit, (most, most))
    signal.alarm(WALL_SECONDS)  # whoever waits without computing


def _pdf(data: bytes) -> tuple[Iterator[str], str]:
    import logging  # noqa: PLC0415 - nothing is imported before the limits hold

    from pypdf import PdfReader  # noqa: PLC0415

    logging.disable(logging.CRITICAL)
    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted and not _opens(reader):
        return iter(()), "it is locked with a password"
    count = len(reader.pages)
    pages = (reader.pages[number] for number in range(min(count, _MOST_PAGES)))
    values, odd = filled(reader.root_object)
    problems = ("it has more pages than are read" if count > _MOST_PAGES else "", odd)
    said = chain((f"{page.extract_text()}\n\n" for page in pages), (f"{v}\n" for v in values))
    return said, "; ".join(filter(None, problems))


def _opens(reader: object) -> bool:
    """Whether the empty password opens it: many files are only locked against changes."""
    decrypt = getattr(reader, "decrypt", None)
    try:
        return decrypt is not None and bool(decrypt(""))
    except Exception:  # noqa: BLE001 - a cipher nobody here knows
        return False


def _docx(data: bytes) -> tuple[Iterator[str], str]:
    import zipfile  # noqa: PLC0415

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        unpacked = sum(each.file_size for each in archive.infolist())
        if unpacked > _MOST_UNPACKED:
            return iter(()), "it is too large when unpacked"
    from docx import Document  # noqa: PLC0415
    from docx.oxml import parse_xml  # noqa: PLC0415 - resolves no entities

    document = Document(io.BytesIO(data))
    roots = [document.element]
    roots += [
        part.element
        for part in document.part.package.iter_parts()
        if part is not document.part and hasattr(part, "element")
    ]
    notes = (
        part
        for part in document.part.package.iter_parts()
        if str(part.partname).endswith(_NOTES) and not hasattr(part, "element")
    )
    roots += [parse_xml(part.blob) for part in notes]
    return (text for root in roots for text in _words(root)), ""


def _words(root: object) -> Iterator[str]:
    """Yield the text of an element in order: of tables, boxes, notes and headers, too."""
    iterate = getattr(root, "iter", None)
    for node in iterate() if iterate is not None else ():
        name = str(node.tag).rpartition("}")[2]
        if name == "t":
            yield node.text or ""
        elif name in ("p", "br", "cr"):
            yield "\n"
        elif name in ("tab", "tc"):
            yield "\t"


def _text(data: bytes) -> tuple[Iterator[str], str]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return iter((data.decode("utf-16", "replace"),)), ""
    if 0 in data:
        return iter(()), "it is called a text and is none"
    return iter((decode_bytes(data, None).removeprefix("\ufeff"),)), ""


def _storable(text: str) -> str:
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return clean.replace("\r\n", "\n").replace("\r", "\n")


if __name__ == "__main__":
    sys.exit(main())
