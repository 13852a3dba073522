"""The dossier of a work order: where is it, why, what next, and everything that led there.

One frozen model for the authorised person at the terminal; it may quote mail text, so it goes
nowhere else. What lives elsewhere: rendering (``swarm.cli``), the whole system (``status``).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import Field, JsonValue

from swarm.intake.stream.names import find_key
from swarm.models import (
    EscalationClass,
    ModelCall,
    Noun,
    Reason,
    Stage,
    StageArtifact,
    StoredEvent,
    Tier,
    Verdict,
    WorkOrder,
    WorkOrderState,
)
from swarm.observe.dossier.next_step import next_step
from swarm.observe.dossier.published import PublishedDraft, outputs, published_draft
from swarm.observe.dossier.replied import (
    LegacyDecision,
    ReplyRecord,
    legacy_decision,
    reply_record,
)
from swarm.observe.dossier.stage_story import StageStory, stage_stories
from swarm.store.database import Connection, Database, Row
from swarm.store.event_chain import verify_chain
from swarm.store.postgres import stored_events
from swarm.store.postgres_events import SELECT_JOBS, job_of
from swarm.store.queue import Job
from swarm.store.releases import Release, releases_of

N = TypeVar("N", bound=Noun)

_ORDER = """
SELECT key, body, state, state_reason, tier, accepted_at, final_at, now() AS now
  FROM work_orders WHERE key = %s
"""

_RUNS = """
SELECT run_id, attempt, started_at, finished_at, outcome FROM workflow_runs
 WHERE work_order_key = %s ORDER BY token
"""

_VERDICTS = """
SELECT rule, version, draft_sha256, evidence_sha256, ruling, reasons, decided_by
  FROM verdicts WHERE work_order_key = %s ORDER BY at, rule
"""

_CALLS = """
SELECT work_order_key, purpose, request_sha256, model, prompt_sha256, answer, input_tokens,
       output_tokens, cost, latency_ms, at, ahead
  FROM model_calls WHERE work_order_key = %s ORDER BY at
"""

_ESCALATION = """
SELECT classes, reasons, owner, received_at, acknowledge_by, acknowledged_at, acknowledged_by
  FROM escalations WHERE work_order_key = %s
"""

_PUBLICATION = """
SELECT publisher, state, fence, attempts, intent_at, http_status, zap_request_id, draft_id,
       draft_folder, draft_link, not_before, last_error, created_at, changed_at
  FROM publication_ledger WHERE work_order_key = %s
"""

_PUBLICATION_LOG = """
SELECT at, fence, event, detail FROM publication_log WHERE work_order_key = %s ORDER BY id
"""

_ALERTS = """
SELECT kind, detail, at, resolved_at FROM alerts WHERE subject = %s ORDER BY id
"""


class RunRecord(Noun):
    """One run that had the work order."""

    run_id: str
    attempt: int
    started_at: datetime
    finished_at: datetime | None = None
    outcome: str | None = None


class EscalationRecord(Noun):
    """Who has the escalation, and by when somebody must have looked (ES-22)."""

    classes: tuple[EscalationClass, ...]
    reasons: tuple[Reason, ...]
    owner: str
    received_at: datetime
    acknowledge_by: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None


class PublicationRecord(Noun):
    """The row of the publication ledger."""

    publisher: str
    state: str
    fence: int
    attempts: int
    intent_at: datetime | None = None
    http_status: int | None = None
    zap_request_id: str | None = None
    draft_id: str | None = None
    draft_folder: str | None = None
    draft_link: str | None = None
    not_before: datetime | None = None
    last_error: str = ""
    created_at: datetime
    changed_at: datetime


class PublicationStep(Noun):
    """One line of the ledger's own log."""

    at: datetime
    fence: int
    event: str
    detail: str = ""


class AlertRecord(Noun):
    """An alert about this work order."""

    kind: str
    detail: str
    at: datetime
    resolved_at: datetime | None = None


class ModelAnswer(ModelCall):
    """A model call, when its answer came, and whether that was before the run that needed it."""

    at: datetime
    ahead: bool


class Dossier(Noun):
    """Everything there is to say about one work order."""

    key: str
    work_order: WorkOrder
    state: WorkOrderState
    why: str
    next_step: str
    tier: Tier
    accepted_at: datetime
    final_at: datetime | None
    age_seconds: float
    job: Job | None
    runs: tuple[RunRecord, ...]
    stages: tuple[StageStory, ...]
    artifacts: Mapping[Stage, StageArtifact] = Field(
        description="The newest output of each stage up to the end of the work order"
    )
    looked_at_again: Mapping[Stage, StageArtifact] = Field(
        description="What runs after that end gave: nothing of it was published"
    )
    published: PublishedDraft | None = Field(description="The bytes of the ledger")
    releases: tuple[Release, ...]
    verdicts: tuple[Verdict, ...]
    model_calls: tuple[ModelAnswer, ...]
    cost: float
    escalation: EscalationRecord | None
    publication: PublicationRecord | None
    publication_log: tuple[PublicationStep, ...]
    reply: ReplyRecord | None = Field(default=None, description="What a person did")
    legacy: LegacyDecision | None = Field(default=None, description="What today's path decided")
    alerts: tuple[AlertRecord, ...]
    events: tuple[StoredEvent, ...]
    chain_problems: tuple[str, ...]

    def body(self, stage: Stage) -> JsonValue:
        """Return the newest output of a stage; None when there is none."""
        artifact = self.artifacts.get(stage)
        return None if artifact is None else artifact.body


def dossier(
    database: Database, name: str, *, secret: str = "", ui_url: str | None = None
) -> Dossier:
    """Return the dossier of the work order called ``name``, its key or the id its mail came with.

    ``secret`` is what keys are made with, ``ui_url`` turns runs into links. Raises
    ``MalformedInputError`` when there is none.
    """
    with database.transaction() as connection:
        key = find_key(connection, name, secret)
        return _compile(connection, connection.execute(_ORDER, (key,)).fetchone() or {}, ui_url)


def _compile(connection: Connection, order: Row, ui_url: str | None) -> Dossier:
    key, state = order["key"], WorkOrderState(order["state"])
    job = _job(connection, key)
    escalation = _one(connection, _ESCALATION, key, EscalationRecord)
    publication = _one(connection, _PUBLICATION, key, PublicationRecord)
    events = stored_events(connection, key)
    published = published_draft(connection, key)
    made = outputs(connection, key, events, published)
    reply = reply_record(connection, key)
    calls = _all(connection, _CALLS, key, ModelAnswer)
    return Dossier(
        key=key,
        work_order=WorkOrder.model_validate(order["body"]),
        state=state,
        why=order["state_reason"],
        next_step=next_step(
            state,
            job,
            ledger_state=publication.state if publication else None,
            publisher=publication.publisher if publication else None,
            owner=escalation.owner if escalation else None,
            acknowledge_by=escalation.acknowledge_by if escalation else None,
            acknowledged_by=escalation.acknowledged_by if escalation else None,
            act=reply.act if reply else "",
        ),
        tier=Tier(order["tier"]),
        accepted_at=order["accepted_at"],
        final_at=order["final_at"],
        age_seconds=((order["final_at"] or order["now"]) - order["accepted_at"]).total_seconds(),
        job=job,
        runs=_all(connection, _RUNS, key, RunRecord),
        stages=stage_stories(made.artifacts, events, ui_url),
        artifacts=made.artifacts,
        looked_at_again=made.looked_at_again,
        published=published,
        releases=releases_of(connection, key),
        verdicts=_all(connection, _VERDICTS, key, Verdict),
        model_calls=calls,
        cost=sum(call.cost for call in calls),
        escalation=escalation,
        publication=publication,
        publication_log=_all(connection, _PUBLICATION_LOG, key, PublicationStep),
        reply=reply,
        legacy=legacy_decision(connection, key),
        alerts=_all(connection, _ALERTS, key, AlertRecord),
        events=events,
        chain_problems=verify_chain(events),
    )


def _job(connection: Connection, key: str) -> Job | None:
    row = connection.execute(f"{SELECT_JOBS} WHERE j.work_order_key = %s", (key,)).fetchone()
    return None if row is None else job_of(row)


def _one(connection: Connection, sql: str, key: str, kind: type[N]) -> N | None:
    row = connection.execute(sql, (key,)).fetchone()
    return None if row is None else kind.model_validate(row)


def _all(connection: Connection, sql: str, key: str, kind: type[N]) -> tuple[N, ...]:
    return tuple(kind.model_validate(row) for row in connection.execute(sql, (key,)))
