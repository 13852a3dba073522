"""Every kind of alert there is: how urgent, whose, what it means, how it ends. One table.

Whoever raises an alert names its kind; what is said of the kind in a message, on a screen or in
``docs/alerts.md`` stands here. A kind that is not here is treated as one that pages, and a test
fails. What lives elsewhere: raising (``swarm.store.alerts`` and every room), delivering
(``swarm.watchman``), what to do about it (``docs/alerts.md``).
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pydantic import Field

from swarm.models import Noun


class Severity(StrEnum):
    """Whether somebody is to be woken. ``WAITS`` respects quiet hours, ``PAGE`` never does."""

    PAGE = "page"
    WAITS = "waits"


class Owner(StrEnum):
    """Who looks into it."""

    OPERATOR = "operator"
    SUPPORT_LEAD = "support lead"


class AlertKind(Noun):
    """What is known of a kind before any alert of it is raised."""

    kind: str
    severity: Severity
    owner: Owner
    title: str = Field(description="The kind in words, fit for a headline")
    meaning: str = Field(description="One sentence: what it means")
    ends: str = Field(description="What ends it: 'when ...'")
    by_person: bool = Field(
        default=False, description="Nothing here can see its end: a person says so"
    )
    news: bool = Field(default=False, description="It is told once and has no end: no trouble")

    @property
    def pages(self) -> bool:
        """Whether it is told at once, whatever the hour."""
        return self.severity is Severity.PAGE

    @property
    def documentation(self) -> str:
        """Where it stands what to do."""
        return f"docs/alerts.md#{self.kind}"


_PAGE, _WAITS = Severity.PAGE, Severity.WAITS
_OPERATOR, _LEAD = Owner.OPERATOR, Owner.SUPPORT_LEAD

# kind, severity, owner, title, meaning, what ends it
_WORK = (
    (
        "work_order.dead", _PAGE, _LEAD, "A work order gave up",
        "Every attempt to work on this mail failed; nobody drafts an answer any more.",
        "when it is replayed, released or answered by a person",
    ),
    (
        "work_order.held", _WAITS, _LEAD, "A work order is held for a person",
        "Something about it must be decided by a person before it can go on.",
        "when it is released, its draft is found, or a person answered",
    ),
    (
        "escalation.urgent", _PAGE, _LEAD, "An urgent escalation",
        "A mail of a class that cannot wait was escalated; no draft is offered.",
        "when somebody acknowledges it or has answered",
    ),
    (
        "escalation.overdue", _PAGE, _LEAD, "Nobody has taken an escalation in time",
        "The time by which its owner should have acknowledged it is over.",
        "when somebody acknowledges it or has answered",
    ),
    (
        "queue.backlog", _WAITS, _OPERATOR, "Many work orders wait for a worker",
        "More mail waits than soon gets its turn; none is lost, the oldest goes first.",
        "when fewer than 500 wait",
    ),
    (
        "runs.failing", _PAGE, _OPERATOR, "Many runs fail",
        "A large share of the runs of the last quarter of an hour failed.",
        "when most runs succeed again",
    ),
    (
        "model.broken", _PAGE, _OPERATOR, "The chat model gives no answer",
        "Work orders wait for the model; after an hour each goes to a person.",
        "when it answers, or nothing asks it any more",
    ),
)  # fmt: skip

_INTAKE = (
    (
        "intake.unreadable", _PAGE, _OPERATOR, "A file of the intake cannot be read",
        "No new mail becomes a work order until it can.",
        "when it is read again",
    ),
    (
        "intake.lag", _PAGE, _OPERATOR, "New mail is not taken in",
        "A stream of the intake grows and nobody reads on.",
        "when the reader moves on",
    ),
    (
        "intake.turns_fail", _PAGE, _OPERATOR, "A program of the intake fails every turn",
        "The mailbox, or what was read from it, is not worked on any more.",
        "when a turn succeeds",
    ),
    (
        "intake.partial_line", _WAITS, _OPERATOR, "A stream ends in half a line",
        "A writer stopped in the middle of a line, and nobody has ended it.",
        "when the line has an end",
    ),
    (
        "intake.quarantined", _WAITS, _LEAD, "Lines of the intake could not be read",
        "Behind each may stand a customer's mail; a person looks.",
        "when each is replayed or discarded",
    ),
    (
        "intake.suspicious", _WAITS, _LEAD, "Mails were left out that may be a customer's",
        "They were sorted out for a reason that is sometimes wrong.",
        "when each was seen or taken in",
    ),
    (
        "intake.future_date", _WAITS, _LEAD, "A mail is dated in the future",
        "Its age and its order among the customer's mails cannot be trusted.",
        "when a person answered, or has looked", True,
    ),
    (
        "intake.revised", _WAITS, _LEAD, "The same mail came again with another text",
        "The first text is what was worked on.",
        "when it is released, or a person answered or has looked", True,
    ),
    (
        "intake.gap", _PAGE, _OPERATOR, "A stream of the intake was replaced or cut",
        "What stood in it and was not read yet may be missing.",
        "when a person has looked", True,
    ),
    (
        "intake.erased_again", _WAITS, _OPERATOR, "An erased mail came again",
        "It was refused; somewhere a copy of it still exists.",
        "when a person has looked", True,
    ),
)  # fmt: skip

_PUBLISHING = (
    (
        "publication.held", _WAITS, _LEAD, "A draft is held for a person",
        "It was not, or perhaps not, put into the mailbox; nothing more happens by itself.",
        "when it is released, found in the mailbox, or a person answered",
    ),
    (
        "publication.dead", _PAGE, _LEAD, "A draft could not be delivered",
        "Every attempt to put it into the mailbox was refused.",
        "when it is released or a person answered",
    ),
    (
        "publication.duplicate", _PAGE, _LEAD, "More than one draft for one mail",
        "The mailbox holds two; one of them must not be sent.",
        "when a person has looked, or answered", True,
    ),
    (
        "publication.unconfirmed", _WAITS, _LEAD, "A delivered draft does not appear",
        "The hook took it, and the mailbox does not show it yet.",
        "when it is found or held",
    ),
    (
        "publication.pending_payload", _WAITS, _LEAD, "A publication waits for its text",
        "Today's path owes it and has not written it.",
        "when the text comes, or it ends",
    ),
    (
        "publication.stuck", _PAGE, _OPERATOR, "A draft is ready and nobody delivers it",
        "It waits for a publisher longer than any round takes.",
        "when it is delivered, or it ends",
    ),
    (
        "publishing.rounds_lost", _PAGE, _OPERATOR, "Nobody does the publishing rounds",
        "Rounds were asked for and no worker began them.",
        "when a round begins",
    ),
)  # fmt: skip

_PATHS = (
    (
        "legacy.stale", _PAGE, _OPERATOR, "A program of today's path is silent",
        "It must run, and beats its heart no more.",
        "when it beats, or need not run any more",
    ),
    (
        "legacy.unproven", _WAITS, _OPERATOR, "A day of today's path is unproven",
        "It is not shown that today's path could take over.",
        "when a proof holds",
    ),
    (
        "legacy.outcome_revised", _WAITS, _LEAD, "Today's path decided twice about one mail",
        "The first decision stays; the second differs.",
        "when a person answered the mail, or has looked", True,
    ),
    (
        "cutover.breach", _PAGE, _OPERATOR, "A gate fails after the cutover",
        "What was proven before the cutover does not hold now.",
        "when the gate passes again",
    ),
    (
        "cutover.drill", _WAITS, _OPERATOR, "The drill of the rollback does not hold",
        "The way back to today's path is not shown.",
        "when a drill holds",
    ),
    (
        "cutover.rolled_back", _PAGE, _OPERATOR, "Publishing was given back to today's path",
        "Two breaches in a row; it happened by itself.",
        "when a person has looked", True,
    ),
)  # fmt: skip

_INSTALLATION = (
    (
        "database.unavailable", _PAGE, _OPERATOR, "The database is away",
        "Nothing is worked on, nothing is lost; what reaches the mailbox waits there.",
        "when it answers",
    ),
    (
        "database.connections", _PAGE, _OPERATOR, "The database has hardly a connection left",
        "Programs wait for one, or get none.",
        "when a quarter is free",
    ),
    (
        "installation.other_world", _PAGE, _OPERATOR, "A program of another world tries to publish",
        "It was refused: its mailbox, hook or database are not this installation's.",
        "when an installation starts in its own world",
    ),
    (
        "installation.program_dies", _PAGE, _OPERATOR, "A program dies again and again",
        "It is started again each time and does not stay.",
        "when it has lived for a minute",
    ),
    (
        "alerts.sink_failing", _PAGE, _OPERATOR, "One way of telling alerts fails",
        "Alerts wait for it; the other ways and the log have them.",
        "when it takes one",
    ),
    (
        "dagster.daemon_silent", _PAGE, _OPERATOR, "Dagster's daemon is silent",
        "No sensor is asked and no run begins; mail waits.",
        "when it beats again",
    ),
    (
        "dagster.code_server", _PAGE, _OPERATOR, "The code server does not answer",
        "No sensor can be asked and no run begins; mail waits.",
        "when it answers",
    ),
    (
        "dagster.webserver", _WAITS, _OPERATOR, "The Dagster UI does not answer",
        "Nobody can look at it; work goes on.",
        "when it answers",
    ),
    (
        "dagster.sensor_off", _PAGE, _OPERATOR, "A sensor or schedule was switched off",
        "What it does for the installation does not happen.",
        "when it is switched on",
    ),
    (
        "dagster.sensor_silent", _PAGE, _OPERATOR, "A sensor is not asked any more",
        "It is switched on, the daemon lives, and it does not tick.",
        "when it ticks",
    ),
    (
        "dagster.sensor_failing", _PAGE, _OPERATOR, "A sensor fails every time",
        "What it does for the installation does not happen.",
        "when a tick of it succeeds",
    ),
)  # fmt: skip


_SUMMARY = AlertKind(
    kind="digest.daily",
    severity=_WAITS,
    owner=_LEAD,
    title="Morning summary",
    meaning="Yesterday and what is open, in numbers.",
    ends="when the next one is sent",
    news=True,
)


def _table() -> Mapping[str, AlertKind]:
    rows = (*_WORK, *_INTAKE, *_PUBLISHING, *_PATHS, *_INSTALLATION)
    names = ("kind", "severity", "owner", "title", "meaning", "ends", "by_person")
    known = (AlertKind.model_validate(dict(zip(names, row, strict=False))) for row in rows)
    return MappingProxyType({each.kind: each for each in (*known, _SUMMARY)})


KINDS: Final[Mapping[str, AlertKind]] = _table()
"""Kind -> what is known of it, in the order the documentation tells them."""


def known_kind(kind: str) -> AlertKind:
    """Return what is known of a kind; an unknown one pages, for nobody said that it may wait."""
    return KINDS.get(kind) or AlertKind(
        kind=kind,
        severity=Severity.PAGE,
        owner=Owner.OPERATOR,
        title=kind.replace(".", ": ").replace("_", " "),
        meaning="Nothing is written about this kind.",
        ends="when its cause is over",
    )
