"""What the events of stores and queues say: kinds, rulings, hashes and reasons; no mail text.

The events of stages are worded by the stages, those of publications by the ledger.
"""

from collections.abc import Sequence

from swarm.models import Event, Fence, Stage, Tier, Verdict, WorkOrderState
from swarm.store.queue import Job


def stage_event(event: Event, stage: Stage, sha256: str) -> Event:
    """Return a stage's event bound to the bytes it is about, by their hash."""
    detail = {**event.detail, "artifact_sha256": sha256}
    return event.model_copy(update={"stage": stage, "detail": detail})


def verdicts_recorded(verdicts: Sequence[Verdict]) -> Event:
    """Return the event of newly recorded verdicts: rulings and hashes, never their wording."""
    first = verdicts[0]
    return Event(
        kind="verdict.recorded",
        actor=first.decided_by,
        detail={
            "rulings": [f"{v.rule}@{v.version}={v.ruling}" for v in verdicts],
            "draft_sha256": first.draft_sha256,
            "evidence_sha256": first.evidence_sha256,
        },
    )


def tier_raised(before: Tier, tier: Tier) -> Event:
    """Return the event of a raised tier floor (ES-02)."""
    return Event(
        kind="tier.raised",
        stage=Stage.TIER,
        actor="policy",
        detail={"from": before.name, "to": tier.name},
    )


def moved(before: WorkOrderState, state: WorkOrderState, reason: str, actor: str) -> Event:
    """Return the event of a work order that moved."""
    return Event(kind=f"work_order.{state}", actor=actor, detail={"from": before, "reason": reason})


def run_opened(fence: Fence, *, by_person: bool) -> Event:
    """Return the event of a run that got the work order."""
    return Event(
        kind="run.opened", actor="person" if by_person else "queue", detail={"token": fence.token}
    )


def run_ended(kind: str, before: Job, after: Job) -> Event:
    """Return the event of a run that failed (``run.failed``) or was taken back (``run.reaped``)."""
    return Event(
        kind=kind,
        actor="queue",
        detail={
            "run_id": before.run_id,
            "attempt": before.attempt,
            "failures": after.failures,
            "error": after.last_error,
            "job": after.state,
        },
    )
