"""A whole body of evidence, all of it good: what every gate needs to pass, to be spoiled by tests.

Live work orders with lines, chains, outputs, publications and what people did; history of every
escalation class; pairs for the quality; the engine that runs. Written as rows, a few thousand at
once, so that a world costs a second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import proven
from psycopg.types.json import Jsonb
from publishing_world import draft, key_of, payload, work_order

from swarm.cutover import must_escalate
from swarm.cutover.evaluated import Evaluation
from swarm.cutover.evaluation import evaluate_now
from swarm.cutover.models import GateResult, GateVerdict
from swarm.cutover.must_escalate import SetPart
from swarm.cutover.report import SetCount
from swarm.models import Draft, EscalationClass, Event, Lookup, Stage, StoredEvent, Tier
from swarm.safety import ruleset
from swarm.shadow.models import Act, Comparison, Decision, Origin, OutcomePair, Replayed, Strata
from swarm.stages.engine import Engine
from swarm.store.database import Connection, Database
from swarm.store.event_chain import GENESIS, link

ENGINE = Engine(ruleset=ruleset.VERSION, specialist="rules@1", house="house", code="code")
CLASSES = tuple(each for each in EscalationClass if each is not EscalationClass.UNKNOWN)
LIVE, HISTORY = 40, 600
PER_CLASS = 60


@dataclass
class Evidence:
    """The database with its evidence; ``home`` may hold tolerances."""

    database: Database
    home: Path

    def write(self, statement: str, *values: object) -> None:
        """Do what only a test may do to a row, past every trigger."""
        with self.database.transaction() as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(statement.encode(), values)

    def evaluate(self, **asked: object) -> Evaluation:
        evaluation, _ = evaluate_now(self.database, self.home, **asked)
        return evaluation

    def gate(self, name: str, **asked: object) -> GateResult:
        return next(g for g in self.evaluate(**asked).gates if g.gate == name)

    def verdicts(self, **asked: object) -> dict[str, GateVerdict]:
        return {gate.gate: gate.verdict for gate in self.evaluate(**asked).gates}


def lay(database: Database, home: Path) -> Evidence:
    """Lay the whole evidence into an empty database."""
    with database.transaction() as connection:
        alive(connection)
        _live(connection)
        compare(connection, list(comparisons()))
        _asked_twice(connection)
        for part in must_escalate.parts():
            must_escalate.keep(connection, ENGINE.ruleset, _measured(part))
    return Evidence(database, home)


def strata(**changes: object) -> Strata:
    known = Strata(
        origin=Origin.HISTORY, tier=Tier.ROUTINE, language="en", attachments=False,
        thread=Lookup.HIT, contact=Lookup.HIT,
    )  # fmt: skip
    return known.model_copy(update=changes)


def comparison(number: int, **changes: object) -> Comparison:
    """Both drafted, both as good, in a thread of its own."""
    usual = Comparison(
        work_order_key=key_of(number), engine=ENGINE.version, pair=OutcomePair.BOTH_DRAFT,
        strata=strata(contact=Lookup.MISS if number % 3 == 0 else Lookup.HIT,
                      attachments=number % 5 == 0),
        same_recipient=True, same_thread=True, same_subject=True, new_legacy=0.7,
        new_sent=0.95, legacy_sent=0.93, act=Act.SENT_UNCHANGED, legacy_ms=400, new_ms=300,
        thread_id=f"thread-{number}", received_at=datetime(2026, 10, 1, tzinfo=UTC),
    )  # fmt: skip
    return usual.model_copy(update=changes)


def danger(number: int, escalation: EscalationClass, **changes: object) -> Comparison:
    """A person was needed, and both asked for one."""
    nothing = dict.fromkeys(
        ("new_sent", "legacy_sent", "same_recipient", "same_thread", "same_subject")
    )
    usual = comparison(
        number,
        pair=OutcomePair.BOTH_PERSON,
        strata=strata(tier=Tier.ESCALATE),
        legacy_classes=(escalation,),
        new_classes=(escalation,),
        needed=(escalation,),
        needed_because="label",
    )
    return usual.model_copy(update={**nothing, **changes})


def comparisons() -> Iterator[Comparison]:
    for number in range(1, LIVE + 1):
        yield comparison(number, strata=strata(origin=Origin.LIVE))
    number = LIVE
    for escalation in CLASSES:
        for _ in range(PER_CLASS):
            number += 1
            yield danger(number, escalation)
    for _ in range(HISTORY):
        number += 1
        yield comparison(number)


def compare(connection: Connection, found: list[Comparison]) -> None:
    _of_before(connection, [each for each in found if each.strata.origin is Origin.HISTORY])
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO comparisons (work_order_key, engine, origin, body)"
            " VALUES (%s, %s, %s, %s)",
            [
                (c.work_order_key, c.engine, c.strata.origin, Jsonb(c.model_dump(mode="json")))
                for c in found
            ],
        )


def _of_before(connection: Connection, found: list[Comparison]) -> None:
    """Their work orders, imported: of one that nobody knows no comparison is kept."""
    connection.execute(
        "INSERT INTO history_imports (actor, mapping_sha256, files, counts)"
        " VALUES ('test', 'm', '[]', '{}')"
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO history_orders (work_order_key, original_id, body, received_at, import_id)"
            " SELECT %(key)s, %(key)s, '{}', %(at)s, max(id) FROM history_imports"
            " ON CONFLICT DO NOTHING",
            [{"key": c.work_order_key, "at": c.received_at} for c in found],
        )


def alive(connection: Connection) -> None:
    """A worker of the engine says that it lives, in a home without tolerances."""
    proven.beat(connection, ENGINE)


def _live(connection: Connection) -> None:
    began = datetime.now(UTC) - timedelta(hours=2)
    for number in range(1, LIVE + 1):
        _order(connection, number, began + timedelta(seconds=number))


def _order(connection: Connection, number: int, at: datetime) -> None:
    """One published work order with everything that belongs to it."""
    key, run = key_of(number), f"run-{number}"
    order = work_order(key)
    chain = _chain(key, run, at)
    connection.execute(
        "INSERT INTO work_orders (key, original_id, body, state, tier, accepted_at, final_at,"
        " chain_seq, chain_hash) VALUES (%s, %s, %s, 'published', 1, %s, %s, %s, %s)",
        (key, order.original_id, Jsonb(order.model_dump(mode="json")), at,
         at + timedelta(seconds=5), chain[-1].seq, chain[-1].hash),
    )  # fmt: skip
    connection.execute(
        "INSERT INTO intake_line (stream, generation, byte_offset, length, line_sha256,"
        " canonical_sha256, work_order_key, status, received_at)"
        " VALUES ('work_orders', 1, %s, 100, 'x', 'x', %s, 'accepted', %s)",
        (number * 100, key, at),
    )
    connection.execute(
        "INSERT INTO swarm_jobs (work_order_key, state, attempt, token, run_id, queued_at)"
        " VALUES (%s, 'done', 1, 1, %s, %s)",
        (key, run, at),
    )
    for event in chain:
        connection.execute(
            "INSERT INTO workflow_events (work_order_key, seq, attempt, run_id, kind, stage, actor,"
            " detail, at, previous_hash, hash) VALUES (%s, %s, 1, %s, %s, %s, %s, %s, %s, %s, %s)",
            (key, event.seq, run, event.kind, event.stage, event.actor,
             Jsonb(dict(event.detail)), event.at, event.previous_hash, event.hash),
        )  # fmt: skip
    for stage in Stage:
        connection.execute(
            "INSERT INTO artifacts (work_order_key, stage, token, attempt, run_id, body, sha256)"
            " VALUES (%s, %s, 1, 1, %s, '{}', %s)",
            (key, stage, run, f"sha-{stage}"),
        )
    _published(connection, key, at)


def _published(connection: Connection, key: str, at: datetime) -> None:
    for publisher in ("legacy", "swarm"):
        connection.execute(
            "INSERT INTO publication_payload (work_order_key, publisher, sha256, draft_sha256,"
            " evidence_sha256, ruleset, body, at) VALUES (%s, %s, 's', 'd', 'e', 'r', %s, %s)",
            (key, publisher, Jsonb(payload(key, f"As {publisher} says.").model_dump()), at),
        )
    connection.execute(
        "INSERT INTO publication_ledger (work_order_key, publisher, state, epoch, draft_id,"
        " draft_folder, created_at, changed_at)"
        " VALUES (%s, 'legacy', 'CONFIRMED', 0, %s, 'drafts', %s, %s)",
        (key, f"draft-{key}", at, at),
    )
    connection.execute(
        "INSERT INTO publication_log (work_order_key, fence, event, at)"
        " VALUES (%s, 1, 'confirmed', %s)",
        (key, at),
    )
    connection.execute(
        "INSERT INTO legacy_outcomes (work_order_key, origin, escalated, reasons, recipient,"
        " subject, body_text, policy_version, line_sha256)"
        " VALUES (%s, 'live', false, '[]', 'c@example.com', 's', 'b', '1', 'x')",
        (key,),
    )
    connection.execute(
        "INSERT INTO reply_outcomes (work_order_key, origin, publisher, act, offered_at, acted_at)"
        " VALUES (%s, 'live', 'legacy', %s, %s, %s)",
        (key, "rewritten", at,
         at + timedelta(seconds=90)),
    )  # fmt: skip


def _chain(key: str, run: str, at: datetime) -> list[StoredEvent]:
    chain: list[StoredEvent] = []
    for stage in Stage:
        event = Event(
            kind="stage.finished",
            stage=stage,
            actor="test",
            detail={"artifact_sha256": f"sha-{stage}"},
        )
        last = chain[-1] if chain else None
        chain.append(
            link(
                event,
                key=key,
                previous_seq=last.seq if last else 0,
                previous_hash=last.hash if last else GENESIS,
                run_id=run,
                attempt=1,
                at=at,
            )
        )
    return chain


def _asked_twice(connection: Connection) -> None:
    for number in range(1, 26):
        key = key_of(number)
        for asked in (1, 2):
            replayed = Replayed(
                work_order_key=key,
                engine=ENGINE.version,
                decision=Decision.DRAFT,
                draft=Draft.model_validate(draft(key)),
                input_sha256="i",
            )
            connection.execute(
                "INSERT INTO replays (work_order_key, engine, pass, body) VALUES (%s, %s, %s, %s)",
                (key, ENGINE.version, asked, Jsonb(replayed.model_dump(mode="json"))),
            )


def _measured(part: str) -> SetPart:
    """Everything plain is found, and just as many hints as when the set shipped."""
    if part.startswith(must_escalate.PLAIN):
        counts = [SetCount(escalation=each, n=9, found=9) for each in CLASSES]
    else:
        shipped = must_escalate.baseline()
        counts = [SetCount(escalation=c, n=n, found=found) for c, (found, n) in shipped.items()]
    return SetPart(part=part, counts=tuple(counts))
