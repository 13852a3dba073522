"""One line of each kind of file: bytes in, what it means or why it does not fit out. Pure.

Reasons are fixed sentences and names of our fields: they never quote the line. A work order goes
through the very reader of the intake, so history knows no mail the live path would refuse.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from email.utils import getaddresses, parseaddr
from typing import Annotated, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic import JsonValue as Json

from swarm.intake.stream.line import (
    MAX_ID_LENGTH,
    BadLineError,
    Quarantined,
    read_line,
    strict_object,
)
from swarm.models import Crm, EscalationClass, Thread, WorkOrder
from swarm.shadow.history.mapping import BadValueError, Kind, Mapping
from swarm.shadow.models import Act

_SOURCE = "history"
_PARTIES = ("reply_to", "to", "cc")


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a line does not fit."""

    reason: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A work order of before, with what was recorded of conversation and CRM, if anything was."""

    order: WorkOrder
    thread: Thread | None = None
    crm: Crm | None = None


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1, max_length=MAX_ID_LENGTH)


class OutcomeLine(_Line):
    """What legacy decided."""

    decision: Literal["draft", "escalate"]
    reasons: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    recipient: str = ""
    subject: str = ""
    body_text: str = ""
    policy_version: str = "not said"
    decided_at: AwareDatetime | None = None


class SentLine(_Line):
    """What was sent, or that nothing was (``act``: discarded)."""

    text: str | None = None
    sent_at: AwareDatetime | None = None
    conversation_id: str | None = None
    act: Act | None = None


class LabelLine(_Line):
    """Whether a person was needed, as somebody who read the mail says; no class: nobody was."""

    classes: Annotated[tuple[EscalationClass, ...], BeforeValidator(_as_list)]


LineT = TypeVar("LineT", bound=_Line)


def order_line(data: bytes, mapping: Mapping, secret: str) -> OrderLine | Misfit:
    """Read a work order."""
    found = _fields(data, mapping, "order")
    if isinstance(found, Misfit):
        return found
    try:
        thread = Thread.model_validate(found.pop("thread")) if "thread" in found else None
        crm = Crm.model_validate(found.pop("crm")) if "crm" in found else None
    except ValidationError:
        return Misfit("thread or crm: not of our shape")
    line = {"source": _SOURCE, "subject": "", **_addressed(found), "schema_version": "1"}
    read = read_line(json.dumps(line).encode(), secret)
    return Misfit(read.reason) if isinstance(read, Quarantined) else OrderLine(
        read.work_order, thread, crm
    )  # fmt: skip


def outcome_line(data: bytes, mapping: Mapping) -> OutcomeLine | Misfit:
    """Read what legacy decided."""
    return _read(data, mapping, "outcome", OutcomeLine)


def sent_line(data: bytes, mapping: Mapping) -> SentLine | Misfit:
    """Read what was sent."""
    read = _read(data, mapping, "sent", SentLine)
    if isinstance(read, SentLine) and read.text is None and read.act is not Act.DISCARDED:
        return Misfit("text: missing")
    return read


def label_line(data: bytes, mapping: Mapping) -> LabelLine | Misfit:
    """Read a label."""
    return _read(data, mapping, "label", LabelLine)


def _read(data: bytes, mapping: Mapping, kind: Kind, shape: type[LineT]) -> LineT | Misfit:
    found = _fields(data, mapping, kind)
    if isinstance(found, Misfit):
        return found
    if isinstance(found.get("id"), int):
        found["id"] = str(found["id"])
    try:
        return shape.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return Misfit(f"{first['loc'][0] if first['loc'] else 'line'}: {first['type']}")


def _fields(data: bytes, mapping: Mapping, kind: Kind) -> dict[str, Json] | Misfit:
    try:
        return mapping.read(kind, strict_object(data))
    except (BadLineError, BadValueError) as error:
        return Misfit(str(error))


def _addressed(found: dict[str, Json]) -> dict[str, Json]:
    """Return the fields with addresses as the stream writes them, however they were written."""
    made = {name: value for name, value in found.items() if "." not in name}
    if "sender.address" in found:
        made["sender"] = {"address": found["sender.address"], "name": found.get("sender.name", "")}
    elif isinstance(made.get("sender"), str):
        made["sender"] = _party(str(made["sender"]))
    for name in _PARTIES:
        if name in made:
            made[name] = _parties(made[name])
    if isinstance(made.get("id"), int):
        made["id"] = str(made["id"])
    if isinstance(made.get("references"), str):
        made["references"] = [*str(made["references"]).split()]
    if isinstance(received := made.get("received_at"), str):
        made["received_at"] = _with_seconds(received)
    return made


def _with_seconds(said: str) -> str:
    """Return a date as the intake's reader has it; what it cannot be is for that reader to say."""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return said
    return moment.isoformat(timespec="seconds" if not moment.microsecond else "auto")


def _party(said: str) -> dict[str, Json]:
    name, address = parseaddr(said)
    return {"address": address or said, "name": name}


def _parties(said: Json) -> Json:
    if isinstance(said, str):
        return [{"address": address, "name": name} for name, address in getaddresses([said])]
    if isinstance(said, list):
        return [_party(each) if isinstance(each, str) else each for each in said]
    return said
