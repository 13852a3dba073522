"""Dispatch: look, claim, post once, record. At most one POST per claim, one claim per fence.

Order matters and each step can stop it: the look into the mailbox and the preflight come before
the claim (HTTP has no place in a transaction); the claim commits before any byte leaves; between
claim and POST stand the deadline and a last question to the ledger, because a program that was
paused, or a run that was given up, may go on executing (dagster#15325). Source: publishing
protocol, section 4. What lives elsewhere: claims of the dead (``reaper``), outcomes nobody knows
(``reconciler``).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid4

import psycopg

from swarm.clients.protocol import FoundDraft, NotSentError, OutcomeUnknownError
from swarm.errors import DatabaseError, RemoteRefusedError, SwarmError, TransientError
from swarm.models import Reason
from swarm.process_identity import this_process
from swarm.publishing.control import control_to_write_ready
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.in_flight import (
    LostAnswer,
    Outcome,
    PostAccepted,
    PostNotSent,
    PostUnknown,
)
from swarm.publishing.ledger import endings
from swarm.publishing.ledger.claim import (
    ClaimCandidate,
    SendClaim,
    TamperedPayload,
    claim,
    next_candidate,
    still_mine,
)
from swarm.publishing.ledger.payload import wire
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.ledger.transitions import (
    Office,
    postpone,
    record_accepted,
    record_not_sent,
    record_unknown,
    withdraw,
)
from swarm.store.database import Connection

log = logging.getLogger(__name__)


class Dispatched(StrEnum):
    """What came of one try to dispatch."""

    IDLE = "idle"
    NOT_MINE = "not_mine"
    DEFERRED = "deferred"
    HELD = "held"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    CONFIRMED = "confirmed"
    FENCED = "fenced"


@dataclass(frozen=True, slots=True)
class DispatchResult:
    """What came of it, for which work order."""

    outcome: Dispatched
    work_order_key: str | None = None


_NAMES: dict[type[Outcome], Dispatched] = {
    PostAccepted: Dispatched.ACCEPTED,
    PostNotSent: Dispatched.NOT_SENT,
    PostUnknown: Dispatched.UNKNOWN,
}


class Dispatcher:
    """One try to dispatch the oldest due publication (or a named one) of one publisher."""

    def __init__(self, deps: PublishingDeps) -> None:
        self._deps = deps

    def once(self, key: str | None = None) -> DispatchResult:
        """Dispatch one publication. Raises a ``DatabaseError`` only before a claim."""
        candidate = self._candidate(key)
        if candidate is None:
            return DispatchResult(Dispatched.IDLE, key)
        if isinstance(candidate, TamperedPayload):
            return self._hold(candidate, candidate.detail)
        try:
            found = self._look(candidate)
            reasons = () if found else self._deps.preflight(candidate)
        except (TransientError, RemoteRefusedError) as error:
            return self._defer(candidate, error)
        if reasons:
            return self._hold(candidate, _sentence(reasons))
        return self._claim_and_go(candidate, found)

    def _candidate(self, key: str | None) -> ClaimCandidate | TamperedPayload | None:
        with self._deps.database.transaction() as connection:
            if not self._deps.at_home(connection):
                return None
            return next_candidate(
                connection,
                self._deps.me,
                required_rules=self._deps.required_rules,
                max_attempts=self._deps.timings.max_attempts,
                key=key,
            )

    def _look(self, candidate: ClaimCandidate) -> Sequence[FoundDraft]:
        """Search the mailbox for an earlier draft. Narrows the window; safety never rests on it."""
        if self._deps.outlook is None:
            return ()
        return self._deps.outlook.find_dispatched(
            key=candidate.work_order_key,
            conversation_id=candidate.payload.conversation_id or None,
            marker=candidate.payload.draft_marker,
            since=candidate.created_at,
        )

    def _claim_and_go(
        self, candidate: ClaimCandidate, found: Sequence[FoundDraft]
    ) -> DispatchResult:
        key, fence = candidate.work_order_key, candidate.fence + 1
        self._deps.in_flight.begin(key, fence)
        began = self._deps.clock()
        held = self._claim_or_withdraw(candidate, LostAnswer(key, fence, uuid4()))
        if held is None:
            self._deps.in_flight.forget(key, fence)
            return DispatchResult(Dispatched.NOT_MINE, key)
        if found:
            return self._confirm(held, found)
        return self._send_and_record(held, began)

    def _claim_or_withdraw(self, candidate: ClaimCandidate, asked: LostAnswer) -> SendClaim | None:
        """Claim; when the answer is lost the claim may stand, and it is taken back: nothing was
        sent. Whatever broke: also an interrupt may come between COMMIT and its answer.
        """
        try:
            return self._claim(candidate, asked.claim_id)
        except BaseException:
            self._deps.in_flight.unanswered(asked)
            withdraw_unanswered(self._deps)
            raise

    def _claim(self, candidate: ClaimCandidate, claim_id: UUID) -> SendClaim | None:
        with self._deps.database.transaction() as connection:
            return claim(
                connection,
                candidate,
                this_process(),
                required_rules=self._deps.required_rules,
                max_attempts=self._deps.timings.max_attempts,
                permitted=self._deps.may_claim,
                claim_id=claim_id,
            )

    def _send_and_record(self, held: SendClaim, began: float) -> DispatchResult:
        outcome: Outcome | None = PostUnknown("interrupted while sending")
        try:
            outcome = self._send(held, began)
        finally:
            # Also when interrupted from outside: this thread sends no more, whatever was sent.
            if outcome is not None:
                self._deps.in_flight.end(held, outcome)
        if outcome is None:
            self._deps.in_flight.forget(held.work_order_key, held.fence)
            return DispatchResult(Dispatched.FENCED, held.work_order_key)
        return DispatchResult(record_outcome(self._deps, held, outcome), held.work_order_key)

    def _send(self, held: SendClaim, began: float) -> Outcome | None:
        """Post once, if the claim is young and still ours; None: fenced off before any byte."""
        self._deps.rate_limit.wait()
        try:
            with self._deps.database.transaction() as connection:
                mine = still_mine(connection, held)
        except DatabaseError as error:
            return PostNotSent(f"the ledger could not be asked: {error.message}")
        if mine is False:
            return None
        if mine is None:
            return PostNotSent("the publisher was switched before the post", withdrawn=True)
        if self._deps.clock() - began > self._deps.timings.send_deadline_seconds:
            return PostNotSent("the claim grew older than the deadline before the post")
        return self._post(held)

    def _post(self, held: SendClaim) -> Outcome:
        body = wire(held.payload, fence=held.fence, epoch=held.epoch, attempt=held.attempts)
        try:
            return PostAccepted(self._deps.hook.post(body))
        except NotSentError as error:
            return PostNotSent(str(error), error.retry_after)
        except OutcomeUnknownError as error:
            return PostUnknown(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, it cannot prove "not sent"
            log.error("posting %s: unexpected %s", held.work_order_key, type(error).__name__)  # noqa: TRY400 - a text may quote the mail
            return PostUnknown("a fault of this program while posting")

    def _confirm(self, held: SendClaim, found: Sequence[FoundDraft]) -> DispatchResult:
        key = held.work_order_key
        try:
            with self._deps.database.transaction() as connection:
                confirmed = endings.confirm(
                    connection,
                    key,
                    held.fence,
                    found,
                    self._deps.settle,
                    states=[LedgerState.SENDING],
                    settle_seconds=self._deps.timings.settle_seconds,
                )
        except DatabaseError:  # it is found again at the next look; nothing of this claim was sent
            nothing = PostNotSent("the draft that was found could not be recorded", withdrawn=True)
            self._deps.in_flight.end(held, nothing)
            return DispatchResult(Dispatched.NOT_SENT, key)
        self._deps.in_flight.forget(key, held.fence)
        return DispatchResult(Dispatched.CONFIRMED if confirmed else Dispatched.FENCED, key)

    def _hold(self, candidate: ClaimCandidate | TamperedPayload, why: str) -> DispatchResult:
        key = candidate.work_order_key
        with self._deps.database.transaction() as connection:
            held = endings.hold(
                connection,
                key,
                candidate.fence,
                why,
                self._deps.settle,
                states=[LedgerState.READY],
                office=Office(candidate.publisher, candidate.epoch),
            )
        return DispatchResult(Dispatched.HELD if held else Dispatched.NOT_MINE, key)

    def _defer(self, candidate: ClaimCandidate, error: SwarmError) -> DispatchResult:
        key, why = candidate.work_order_key, f"cannot be judged now: {error.message}"
        delay = self._deps.backoff_seconds(candidate.attempts)
        with self._deps.database.transaction() as connection:
            office = Office(candidate.publisher, candidate.epoch)
            mine = postpone(connection, key, candidate.fence, why, office, delay=delay)
        return DispatchResult(Dispatched.DEFERRED if mine else Dispatched.NOT_MINE, key)


def dispatch_once(deps: PublishingDeps, key: str | None = None) -> DispatchResult:
    """Dispatch the oldest due publication of ``deps.me``, or the one of work order ``key``."""
    return Dispatcher(deps).once(key)


def record_outcome(deps: PublishingDeps, held: SendClaim, outcome: Outcome) -> Dispatched:
    """Write an outcome into the ledger; while Postgres cannot take it, it stays in memory.

    ``FENCED``: somebody else has resolved the claim; logged, nothing done.
    """
    key, fence = held.work_order_key, held.fence
    try:
        with deps.database.transaction() as connection:
            recorded = _record(connection, deps, held, outcome)
    except DatabaseError as error:
        log.warning("outcome of %s fence %d is kept for later: %s", key, fence, error)
        return Dispatched.UNKNOWN
    deps.in_flight.forget(key, fence)
    if not recorded:
        log.warning("fenced off: %s fence %d was resolved by somebody else", key, fence)
        return Dispatched.FENCED
    return _NAMES[type(outcome)]


def record_unrecorded(deps: PublishingDeps) -> int:
    """Record what the ledger did not learn while Postgres was away; returns how many."""
    unrecorded, unanswered = deps.in_flight.unrecorded(), deps.in_flight.to_withdraw()
    for held, outcome in unrecorded:
        record_outcome(deps, held, outcome)
    withdraw_unanswered(deps)
    return len(unrecorded) + len(unanswered)


def withdraw_unanswered(deps: PublishingDeps) -> None:
    """Take back the claims whose COMMIT was never answered; while Postgres is away they wait."""
    for lost in deps.in_flight.to_withdraw():
        try:
            with deps.database.transaction() as connection:
                control = control_to_write_ready(connection)
                withdraw(connection, lost.work_order_key, lost.fence, lost.claim_id, control)
        except (TransientError, psycopg.OperationalError) as error:
            log.warning(
                "a claim of %s waits to be taken back: %s",
                lost.work_order_key,
                type(error).__name__,
            )
            return
        deps.in_flight.answered(lost)


def _record(
    connection: Connection, deps: PublishingDeps, held: SendClaim, outcome: Outcome
) -> bool:
    key, fence = held.work_order_key, held.fence
    match outcome:
        case PostAccepted(receipt):
            return record_accepted(connection, key, fence, receipt)
        case PostNotSent(why, retry_after, withdrawn):
            control = control_to_write_ready(connection)
            delay = 0.0 if withdrawn else deps.backoff_seconds(held.attempts, retry_after)
            return record_not_sent(
                connection, key, fence, why, control, delay=delay, refund=withdrawn
            )
        case PostUnknown(why):
            return record_unknown(connection, key, fence, why)


def _sentence(reasons: Sequence[Reason]) -> str:
    return "refused at the last look: " + "; ".join(f"{r.rule} {r.detail}" for r in reasons)
