"""Reading what services really send: a null field is a missing one, a bad item costs itself only.

A bad item is never left out in silence: it becomes a *gap*, a sentence that names it by its
position, and travels with the good ones in a ``Listing``. Whoever reads a listing decides whether a
gap matters; ``whole`` is for those to whom any does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from swarm.errors import RemoteUnavailableError

T = TypeVar("T")
Raw = TypeVar("Raw")
T_co = TypeVar("T_co", covariant=True)
_MOST_SAID = 5  # gaps spelled out one by one; the rest is counted


@dataclass(slots=True)
class Gaps:
    """Collects what could not be read; handed to pydantic as the context of a validation.

    ``items`` are members of the list itself, ``parts`` something within a member that is there.
    """

    items: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)

    def say(self, what: str, position: int) -> None:
        """Name an item by what it is and where it stood, never by what it says."""
        self.items.append(f"{what} {position} could not be read")

    def add(self, other: "Gaps") -> None:
        """Take over what another reading could not read."""
        self.items += other.items
        self.parts += other.parts


class Listing(tuple[T_co, ...]):  # noqa: SLOT001 - a tuple's subclass can have no slots with data
    """What a service listed, and what of it could not be read. Equal to the plain tuple."""

    gaps: tuple[str, ...]
    parts: tuple[str, ...]

    def __new__(cls, items: Iterable[T_co] = (), gaps: Gaps | None = None) -> "Listing[T_co]":
        """Make a listing of good items; each gap is said once."""
        made = super().__new__(cls, items)
        made.gaps = tuple(dict.fromkeys(gaps.items if gaps else ()))
        made.parts = tuple(dict.fromkeys(gaps.parts if gaps else ()))
        return made


def gaps_of(found: Sequence[object]) -> tuple[str, ...]:
    """Return which items of a listing could not be read; a plain sequence has no gaps."""
    return found.gaps if isinstance(found, Listing) else ()


def parts_of(found: Sequence[object]) -> tuple[str, ...]:
    """Return which parts of its items could not be read."""
    return found.parts if isinstance(found, Listing) else ()


def told(gaps: Sequence[str]) -> str:
    """Return the gaps as one line, a long list counted."""
    more = f"; and {len(gaps) - _MOST_SAID} more" if len(gaps) > _MOST_SAID else ""
    return "; ".join(gaps[:_MOST_SAID]) + more


def whole(found: Sequence[T], doing: str) -> Sequence[T]:
    """Return what was found; raises ``RemoteUnavailableError`` when a part could not be read."""
    if gaps := gaps_of(found):
        raise RemoteUnavailableError(f"{doing}: {told(gaps)}")
    return found


class Lenient(BaseModel):
    """Base of what is read from a service: unknown fields are ignored, null ones are missing."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_missing(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: each for name, each in value.items() if each is not None}


Model = TypeVar("Model", bound=BaseModel)


def read_each(values: Iterable[Raw], read: Callable[[Raw], T], what: str, gaps: Gaps) -> list[T]:
    """Return what can be read of each value; the others become gaps."""
    kept = []
    for position, value in enumerate(values, 1):
        try:
            kept.append(read(value))
        except (ValidationError, RemoteUnavailableError):
            gaps.say(what, position)
    return kept


def each(model: type[Model], what: str, *, part: bool = False) -> BeforeValidator:
    """Annotate a tuple of models: unreadable members are left out and said as gaps.

    Members that are a ``part`` of something may be null, which is missing. Only where the context
    of the validation collects gaps; else one bad member spoils the whole.
    """

    def read(values: object, info: ValidationInfo) -> object:
        if not isinstance(values, list) or not isinstance(info.context, Gaps):
            return values
        gaps, found = info.context, Gaps()
        given = [value for value in values if value is not None] if part else values
        kept = read_each(given, lambda v: model.model_validate(v, context=gaps), what, found)
        if part:
            found = Gaps(parts=found.items)
        gaps.add(found)
        return kept

    return BeforeValidator(read)


def moment(value: object) -> datetime | None:
    """Return an ISO date in UTC, one without a zone as UTC; None for anything else."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
        if read is None:
            return None
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


Moment = Annotated[datetime | None, BeforeValidator(moment)]
