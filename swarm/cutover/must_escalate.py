"""The must-escalate set (ES-25): what this ruleset finds of it, measured once per version.

Two parts, both in ``swarm.safety.corpus``. ``must-escalate-XX.jsonl``: danger said plainly, in
seven languages; each line must be found under its class. ``held-XX.jsonl``: danger as customers
also hint at it, never trained on; about four in five are heard, and no fewer than
``must-escalate-baseline.json`` says. The bytes of a ruleset find the same for ever, so a
measurement is kept and not made again.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import resources
from typing import Final

from psycopg.types.json import Jsonb

from swarm.cutover.report import MOST_NAMED, MustEscalate, SetCount
from swarm.models import Address, EscalationClass, MessageRef, Noun, Received, WorkOrder
from swarm.safety import ruleset
from swarm.safety.detectors import detect
from swarm.safety.learned.ring import DESK
from swarm.store.database import Connection

_BASELINE: Final = "must-escalate-baseline.json"
_HARMLESS: Final = "harmless"


class Line(Noun):
    """One sentence of the set; ``id`` names file and line."""

    id: str
    language: str
    escalation: EscalationClass
    text: str


def measure() -> MustEscalate:
    """Ask the detectors at hand about every line; takes some seconds."""
    return MustEscalate(
        ruleset=ruleset.VERSION,
        plain=_counted(plain(), under_its_class=True),
        held=_counted(held(), under_its_class=False),
        baseline=baseline(),
    )


def kept(connection: Connection, version: str) -> MustEscalate | None:
    """Return what was measured of a ruleset; None: nothing was."""
    row = connection.execute(
        "SELECT body FROM must_escalate_measurements WHERE ruleset = %s", (version,)
    ).fetchone()
    return None if row is None else MustEscalate.model_validate(row["body"])


def keep(connection: Connection, measured: MustEscalate) -> None:
    """Keep a measurement; another of the same ruleset says the same."""
    connection.execute(
        "INSERT INTO must_escalate_measurements (ruleset, body) VALUES (%s, %s)"
        " ON CONFLICT DO NOTHING",
        (measured.ruleset, Jsonb(measured.model_dump(mode="json"))),
    )


def plain() -> Iterator[Line]:
    """Yield the plainly worded sentences."""
    for name, number, row in _rows("must-escalate-"):
        yield Line(
            id=f"{name}:{number}",
            language=row["language"],
            escalation=EscalationClass(row["class"]),
            text=row["text"],
        )


def held() -> Iterator[Line]:
    """Yield the dangerous held-back lines under the desk they belong to."""
    for name, number, row in _rows("held-"):
        if row["class"] != _HARMLESS:
            yield Line(
                id=f"{name}:{number}",
                language=row["language"],
                escalation=DESK[row["class"]],
                text=row["text"],
            )


def baseline() -> Mapping[EscalationClass, tuple[int, int]]:
    """Return found and number of the held-back lines per class, as shipped."""
    file = resources.files("swarm.safety.corpus") / _BASELINE
    said: dict[str, list[int]] = json.loads(file.read_text("utf-8"))
    return {EscalationClass(name): (counts[0], counts[1]) for name, counts in said.items()}


def _rows(prefix: str) -> Iterator[tuple[str, int, dict[str, str]]]:
    folder = resources.files("swarm.safety.corpus")
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.startswith(prefix) and file.name.endswith(".jsonl"):
            for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
                yield file.name.removesuffix(".jsonl"), number, json.loads(line)


def _counted(lines: Iterator[Line], *, under_its_class: bool) -> tuple[SetCount, ...]:
    n, missed = (
        defaultdict[EscalationClass, int](int),
        defaultdict[EscalationClass, list[str]](list),
    )
    for line in lines:
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


def _mail(line: Line) -> Received:
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
