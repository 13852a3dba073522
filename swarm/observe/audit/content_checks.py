"""The bytes behind a work order, hashed again: its mail, its stage outputs, its verdicts. Pure.

A hash that stands beside its bytes proves nothing by itself; each is compared with the one in the
event chain (or, for a mail nobody has opened yet, with the one of its intake line).
"""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue, ValidationError

from swarm.intake.stream.line import content_sha256
from swarm.legacy.publishing.shim import RULE
from swarm.models import Ruling, WorkOrder, canonical_sha256
from swarm.observe.audit.findings import Violation
from swarm.observe.audit.stored import Stored
from swarm.store.database import Row


def check(stored: Stored) -> Iterator[Violation]:
    """Yield what was changed, is missing, or stands there without its event."""
    if stored.order is not None:
        yield from _mail(stored, stored.order)
    yield from _revisions(stored)
    yield from _artifacts(stored)
    yield from _verdicts(stored)


def _mail(stored: Stored, order: Row) -> Iterator[Violation]:
    body = order["body"]
    if (body.get("key"), body.get("original_id")) != (order["key"], order["original_id"]):
        yield Violation(6, "mail_changed", "the stored mail names another work order")
    said = content_sha256(body)
    for line in stored.lines:
        if line["status"] == "accepted" and line["canonical_sha256"] != said:
            yield Violation(6, "mail_changed", "the stored mail is not what its intake line said")
    read = [e["detail"].get("inputs") for e in stored.events if _finished(e, "received")]
    if read and read[-1] not in ([canonical_sha256(body)], [_as_noun(body)]):
        yield Violation(6, "mail_changed", "the stored mail is not the one its run has read")


def _as_noun(body: Mapping[str, JsonValue]) -> str | None:
    """Hash it as a run does: an older row lacks fields that were added since."""
    try:
        return WorkOrder.model_validate(body).digest()
    except ValidationError:
        return None


def _revisions(stored: Stored) -> Iterator[Violation]:
    for row in stored.revisions:
        if row["canonical_sha256"] != content_sha256(row["body"]):
            yield Violation(6, "mail_changed", "a kept revision is not what its intake line said")


def _artifacts(stored: Stored) -> Iterator[Violation]:
    told = {
        (e["stage"], e["detail"].get("artifact_sha256"))
        for e in stored.events
        if e["stage"] is not None
    }
    for row in stored.artifacts:
        if canonical_sha256(row["body"]) != row["sha256"]:
            said = f"output of {row['stage']} does not match its hash"
            yield Violation(6, "artifact_changed", said)
        if (row["stage"], row["sha256"]) not in told:
            said = f"output of {row['stage']} without its event"
            yield Violation(6, "artifact_without_event", said)
    kept = {(row["stage"], row["run_id"]): row["sha256"] for row in stored.artifacts}
    newest = {
        (e["stage"], e["run_id"]): e["detail"]["artifact_sha256"]
        for e in stored.events
        if e["stage"] is not None and "artifact_sha256" in e["detail"]
    }
    for (stage, run_id), sha256 in newest.items():
        if kept.get((stage, run_id)) != sha256:
            said = f"output of {stage} is not the one the chain tells of, or is gone"
            yield Violation(6, "artifact_missing", said)


def _verdicts(stored: Stored) -> Iterator[Violation]:
    told = {
        (e["detail"].get("draft_sha256"), e["detail"].get("evidence_sha256"), ruling)
        for e in stored.events
        if e["kind"] == "verdict.recorded"
        for ruling in e["detail"].get("rulings", [])
    }
    stands = {
        (v["draft_sha256"], v["evidence_sha256"], f"{v['rule']}@{v['version']}={v['ruling']}")
        for v in stored.verdicts
        if v["rule"] != RULE  # today's policy tells no chain of ours
    }
    for _, _, ruling in sorted(stands - told):
        yield Violation(4, "verdict_without_event", f"{ruling}, of which the chain does not tell")
    for _, _, ruling in sorted(told - stands):
        passed = ruling.endswith(f"={Ruling.PASS}")
        yield Violation(4 if passed else 5, "verdict_missing", f"{ruling} of the chain is gone")


def _finished(event: Row, stage: str) -> bool:
    return bool(event["kind"] == "stage.finished" and event["stage"] == stage)
