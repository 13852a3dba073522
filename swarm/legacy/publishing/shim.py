"""Today's sender behind the shared ledger: the same tables, the same claim, the same payload.

What it stores as verdict is written down here, because the claim's join must not change what legacy
publishes today: one PASS of the rule LEGACY-POLICY for the draft's bytes, under legacy's policy
version, with the hash of the outbox line as evidence, whenever legacy's own policy gave no reason
against the draft. Nothing of the new path's rules is asked. The one thing added to the draft is its
reference line, without which nobody could find it again in the mailbox.

Legacy not in office: the payload is stored, so that a rollback finds it, and nothing is posted.
Legacy's policy refuses: a row that waits for legacy's payload is held for a person. What lives
elsewhere: going on without Postgres (``lease``), reading the outbox
(``swarm.legacy.publish_sender``).
"""

import html
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum

import psycopg
from psycopg.types.json import Jsonb
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from swarm.clients.protocol import DraftHook
from swarm.errors import PermanentError
from swarm.intake.stream.keys import work_order_key
from swarm.models import Address, Draft, MessageRef, WorkOrderState
from swarm.publishing.control import PublisherName, control_to_write_ready
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.ledger import endings
from swarm.publishing.ledger.enqueue import LedgerRow, enqueue
from swarm.publishing.ledger.marker import draft_marker
from swarm.publishing.ledger.payload import StoredPayload, assemble, draft_sha256
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.switch.lease import unreleased
from swarm.settings import PublishingSettings
from swarm.store.alerts import raise_growing
from swarm.store.database import Connection, Database
from swarm.store.database_errors import translate

RULE = "LEGACY-POLICY"

# Stands in for a missing date, so that a repeated line makes the same bytes.
_UNDATED = datetime(1970, 1, 1, tzinfo=UTC)

_STORE_VERDICT = """
INSERT INTO verdicts
       (rule, version, draft_sha256, evidence_sha256, ruling, reasons, decided_by, work_order_key)
VALUES (%(rule)s, %(version)s, %(draft_sha256)s, %(evidence_sha256)s, 'pass', %(reasons)s,
        'legacy policy', %(key)s)
ON CONFLICT DO NOTHING
"""

_WAITING_FOR_LEGACY = """
SELECT fence FROM publication_ledger
 WHERE work_order_key = %s AND publisher = 'legacy' AND state = 'PENDING_PAYLOAD' FOR UPDATE
"""


class OutboxItem(BaseModel):
    """One line of legacy's outbox: what its stages decided about one work order."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    schema_version: str
    work_order_id: str = Field(alias="id")
    decision: str
    reasons: tuple[str, ...] = ()
    recipient: str = Field(default="", alias="to")
    subject: str = ""
    body_text: str = ""
    mailbox: str | None = None
    message_id: str | None = None
    internet_message_id: str | None = None
    conversation_id: str | None = None
    received_at: AwareDatetime | None = None
    line_sha256: str = ""

    @property
    def refused(self) -> bool:
        """Whether legacy's own policy decided against a draft."""
        return self.decision != "draft" or bool(self.reasons)

    @property
    def policy_version(self) -> str:
        """Under which version legacy's verdict is stored."""
        return f"legacy-{self.schema_version}"


class Handled(StrEnum):
    """What became of an outbox line."""

    ENQUEUED = "enqueued"
    DECLINED = "declined"
    IGNORED = "ignored"


def key_of(secret: str, item: OutboxItem) -> str:
    """Return the opaque key: both publishers must name a work order alike."""
    return work_order_key(secret, item.work_order_id)


def payload_of(key: str, item: OutboxItem) -> StoredPayload:
    """Build payload v1 from legacy's text; raises as ``payload.assemble`` does."""
    marker = draft_marker(key)
    text = item.body_text if marker in item.body_text else f"{item.body_text.rstrip()}\n\n{marker}"
    draft = Draft(
        subject=item.subject,
        body_text=text,
        body_html="".join(f"<p>{_escaped(part)}</p>" for part in text.split("\n\n")),
        to=(Address(address=item.recipient),),
        author="legacy",
    )
    ref = MessageRef(
        mailbox=item.mailbox or "",
        message_id=item.message_id,
        internet_message_id=item.internet_message_id,
        conversation_id=item.conversation_id,
    )
    return assemble(key, item.work_order_id, ref, draft, at=item.received_at or _UNDATED)


def hand_over(connection: Connection, key: str, item: OutboxItem) -> Handled:
    """Bring an outbox line into the ledger; repeating it changes nothing."""
    if item.refused:
        return Handled.DECLINED if decline(connection, key, item) else Handled.IGNORED
    store_payload(connection, key, item)
    return Handled.ENQUEUED


def try_hand_over(connection: Connection, key: str, item: OutboxItem) -> bool:
    """Bring a line into the ledger; one that cannot be published is alerted, the next goes on."""
    try:
        with connection.transaction():
            hand_over(connection, key, item)
    except PermanentError as error:
        why = error.message
    # A value of this line that no column takes (NUL, a year beyond the calendar): it never will.
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        why = translate(error).message
    else:
        return True
    raise_growing(connection, endings.STUCK, key, f"legacy's outbox line: {why}")
    return False


def store_payload(connection: Connection, key: str, item: OutboxItem) -> LedgerRow:
    """Store legacy's verdict and payload, and make sure of the work order's row."""
    control_to_write_ready(connection)
    payload = payload_of(key, item)
    verdict = {
        "rule": RULE,
        "version": item.policy_version,
        "draft_sha256": draft_sha256(payload),
        "evidence_sha256": item.line_sha256,
        "reasons": Jsonb([]),
        "key": key,
    }
    connection.execute(_STORE_VERDICT, verdict)
    return enqueue(
        connection,
        PublisherName.LEGACY,
        payload,
        evidence_sha256=item.line_sha256,
        ruleset=item.policy_version,
        required_rules=(RULE,),
    )


def decline(connection: Connection, key: str, item: OutboxItem) -> bool:
    """Legacy in office decided against a draft: a row waiting for its payload is held."""
    control_to_write_ready(connection)
    row = connection.execute(_WAITING_FOR_LEGACY, (key,)).fetchone()
    if row is None:
        return False
    why = f"legacy's policy refuses a draft: {', '.join(item.reasons)}"
    pending = [LedgerState.PENDING_PAYLOAD]
    return endings.hold(connection, key, row["fence"], why, leave_to_sweep, states=pending)


def legacy_publisher(
    database: Database,
    hook: DraftHook,
    timings: PublishingSettings,
    holder: str,
    *,
    at_home: Callable[[Connection], bool],
) -> PublishingDeps:
    """Return the means of the publisher ``legacy``: no rules of ours, no look, nothing settled.

    Reaping, reconciling and settling are done by the publishing rounds (``dispatch.round``).
    """
    return PublishingDeps(
        database=database,
        hook=hook,
        outlook=None,
        me=PublisherName.LEGACY,
        required_rules=(RULE,),
        preflight=lambda _candidate: (),
        settle=leave_to_sweep,
        timings=timings,
        permitted=lambda connection: no_other_holds_the_lease(connection, holder),
        at_home=at_home,
    )


def no_other_holds_the_lease(connection: Connection, holder: str) -> bool:
    """Whether ``holder`` may claim: no other sender publishes under a lease of its own."""
    held = unreleased(connection)
    return held is None or held.holder == holder


def leave_to_sweep(
    _connection: Connection, _key: str, _state: WorkOrderState, _reason: str
) -> bool:
    """Legacy does not load the new path's store; ``settling.settle_left_behind`` makes it good."""
    return False


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace("\n", "<br>")
