"""Where the fields we need stand in somebody else's lines: a TOML file of four tables.

``[order]``, ``[outcome]``, ``[sent]`` and ``[label]``, each of our names pointing to theirs. A
field is a path (``"ticket.from.email"``, a list of steps where a name holds a dot), or a table:

    at       the path
    value    a constant, whatever the line says
    default  what counts where the path leads nowhere, or to null
    map      their words to ours, e.g. {ok = "draft", handover = "escalate"}
    date     "iso", "epoch", "epoch_ms" or a pattern of strptime; with ``zone`` where it names none
    split    a separator: one text becomes a list

A field that is not named stands under its own name. Pure; what a value means is in ``lines``.
"""

import tomllib
from collections.abc import Mapping as Map
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, JsonValue, ValidationError, field_validator

from swarm.errors import MalformedInputError
from swarm.models import Noun

ORDER: Final = (
    "id", "mailbox", "message_id", "internet_message_id", "conversation_id", "sender",
    "sender.address", "sender.name", "reply_to", "to", "cc", "subject", "body_text", "body_html",
    "in_reply_to", "references", "attachments", "received_at", "source", "truncated", "thread",
    "crm",
)  # fmt: skip
OUTCOME: Final = (
    "id", "decision", "reasons", "recipient", "subject", "body_text", "policy_version",
    "decided_at",
)  # fmt: skip
SENT: Final = ("id", "text", "sent_at", "conversation_id", "act")
LABEL: Final = ("id", "classes")

_LARGEST: Final = 1 << 18


class BadValueError(ValueError):
    """A value cannot be read as the mapping says; names the field, never the value."""


class FieldSpec(Noun):
    """Where one field stands and how it is read."""

    at: tuple[str, ...] = ()
    value: JsonValue = None
    default: JsonValue = None
    map: dict[str, JsonValue] = Field(default_factory=dict)
    date: str = ""
    zone: str = ""
    split: str = ""

    @field_validator("at", mode="before")
    @classmethod
    def _steps(cls, given: object) -> object:
        return tuple(given.split(".")) if isinstance(given, str) else given

    @field_validator("zone")
    @classmethod
    def _is_known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("is no time zone") from None
        return zone


Kind = Literal["order", "outcome", "sent", "label"]
_KINDS: Final[Map[Kind, tuple[str, ...]]] = {
    "order": ORDER, "outcome": OUTCOME, "sent": SENT, "label": LABEL
}  # fmt: skip


class Mapping(Noun):
    """Where everything stands, by kind of file and our name."""

    fields: dict[Kind, dict[str, FieldSpec]]

    def read(self, kind: Kind, line: Map[str, JsonValue]) -> dict[str, JsonValue]:
        """Return our fields of a line, those that are there; raises ``BadValueError``."""
        found = {name: _read(name, spec, line) for name, spec in self.fields[kind].items()}
        return {name: value for name, value in found.items() if value is not None}


def mapping_of(path: Path | None) -> Mapping:
    """Return the mapping of a file; without one, the names of today's own files.

    Raises ``MalformedInputError`` that names what is wrong in it.
    """
    given = _toml(path) if path is not None else {}
    if strange := sorted(given.keys() - _KINDS.keys()):
        raise _bad(path, f"knows no table [{strange[0]}]")
    return Mapping(fields={kind: _fields(path, kind, given.get(kind, {})) for kind in _KINDS})


def _fields(path: Path | None, kind: Kind, given: object) -> dict[str, FieldSpec]:
    if not isinstance(given, dict):
        raise _bad(path, f"[{kind}] is no table")
    names = _KINDS[kind]
    if strange := sorted(given.keys() - set(names)):
        raise _bad(path, f"[{kind}] knows no field {strange[0]}")
    specs = {name: _spec(path, kind, name, given[name]) for name in given}
    whole = {name.split(".", maxsplit=1)[0] for name in given if "." in name}
    own = {
        name: FieldSpec(at=(name,))
        for name in names
        if name not in specs and name not in whole and "." not in name
    }
    return {**own, **specs}


def _spec(path: Path | None, kind: Kind, name: str, given: object) -> FieldSpec:
    said = {"at": given} if isinstance(given, (str, list)) else given
    try:
        return FieldSpec.model_validate(said)
    except ValidationError as error:
        raise _bad(path, f"[{kind}] {name}: {error.errors()[0]['msg']}") from None


def _toml(path: Path) -> dict[str, object]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MalformedInputError(f"{path}: {error.strerror or 'cannot be read'}") from error
    if len(data) > _LARGEST:
        raise MalformedInputError(f"{path}: is too large for a mapping")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except ValueError as error:
        raise MalformedInputError(f"{path}: {error}") from error


def _bad(path: Path | None, why: str) -> MalformedInputError:
    return MalformedInputError(f"{path}: {why}", hint="docs/history.md shows a whole one")


# --- values ---------------------------------------------------------------------------------------


def _read(name: str, spec: FieldSpec, line: Map[str, JsonValue]) -> JsonValue:
    value = spec.value if spec.value is not None else _at(spec.at, line)
    if value is None:
        value = spec.default
    if value is None:
        return None
    if spec.map:
        value = _mapped(name, spec, value)
    if spec.split and isinstance(value, str):
        return [part.strip() for part in value.split(spec.split) if part.strip()]
    return _date(name, spec, value) if spec.date else value


def _at(path: tuple[str, ...], line: Map[str, JsonValue]) -> JsonValue:
    value: JsonValue | Map[str, JsonValue] = line
    for step in path:
        if isinstance(value, Map):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value if not isinstance(value, Map) or isinstance(value, dict) else None


def _mapped(name: str, spec: FieldSpec, value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_word(name, spec, each) for each in value]
    return _word(name, spec, value)


def _word(name: str, spec: FieldSpec, value: JsonValue) -> JsonValue:
    said = str(value).lower() if isinstance(value, bool) else str(value)
    if said not in spec.map:
        raise BadValueError(f"{name}: a word the mapping does not know")
    return spec.map[said]


def _date(name: str, spec: FieldSpec, value: JsonValue) -> str:
    try:
        moment = _moment(spec, value)
    except (ValueError, OverflowError, OSError, TypeError):
        raise BadValueError(f"{name}: no date of the form the mapping says") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(spec.zone or "UTC"))
    return moment.astimezone(UTC).isoformat()


def _moment(spec: FieldSpec, value: JsonValue) -> datetime:
    if spec.date in ("epoch", "epoch_ms"):
        seconds = float(str(value)) / (1000 if spec.date == "epoch_ms" else 1)
        return datetime.fromtimestamp(seconds, UTC)
    if not isinstance(value, str):
        raise TypeError
    if spec.date == "iso":
        return datetime.fromisoformat(value)
    return datetime.strptime(value, spec.date)  # noqa: DTZ007 - its zone is put beside it
