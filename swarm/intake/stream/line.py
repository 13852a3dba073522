"""One line of the stream: bytes in, a ``WorkOrder`` or the reason for quarantine out. Pure.

The accepted form is published in ``work_order.schema.json``; a test holds both to the same answers.
Reasons are fixed sentences: they never quote the line, which may hold anybody's mail.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, NoReturn

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from swarm.intake.stream.keys import work_order_key
from swarm.models import Address, Attachment, MessageRef, WorkOrder, canonical_sha256
from swarm.patterns import linear

MAX_ID_LENGTH = 512  # original_id is unique in a btree, whose entries end at 2704 bytes
MAX_DEPTH = 16  # a work order needs 3
FUTURE_TOLERANCE = timedelta(hours=24)

_DATE = linear(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_YEARS = range(1970, 9999)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A well-formed line; ``canonical_sha256`` covers what it says, not how its id is spelt."""

    work_order: WorkOrder
    canonical_sha256: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A line nobody can act on, and why."""

    reason: str


class _BadLineError(ValueError):
    """Why a line is bad, in one fixed sentence."""


def read_line(data: bytes, secret: str) -> Accepted | Quarantined:
    """Read one line without its line feed; raises nothing, whatever the bytes are."""
    try:
        line = _Line.model_validate(_object(data))
    except _BadLineError as error:
        return Quarantined(str(error))
    except ValidationError as error:
        return Quarantined(_sentence(error))
    work_order = line.work_order(secret)
    return Accepted(work_order, content_sha256(work_order.model_dump(mode="json")))


def read_object(data: bytes) -> dict[str, JsonValue] | Quarantined:
    """Read any line's JSON object as strictly; for files of other shapes than the stream's."""
    try:
        return _object(data)
    except _BadLineError as error:
        return Quarantined(str(error))


def content_sha256(body: Mapping[str, JsonValue]) -> str:
    """Hash what a work order's line said: all but the names we gave it.

    A field younger than some stored lines counts only where it says something: a line read again
    after an upgrade must not look revised.
    """
    names = {"key", "original_id"} | ({"unread"} if not body.get("unread") else set())
    return canonical_sha256({name: part for name, part in body.items() if name not in names})


def dated_in_future(work_order: WorkOrder, now: datetime) -> bool:
    """Whether the mail claims to come from more than 24 h ahead; flagged, never refused."""
    return work_order.received_at > now + FUTURE_TOLERANCE


# --- JSON, strictly -------------------------------------------------------------------------------


def _object(data: bytes) -> dict[str, JsonValue]:
    data = data.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r")
    if not data.strip():
        raise _BadLineError("empty line")
    if b"\x00" in data:
        raise _BadLineError("NUL bytes")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError:
        raise _BadLineError("invalid UTF-8") from None
    except RecursionError:
        raise _BadLineError("nested too deep") from None
    except _BadLineError:
        raise
    except ValueError:  # bad JSON, or an integer of more than 4300 digits
        raise _BadLineError("not JSON") from None
    if not isinstance(value, dict):
        raise _BadLineError("not a JSON object")
    _check_contents(value)
    return value


def _no_duplicates(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """``json`` silently keeps the last of two equal keys; two readers could then see two mails."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _BadLineError("duplicate JSON key")
    return found


def _no_constant(_: str) -> NoReturn:
    raise _BadLineError("NaN or Infinity")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _BadLineError("NaN or Infinity")
    return number


def _check_contents(value: JsonValue) -> None:
    """Refuse what Postgres' jsonb refuses (U+0000, lone surrogates), and depth."""
    level: list[JsonValue] = [value]
    for _ in range(MAX_DEPTH):
        below: list[JsonValue] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                below.extend(item.keys())
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return
        level = below
    raise _BadLineError("nested too deep")


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise _BadLineError("U+0000 in a text")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise _BadLineError("lone surrogate in a text") from None


# --- shape ----------------------------------------------------------------------------------------


def _date(value: object) -> datetime:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("not a date with a zone")
    moment = datetime.fromisoformat(value)
    if moment.year not in _YEARS:
        raise ValueError("year out of range")
    return moment.astimezone(UTC)


def _visible(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        raise ValueError("blank")
    return value


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


_Sentence = Annotated[str, Field(min_length=1, max_length=200)]


class _Address(_Part):
    address: str = Field(min_length=1, max_length=320)
    name: str = ""

    def noun(self) -> Address:
        return Address(address=self.address, name=self.name)


class _Attachment(_Part):
    name: str
    content_type: str
    size: int = Field(ge=0)
    inline: bool = False

    def noun(self) -> Attachment:
        return Attachment(**self.model_dump())


class _Line(_Part):
    """The line as a shape; ``work_order`` turns it into the noun."""

    schema_version: Literal["1"]
    id: Annotated[str, BeforeValidator(_visible)] = Field(max_length=MAX_ID_LENGTH)
    mailbox: str = Field(min_length=1, max_length=512)
    message_id: str | None = None
    internet_message_id: str | None = None
    conversation_id: str | None = None
    sender: _Address
    reply_to: list[_Address] = []
    to: list[_Address] = []
    cc: list[_Address] = []
    subject: str
    body_text: str = ""
    body_html: str = ""
    in_reply_to: str | None = None
    references: list[str] = []
    attachments: list[_Attachment] = []
    received_at: Annotated[datetime, BeforeValidator(_date)]
    source: str = Field(min_length=1, max_length=64)
    truncated: bool = False
    unread: list[_Sentence] = Field(default=[], max_length=20)

    def work_order(self, secret: str) -> WorkOrder:
        return WorkOrder(
            key=work_order_key(secret, self.id),
            original_id=self.id.strip(),
            ref=MessageRef(
                mailbox=self.mailbox,
                message_id=self.message_id,
                internet_message_id=self.internet_message_id,
                conversation_id=self.conversation_id,
            ),
            sender=self.sender.noun(),
            reply_to=tuple(a.noun() for a in self.reply_to),
            to=tuple(a.noun() for a in self.to),
            cc=tuple(a.noun() for a in self.cc),
            subject=self.subject,
            body_text=self.body_text,
            body_html=self.body_html,
            in_reply_to=self.in_reply_to,
            references=tuple(self.references),
            attachments=tuple(a.noun() for a in self.attachments),
            received_at=self.received_at,
            source=self.source,
            truncated=self.truncated,
            unread=tuple(self.unread),
        )


def _sentence(error: ValidationError) -> str:
    """Name the first wrong field by our own name for it, never by what the line says."""
    first = error.errors(include_input=False, include_url=False)[0]
    field = str(first["loc"][0]) if first["loc"] else "line"
    if field == "id":
        return "oversized id" if first["type"] == "string_too_long" else "missing id"
    if field == "received_at":
        return "bad date"
    return f"schema: {field}: {first['type']}"
