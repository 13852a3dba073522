"""Handing in mails by file: .eml, .mbox and .jsonl become events, as if the mailbox had had them.

Each bad input is named and skipped; the others go on. The command line that calls this lives in
``swarm.cli``; it may put a mail into the mailbox first and hand its Graph ids in through ``place``.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from swarm.errors import MalformedInputError
from swarm.legacy.events import MailEvent, encoded, event_from_eml
from swarm.legacy.home import IntakeFiles
from swarm.legacy.jsonl import LineLog
from swarm.legacy.mbox import mails_of_mbox

Place = Callable[[MailEvent, bytes], MailEvent]


@dataclass(frozen=True, slots=True)
class Problem:
    """An input that could not be handed in: which one, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """What was handed in. ``repeated`` were known already; nothing happens to them again."""

    submitted: tuple[MailEvent, ...] = ()
    repeated: tuple[MailEvent, ...] = ()
    problems: tuple[Problem, ...] = ()


def submit(
    sources: Sequence[Path | tuple[str, bytes]],
    home: Path,
    mailbox: str,
    *,
    now: datetime | None = None,
    place: Place | None = None,
    refuses: Callable[[bytes], bool] = lambda _line: False,
) -> SubmitResult:
    """Append an event for every mail in files, folders' files or ``(name, bytes)`` pairs.

    ``mailbox`` is the shared mailbox they are handed in for. ``place`` sees each new event and its
    raw mail before it is written and returns it with ``message_id`` and ``conversation_id`` of the
    mailbox.
    ``refuses`` knows the mails that were erased. Raises nothing for bad inputs: they stand in
    ``problems``.
    """
    log = LineLog(IntakeFiles(home).events)
    log.append([])
    submitted: list[MailEvent] = []
    repeated: list[MailEvent] = []
    problems: list[Problem] = []
    for name, event, raw in events_of(sources, mailbox, now=now or datetime.now(UTC)):
        if isinstance(event, Problem):
            problems.append(event)
        elif refuses(encoded(event)):
            problems.append(Problem(name, "was erased and is not taken in again"))
        elif log.knows(event["id"]):
            repeated.append(event)
        else:
            placed = place(event, raw) if place else event
            [fresh] = log.append([encoded(placed)])
            (submitted if fresh else repeated).append(placed)
    return SubmitResult(tuple(submitted), tuple(repeated), tuple(problems))


def events_of(
    sources: Sequence[Path | tuple[str, bytes]], mailbox: str, *, now: datetime
) -> Iterator[tuple[str, MailEvent | Problem, bytes]]:
    """Yield each mail's event, or what is wrong with it, under a name a person can find it by.

    Beside it stands the raw mail, empty where there is none.
    """
    for source in sources:
        try:
            name, data = source if isinstance(source, tuple) else (str(source), source.read_bytes())
        except OSError as error:
            yield str(source), Problem(str(source), f"cannot be read: {error.strerror}"), b""
            continue
        for place, mail in _mails(name, data):
            raw = b"" if isinstance(mail, Problem) else mail
            yield place, _event(place, mail, mailbox, now), raw


def _mails(name: str, data: bytes) -> Iterator[tuple[str, bytes | Problem]]:
    if not data.strip():
        yield name, Problem(name, "is empty")
    elif name.endswith(".jsonl") or data.lstrip()[:1] == b"{":
        yield from _mails_of_jsonl(name, data)
    elif name.endswith((".mbox", ".mbx")) or data.startswith(b"From "):
        mails = mails_of_mbox(data)
        if not mails:
            yield name, Problem(name, "holds no mail: an mbox begins each with a line 'From '")
        for number, mail in enumerate(mails, start=1):
            yield f"{name} mail {number}", mail
    else:
        yield name, data


def _mails_of_jsonl(name: str, data: bytes) -> Iterator[tuple[str, bytes | Problem]]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        where = f"{name} line {number}"
        try:
            yield where, mail_from_json(line)
        except MalformedInputError as error:
            yield where, Problem(where, error.message)


def mail_from_json(line: bytes) -> bytes:
    """Turn a JSON object with the fields ``_FIELDS`` into a raw mail.

    Only ``from`` and one of ``subject``, ``body``, ``html`` are needed. Raises
    ``MalformedInputError`` naming the field.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise MalformedInputError("is not JSON") from None
    if not isinstance(value, dict):
        raise MalformedInputError("is not a JSON object")
    fields = {name: value.get(name, "") for name in _FIELDS}
    wrong = [name for name, content in fields.items() if not isinstance(content, str)]
    if wrong:
        raise MalformedInputError(f"field {wrong[0]!r} is not a string")
    if not fields["from"].strip():
        raise MalformedInputError("field 'from' is missing")
    if not any(fields[name].strip() for name in ("subject", "body", "html")):
        raise MalformedInputError("fields 'subject', 'body' and 'html' are all empty")
    return _raw_mail(cast("dict[str, str]", fields))


_FIELDS = ("from", "to", "cc", "reply_to", "subject", "date", "message_id", "in_reply_to",
           "references", "body", "html")  # fmt: skip
_HEADER_NAMES = {
    "from": "From", "to": "To", "cc": "Cc", "reply_to": "Reply-To", "subject": "Subject",
    "date": "Date", "message_id": "Message-ID", "in_reply_to": "In-Reply-To",
    "references": "References",
}  # fmt: skip


def _raw_mail(fields: dict[str, str]) -> bytes:
    """Write an 8-bit mail; a line end inside a value must not begin a header."""
    headers = [
        f"{header}: {' '.join(fields[name].split())}"
        for name, header in _HEADER_NAMES.items()
        if fields[name].strip()
    ]
    kind = "html" if fields["html"].strip() else "plain"
    headers += ["MIME-Version: 1.0", f"Content-Type: text/{kind}; charset=utf-8",
                "Content-Transfer-Encoding: 8bit"]  # fmt: skip
    body = fields["html"] if kind == "html" else fields["body"]
    return ("\n".join(headers) + "\n\n" + body).encode("utf-8", "replace")


def _event(name: str, mail: bytes | Problem, mailbox: str, now: datetime) -> MailEvent | Problem:
    if isinstance(mail, Problem):
        return mail
    try:
        event = event_from_eml(mail, mailbox, now=now)
    except MalformedInputError as error:
        return Problem(name, error.message)
    return event if event["sender"] else Problem(name, "has no sender address")
