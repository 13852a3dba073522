"""What is told of alerts, in words, whatever the sink: the kind, the subject, a sentence, a link.

Made of sentences of ours and opaque keys, never of a mail. What lives elsewhere: how a sink is
spoken to (``sinks``), which alerts go into one message (``batches``).
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, Field

from swarm.models import Noun
from swarm.settings import CoreSettings
from swarm.store.alert_deliveries import Due
from swarm.store.alert_kinds import AlertKind, Severity, known_kind
from swarm.watchman.batches import Batch

_LONGEST_LINE = 500
_NAMED = 5  # subjects that a digest names
_KEY = "wo_"


class Course(StrEnum):
    """Where the trouble is: it began or grew, it is over, it came and went; or it is none."""

    FIRING = "firing"
    OVER = "over"
    PASSED = "passed"
    NEWS = "news"


class Notice(Noun):
    """One message. ``incident`` is the same for all that is told of one alert, and of no other."""

    incident: str
    course: Course
    severity: Severity
    kind: str = Field(description="The kind's name, or what else this message is about")
    headline: str = Field(description="One line")
    lines: tuple[str, ...] = Field(description="What is known, a sentence each")
    link: str = Field(description="Where to look")
    at: AwareDatetime = Field(description="When it began, or ended")

    @property
    def text(self) -> str:
        """All of it as plain text."""
        return "\n".join((self.headline, *self.lines, self.link))


class Voice(Noun):
    """Which installation speaks, where its screens answer, and by which clock its people live."""

    name: str
    ui_url: str
    desk_url: str
    time_zone: str = "UTC"

    def link(self, kind: str, subject: str) -> str:
        """Return where to look at a subject: a work order's page, the desk, or Dagster's UI."""
        if subject.startswith(_KEY):
            return f"{self.desk_url.rstrip('/')}/work-orders/{subject}"
        return self.ui_url if kind.startswith("dagster.") else self.desk_url


def voice_of(core: CoreSettings, name: str) -> Voice:
    """Return how this installation names itself and its screens."""
    return Voice(
        name=name, ui_url=core.ui_url, desk_url=core.desk_url, time_zone=core.house_time_zone
    )


def message_of(batch: Batch, house: Voice) -> Notice:
    """Return the message that tells of a batch."""
    kind, first = known_kind(batch.kind), batch.alerts[0]
    course = Course.NEWS if kind.news else _course(batch)
    return Notice(
        incident=f"{house.name}:{batch.bundle or f'alert:{first.id}'}",
        course=course,
        severity=kind.severity,
        kind=kind.kind,
        headline=_headline(kind, batch, course),
        lines=tuple(clipped(line) for line in _lines(kind, batch)),
        link=house.link(kind.kind, first.subject) if len(batch.alerts) == 1 else house.desk_url,
        at=_moment(first, course),
    )


def clipped(text: str) -> str:
    """Return one printable line of bounded length."""
    line = "".join(sign if sign.isprintable() else " " for sign in text)
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"


def _course(batch: Batch) -> Course:
    if not batch.over:
        return Course.FIRING
    return Course.OVER if batch.alerts[0].told else Course.PASSED


def _moment(alert: Due, course: Course) -> datetime:
    ended = alert.resolved_at if course in (Course.OVER, Course.PASSED) else None
    return ended or alert.at


def _headline(kind: AlertKind, batch: Batch, course: Course) -> str:
    ends = {Course.OVER: "Over: ", Course.PASSED: "Over already: "}
    number = len(batch.alerts)
    what = batch.alerts[0].subject if batch.bundle is None else f"{number} of them"
    return clipped(f"{ends.get(course, '')}{kind.title}: {what}")


def _lines(kind: AlertKind, batch: Batch) -> Iterator[str]:
    first = batch.alerts[0]
    yield kind.meaning
    if batch.bundle is None:
        yield from first.detail.splitlines()
        if first.count > 1:
            yield f"{first.count} times since {first.at:%Y-%m-%d %H:%M} UTC"
        if first.resolved_by:
            yield f"ended by {first.resolved_by}"
        yield f"{kind.kind} · {kind.owner} · swarm alerts show {first.id}"
        return
    subjects = [each.subject for each in batch.alerts]
    more = f" and {len(subjects) - _NAMED} more" if len(subjects) > _NAMED else ""
    yield f"{', '.join(subjects[:_NAMED])}{more}"
    yield f"{kind.kind} · {kind.owner} · swarm alerts list --kind {kind.kind}"
