"""Differences that somebody answers for: named, owned, with a reason and an end.

``SWARM_HOME/tolerances.toml`` holds ``[[tolerance]]`` tables. What may be tolerated is a closed set
(``Predicate``); none of it concerns an escalation class, and a file that names one is refused as a
whole. One that has expired tolerates nothing any more. The hash of the file is bound into the
certificate, so a tolerance that is added later ends it.
"""

import hashlib
import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from swarm.errors import ConfigurationError
from swarm.models import EscalationClass, Noun
from swarm.patterns import linear

FILE = "tolerances.toml"
_MOST_BYTES = 1 << 18
_REPLY_SIGN = linear(r"(?i)^\s{0,8}(re|aw|sv|antw|r|tr|ref|fw|fwd|wg)\s{0,4}:\s{0,8}")
_BLANKS = linear(r"\s{1,1000}")
_MOST_SIGNS = 5


class Predicate(StrEnum):
    """What may differ. Each is a pure question about one field of a draft as its reviewer sees it.

    ``SUBJECT_PREFIX``: the subjects are one but for "Re:", "AW:" and their like.
    ``SUBJECT_SPACING``: the subjects are one but for blanks and capitals.
    ``RECIPIENT_ORDER``: the same recipients, in another order or with other capitals.
    """

    SUBJECT_PREFIX = "subject_prefix"
    SUBJECT_SPACING = "subject_spacing"
    RECIPIENT_ORDER = "recipient_order"


class Tolerance(Noun):
    """One difference that is known and accepted until ``expires``."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,60}$")
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    expires: date
    predicate: Predicate

    @model_validator(mode="after")
    def _is_no_danger(self) -> "Tolerance":
        if any(f"_{each}_" in f"_{self.name}_" for each in EscalationClass):
            raise ValueError("names an escalation class: no danger is ever tolerated")
        return self

    def in_force(self, now: datetime) -> bool:
        """Whether it still tolerates; the day it expires is its last."""
        return now.date() <= self.expires

    def covers(self, field: str, one: str, other: str) -> bool:
        """Whether this difference of a field is what it tolerates."""
        if self.predicate is Predicate.RECIPIENT_ORDER:
            return field in ("to", "cc") and _addresses(one) == _addresses(other)
        if field != "subject":
            return False
        if self.predicate is Predicate.SUBJECT_PREFIX:
            return _bare(one) == _bare(other)
        return _spaced(one) == _spaced(other)


class _File(Noun):
    tolerance: tuple[Tolerance, ...] = ()


def fingerprint(home: Path) -> str:
    """Return the hash of the home's tolerances; of nothing when there is no file."""
    return hashlib.sha256(_bytes(home)).hexdigest()


def load(home: Path) -> tuple[Tolerance, ...]:
    """Return the home's tolerances, expired ones too.

    Raises ``ConfigurationError`` for a file that is not of this form, names one twice, or would
    tolerate an escalation class: then nothing is tolerated and nothing is judged.
    """
    path = home / FILE
    try:
        found = _File.model_validate(tomllib.loads(_bytes(home).decode("utf-8"))).tolerance
    except (ValidationError, ValueError) as error:
        raise ConfigurationError(f"{path}: {_sentence(error)}", hint="see docs/cli.md") from None
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        raise ConfigurationError(f"{path}: a name stands there twice", hint="see docs/cli.md")
    return found


def tolerated_by(
    known: Sequence[Tolerance], now: datetime, field: str, one: str, other: str
) -> str | None:
    """Return the name of the tolerance that covers a difference; None: none in force does."""
    return next((t.name for t in known if t.in_force(now) and t.covers(field, one, other)), None)


def _bytes(home: Path) -> bytes:
    path = home / FILE
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return b""
    if len(data) > _MOST_BYTES:
        raise ConfigurationError(f"{path} is larger than {_MOST_BYTES >> 10} KiB")
    return data


def _sentence(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error) or type(error).__name__
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg'].removeprefix('Value error, ')}"


def _bare(subject: str) -> str:
    for _ in range(_MOST_SIGNS):
        subject, cut = _REPLY_SIGN.subn("", subject)
        if not cut:
            break
    return subject.strip()


def _spaced(subject: str) -> str:
    return _BLANKS.sub(" ", subject).strip().casefold()


def _addresses(joined: str) -> frozenset[str]:
    return frozenset(part.strip().casefold() for part in joined.split(",") if part.strip())
