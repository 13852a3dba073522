"""Reads one attached file's text in a process of its own: it may hang, swell or die, nobody else.

The kind is told by the bytes first and by what the mail calls them second. Whatever happens, the
answer is a text, the reason why there is none, or both where only a part was read.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from swarm.intake.documents import child

MAX_CHARACTERS = 50_000  # of one file; a mail's own text is judged up to twice that
_SECONDS = child.WALL_SECONDS + 5.0
_MOST_ANSWER = child.OUTPUT_BYTES + 1024
_TEXT_TYPES = frozenset({"text/plain", "text/csv", "text/tab-separated-values", "application/csv"})
_TEXT_NAMES = (".txt", ".csv", ".tsv", ".log", ".text")
_ZIP, _PDF = b"PK\x03\x04", b"%PDF-"
_PDF_WITHIN = 1024  # bytes in which the mark of a PDF may stand

NO_KIND = "it is of a kind that is not read"


@dataclass(frozen=True, slots=True)
class ReadText:
    """What a file says; ``problem`` says in fixed words why not all of it is here."""

    text: str = ""
    problem: str = ""
    truncated: bool = False


def could_be_read(name: str, content_type: str) -> bool:
    """Whether a file called so is worth being fetched; its bytes have the last word."""
    kind, lower = content_type.split(";", maxsplit=1)[0].strip().lower(), name.strip().lower()
    return (
        kind in _TEXT_TYPES
        or kind in ("application/pdf", "application/x-pdf")
        or kind.endswith("wordprocessingml.document")
        or lower.endswith((*_TEXT_NAMES, ".pdf", ".docx"))
    )


def read_text(data: bytes, name: str, content_type: str) -> ReadText:
    """Return the text of a file. Raises nothing for any bytes."""
    kind = _kind(data, name, content_type)
    if kind is None:
        return ReadText(problem=NO_KIND)
    if not data.strip():
        return ReadText(problem="it is empty")
    return _bounded(_answer(kind, data))


def _kind(data: bytes, name: str, content_type: str) -> str | None:
    if _PDF in data[:_PDF_WITHIN]:
        return "pdf"
    if data.startswith(_ZIP):
        return "docx" if b"word/" in data else None
    if not could_be_read(name, content_type):
        return None
    said = content_type.split(";", maxsplit=1)[0].strip().lower()
    return "text" if said in _TEXT_TYPES or name.strip().lower().endswith(_TEXT_NAMES) else None


def _answer(kind: str, data: bytes) -> ReadText:
    """Run the child on a file without a name; what it leaves behind is read up to a bound."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as answer:
        given.write(data)
        given.seek(0)
        try:
            # Our own interpreter and module; -I: nothing of the environment or folder gets in.
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-I", "-m", child.__name__, kind],
                stdin=given,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                timeout=_SECONDS,
                check=False,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            return ReadText(problem="reading it took too long")
        except OSError:
            return ReadText(problem="no process could be started to read it")
        answer.seek(0)
        return _understood(done.returncode, answer.read(_MOST_ANSWER))


def _understood(code: int, answer: bytes) -> ReadText:
    try:
        said = json.loads(answer) if code == 0 else {}
    except ValueError:
        said = {}
    text, problem = said.get("text"), said.get("problem")
    if not isinstance(text, str) or not isinstance(problem, str):
        return ReadText(problem="reading it failed: it is broken, or made to exhaust")
    return ReadText(text=text, problem=problem, truncated=said.get("truncated") is True)


def _bounded(read: ReadText) -> ReadText:
    text = read.text.strip()
    if len(text) > MAX_CHARACTERS or read.truncated:
        return ReadText(text[:MAX_CHARACTERS], "it is longer than what is read of it", True)  # noqa: FBT003
    if not text and not read.problem:
        return ReadText(problem="there is no text in it: a scan, or pictures only")
    return ReadText(text, read.problem)
