"""What the stage *publish* asks for: hand an approved draft to the ledger, and try to dispatch it.

Payload, row and the check of every PASS are one transaction, and it holds only while the run still
holds the work order. The dispatch that follows is a courtesy: whatever becomes of it, the row is
there and a later tick moves it on. It never waits for the draft to appear.

Of two mails of one customer that were judged at the same time, both pass policy; the one that comes
here second finds the first and goes to a person instead (ES-04).
"""

import logging
from collections.abc import Callable
from datetime import datetime

from swarm.clock import utc_now
from swarm.errors import RefusedError, TransientError
from swarm.models import Draft, Fence, PolicyDecision, Reason, Stage, WorkOrderState
from swarm.publishing.control import PublisherName, control_to_write_ready
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.dispatcher import dispatch_once, record_unrecorded
from swarm.publishing.dispatch.settling import WORK_ORDER_STATE, settle_work_order
from swarm.publishing.ledger.claim import publication_state
from swarm.publishing.ledger.enqueue import LedgerRow, enqueue
from swarm.publishing.ledger.payload import StoredPayload, build_payload
from swarm.store.artifacts import noun_of
from swarm.store.contacts import drafted_meanwhile
from swarm.store.database import Connection
from swarm.store.postgres_events import lock
from swarm.store.postgres_transitions import close_work_order
from swarm.store.protocol import RunStore

_DRAFTED_MEANWHILE = Reason(
    rule="ES-04",
    detail="another mail of this customer or conversation got its draft while this one was judged",
)

log = logging.getLogger(__name__)


class LedgerPublisher:
    """``swarm.store.protocol.Publisher`` on the publication ledger."""

    def __init__(
        self,
        deps: PublishingDeps,
        store: RunStore,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._deps, self._store, self._clock = deps, store, clock

    def hand_over(self, fence: Fence, decision: PolicyDecision) -> WorkOrderState:
        """Store payload and row, close the work order as publishing, and try to dispatch.

        Returns where the work order is by then; running the stage again repeats nothing. Escalated:
        another mail of this customer or conversation got its draft since this one was judged.

        Raises ``RefusedError`` when the decision is against it, a PASS is missing or the work order
        is final (only a person's release opens it again), and ``FencedOutError`` when a newer run
        holds the work order; nothing is stored then.
        """
        payload = self._payload(fence.work_order_key, decision)
        row = self._enqueue(fence, decision, payload)
        if row is None:
            self._store.escalate(fence, (_DRAFTED_MEANWHILE,))
            return self._store.state(fence.work_order_key)
        if self._deps.me is row.publisher:
            self._dispatch(row.work_order_key)
        return self._state(row.work_order_key)

    def _payload(self, key: str, decision: PolicyDecision) -> StoredPayload:
        draft = self._draft(key)
        if not decision.publishable:
            raise RefusedError("policy decided against publishing", work_order=key)
        if draft.content_sha256 != decision.draft_sha256:
            raise RefusedError("the decision is about another draft", work_order=key)
        release = self._store.release(key)
        note = release.note if release else ""
        order = self._store.work_order(key)
        return build_payload(order, draft, at=self._clock(), review_note=note)

    def _draft(self, key: str) -> Draft:
        artifact = self._store.artifact(key, Stage.DRAFT)
        if artifact is None:
            raise RefusedError("there is no draft to publish", work_order=key)
        return noun_of(artifact, Draft)

    def _enqueue(
        self, fence: Fence, decision: PolicyDecision, payload: StoredPayload
    ) -> LedgerRow | None:
        """Store everything, or, when another mail of the customer came first, nothing: None."""
        order = self._store.work_order(fence.work_order_key)
        release = self._store.release(fence.work_order_key)
        taken_on = release is not None and _DRAFTED_MEANWHILE.rule in release.waived
        with self._deps.database.transaction() as connection:
            control_to_write_ready(connection)  # first of all locks, as everywhere
            if drafted_meanwhile(connection, order) and not taken_on:
                return None
            row = enqueue(
                connection,
                PublisherName.SWARM,
                payload,
                evidence_sha256=decision.evidence_sha256,
                ruleset=decision.ruleset,
                required_rules=self._deps.required_rules,
            )
            # After the ledger's row, because settling locks in this order too.
            key, why = fence.work_order_key, f"handed to the ledger for {row.publisher}"
            closed = close_work_order(connection, fence, WorkOrderState.PUBLISHING, why)
            if not closed:  # a rerun of what is final: all of this transaction is taken back
                _refuse_final(connection, key)
            if row.state in WORK_ORDER_STATE:  # a rerun, and the ledger was quicker
                settle_work_order(connection, key, WORK_ORDER_STATE[row.state], why)
        return row

    def _dispatch(self, key: str) -> None:
        try:
            record_unrecorded(self._deps)
            dispatch_once(self._deps, key)
        except TransientError as error:
            log.warning("publication of %s waits for the next tick: %s", key, error.message)

    def _state(self, key: str) -> WorkOrderState:
        with self._deps.database.transaction() as connection:
            state = publication_state(connection, key)
        return (
            WorkOrderState.PUBLISHING
            if state is None
            else WORK_ORDER_STATE.get(state, WorkOrderState.PUBLISHING)
        )


def _refuse_final(connection: Connection, key: str) -> None:
    """Raise ``RefusedError``, unless the work order was published: then there is nothing to do."""
    state = lock(connection, key).state
    if state is not WorkOrderState.PUBLISHED:
        raise RefusedError(
            f"final: {state}; a rerun publishes nothing",
            work_order=key,
            hint=f"`swarm release {key} --actor NAME --reason WHY` opens it again",
        )
