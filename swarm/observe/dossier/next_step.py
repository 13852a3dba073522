"""What happens next to a work order, in one sentence for a person. Pure."""

from datetime import datetime

from swarm.models import WorkOrderState
from swarm.store.queue import Job, JobState
from swarm.store.reply_outcomes import ANSWERED_BY

_PUBLICATION = {
    "PENDING_PAYLOAD": "waits until {publisher} has a draft of its own for it",
    "READY": "waits for {publisher} to post the draft",
    "SENDING": "{publisher} is posting the draft now",
    "ACCEPTED": "posted; waits until the draft is seen in the mailbox",
    "UNKNOWN": "posted, outcome unknown; the mailbox is searched before anything else is done",
    "CONFIRMED": "the draft is in the mailbox; the work order follows within a minute",
    "HELD": "no draft turned up; the work order follows within a minute",
    "DEAD": "could not be posted; the work order follows within a minute",
}

# Whose publication gave up is not driven again: its row is final, and only a person opens it.
_AFTER_MENDING = {
    False: "`swarm dead replay` drives it again",
    True: "`swarm release` opens it again",
}
_DONE_BY_A_PERSON = {
    "sent_unchanged": "a person has sent the draft; nothing more to do",
    "sent_edited": "a person has sent the draft with edits; nothing more to do",
    "rewritten": "a person has sent it in other words; nothing more to do",
    "answered_otherwise": "a person has answered otherwise; if the draft stands, it can go",
    "discarded": "a person threw the draft away; if nobody answered, somebody must",
}
_OR_RELEASE = "; `swarm release` lets it be drafted after all"


def next_step(
    state: WorkOrderState,
    job: Job | None,
    *,
    ledger_state: str | None = None,
    publisher: str | None = None,
    owner: str | None = None,
    acknowledge_by: datetime | None = None,
    acknowledged_by: str | None = None,
    act: str = "",
) -> str:
    """Say what happens next, and who has to act if nobody's program does.

    ``act``: what a person did with the draft, as far as it is known.
    """
    match state:
        case WorkOrderState.PUBLISHED:
            offered = "a person edits the draft in Outlook and sends it"
            return _DONE_BY_A_PERSON.get(act, offered)
        case WorkOrderState.ESCALATED | WorkOrderState.DECLINED:
            return f"{_at_a_desk(state, owner, acknowledge_by, acknowledged_by)}{_OR_RELEASE}"
        case WorkOrderState.HELD:
            return f"a person looks: nothing more happens by itself{_OR_RELEASE}"
        case WorkOrderState.DEAD:
            return f"a person mends the cause, then {_AFTER_MENDING[ledger_state == 'DEAD']}"
        case WorkOrderState.PUBLISHING:
            sentence = _PUBLICATION.get(ledger_state or "", "the ledger has no row: run the audit")
            return sentence.format(publisher=publisher or "nobody")
        case _:
            return _driven(job)


def _at_a_desk(
    state: WorkOrderState,
    owner: str | None,
    acknowledge_by: datetime | None,
    acknowledged_by: str | None,
) -> str:
    if acknowledged_by == ANSWERED_BY:
        return f"it was {ANSWERED_BY}; nothing more to do"
    if acknowledged_by:
        return f"{acknowledged_by} has taken it on"
    if owner is None or acknowledge_by is None:
        return "a person answers it; no owner is recorded: run the audit"
    does = "answers in person" if state is WorkOrderState.ESCALATED else "writes the answer"
    return f"{owner} acknowledges it by {acknowledge_by:%Y-%m-%d %H:%M} UTC and {does}"


def _driven(job: Job | None) -> str:
    if job is None:
        return "no job drives it: run the audit"
    match job.state:
        case JobState.QUEUED if job.waiting_since:
            return (
                f"waits for the model since {job.waiting_since:%Y-%m-%d %H:%M} UTC"
                f" ({job.last_error}); nothing is lost, and after long a person gets it"
            )
        case JobState.QUEUED:
            again = f" after {job.failures} failures ({job.last_error})" if job.failures else ""
            return f"its run is requested from {job.not_before:%H:%M:%S} UTC on{again}"
        case JobState.REQUESTED:
            return f"Dagster starts run attempt {job.attempt}"
        case JobState.RUNNING:
            return f"run attempt {job.attempt} works on it, last output: {job.stage or 'none yet'}"
        case _:
            return f"its job is {job.state}: run the audit"
