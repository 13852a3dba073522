"""The must-escalate set (ES-25): what this ruleset finds of it, measured once per version.

Two parts, both in ``swarm.safety.corpus``. ``must-escalate-XX.jsonl``: danger said plainly, in
seven languages; each line must be found under its class. ``held-XX.jsonl``: danger as customers
also hint at it, never trained on; about eight in nine are heard, and as many as
``must-escalate-baseline.json`` says. The bytes of a ruleset find the same for ever on one
processor (another rounds otherwise, see the gate), so what was measured is kept, file by file: a
measurement that was cut off goes on where it stood.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Final

from psycopg.types.json import Jsonb

from swarm.cutover.report import MOST_NAMED, MustEscalate, SetCount
from swarm.models import Address, EscalationClass, MessageRef, Noun, Received, WorkOrder
from swarm.safety import ruleset
from swarm.safety.detectors import detect
from swarm.safety.learned.ring import DESK
from swarm.store.database import Connection, Database

PLAIN: Final = "must-escalate-"
HELD: Final = "held-"
_BASELINE: Final = "must-escalate-baseline.json"
_HARMLESS: Final = "harmless"
_SECONDS: Final = 120.0


class SetPart(Noun):
    """What a ruleset finds in one file of the set."""

    part: str
    counts: tuple[SetCount, ...]


class SetLine(Noun):
    """One sentence of the set; ``id`` names file and line."""

    id: str
    language: str
    escalation: EscalationClass
    text: str


def measure_missing(database: Database, seconds: float = _SECONDS) -> int:
    """Measure files that nobody measured yet with the rules at hand; returns how many are left.

    Begins no further file once ``seconds`` are over: the next evaluation goes on.
    """
    until = time.monotonic() + seconds
    with database.transaction() as connection:
        left = [name for name in parts() if name not in _kept(connection, ruleset.VERSION)]
    while left and time.monotonic() < until:
        measured = measure(left.pop(0))
        with database.transaction() as connection:
            keep(connection, ruleset.VERSION, measured)
    return len(left)


def measure(part: str) -> SetPart:
    """Ask the detectors at hand about every line of a file."""
    counts = _counted(lines(part), under_its_class=part.startswith(PLAIN))
    return SetPart(part=part, counts=counts)


def kept(connection: Connection, version: str) -> MustEscalate:
    """Return what was measured of a ruleset; ``ruleset`` None: not all of the set was."""
    found = _kept(connection, version)
    whole = set(found) >= set(parts())
    return MustEscalate(
        ruleset=version if whole else None,
        plain=_together([p for name, p in found.items() if name.startswith(PLAIN)]),
        held=_together([p for name, p in found.items() if name.startswith(HELD)]),
        baseline=baseline(),
    )


def keep(connection: Connection, version: str, measured: SetPart) -> None:
    """Keep what was measured; another measurement of the same says the same."""
    connection.execute(
        "INSERT INTO must_escalate_measurements (ruleset, part, body) VALUES (%s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (version, measured.part, Jsonb(measured.model_dump(mode="json"))),
    )


def parts() -> tuple[str, ...]:
    """Return the names of the files of the set."""
    files = resources.files("swarm.safety.corpus").iterdir()
    names = [each.name.removesuffix(".jsonl") for each in files if each.name.endswith(".jsonl")]
    return tuple(sorted(name for name in names if name.startswith((PLAIN, HELD))))


def lines(part: str) -> Iterator[SetLine]:
    """Yield the dangerous lines of a file under the class, or the desk, they belong to."""
    file = resources.files("swarm.safety.corpus") / f"{part}.jsonl"
    for number, text in enumerate(file.read_text("utf-8").splitlines(), 1):
        row = json.loads(text)
        if row["class"] != _HARMLESS:
            yield SetLine(
                id=f"{part}:{number}",
                language=row["language"],
                escalation=DESK.get(row["class"]) or EscalationClass(row["class"]),
                text=row["text"],
            )


def baseline() -> Mapping[EscalationClass, tuple[int, int]]:
    """Return found and number of the held-back lines per class, as shipped."""
    file = resources.files("swarm.safety.corpus") / _BASELINE
    said: dict[str, list[int]] = json.loads(file.read_text("utf-8"))
    return {EscalationClass(name): (counts[0], counts[1]) for name, counts in said.items()}


def _kept(connection: Connection, version: str) -> Mapping[str, SetPart]:
    rows = connection.execute(
        "SELECT part, body FROM must_escalate_measurements WHERE ruleset = %s", (version,)
    )
    return {row["part"]: SetPart.model_validate(row["body"]) for row in rows}


def _together(measured: Sequence[SetPart]) -> tuple[SetCount, ...]:
    by_class = defaultdict[EscalationClass, list[SetCount]](list)
    for part in measured:
        for count in part.counts:
            by_class[count.escalation].append(count)
    return tuple(
        SetCount(
            escalation=name,
            n=sum(each.n for each in counts),
            found=sum(each.found for each in counts),
            missed=tuple(line for each in counts for line in each.missed)[:MOST_NAMED],
        )
        for name, counts in sorted(by_class.items())
    )


def _counted(asked: Iterator[SetLine], *, under_its_class: bool) -> tuple[SetCount, ...]:
    n, missed = (
        defaultdict[EscalationClass, int](int),
        defaultdict[EscalationClass, list[str]](list),
    )
    for line in asked:
        n[line.escalation] += 1
        found = set(detect(_mail(line)).classes) - {EscalationClass.UNKNOWN}
        if not (line.escalation in found if under_its_class else found):
            missed[line.escalation].append(line.id)
    return tuple(
        SetCount(
            escalation=name,
            n=number,
            found=number - len(missed[name]),
            missed=tuple(missed[name][:MOST_NAMED]),
        )
        for name, number in sorted(n.items())
    )


def _mail(line: SetLine) -> Received:
    order = WorkOrder(
        key="wo_" + "a" * 24,
        original_id=line.id,
        ref=MessageRef(mailbox="service@example.com"),
        sender=Address(address="ada@example.org"),
        subject="",
        received_at=datetime(2026, 1, 5, tzinfo=UTC),
        source="must-escalate",
    )
    return Received(work_order=order, text=line.text, language=line.language)
