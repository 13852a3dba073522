"""Claim: who may write the durable intent to post, and whether a claim is still held.

A claim re-reads, in its own transaction, everything that gives the right to publish: the switch,
the row, the bytes, and a PASS of every required rule for exactly these bytes (ES-16, ES-18). It
grows the fence under the row lock, so there is at most one holder of the current fence (proof I2).
No HTTP in here. What lives elsewhere: the write itself (``transitions``), the questions that need
the mailbox (``dispatch.preflight``).
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from pydantic import AwareDatetime, ValidationError

from swarm.models import Noun, canonical_sha256
from swarm.process_identity import ProcessIdentity
from swarm.publishing.control import PublisherName, control_to_write_ready, read_control
from swarm.publishing.ledger.passes import missing_passes
from swarm.publishing.ledger.payload import StoredPayload, draft_sha256
from swarm.publishing.ledger.states import LedgerState
from swarm.publishing.ledger.transitions import begin_sending
from swarm.store.database import Connection
from swarm.store.releases import waived_of

_MISSING = missing_passes(
    key="l.work_order_key",
    required="%(required)s",
    ruleset="p.ruleset",
    draft_sha256="p.draft_sha256",
    evidence_sha256="p.evidence_sha256",
)

# A row of mine that is due, with its payload and every PASS, with none of the rulings against it,
# and made in the world this database lives in: what a sandbox left behind reaches no customer. The
# swarm's own work order must not be final, and what was stored before its last release was not
# released. Today's publisher is bound by neither: it judges for itself.
_CLAIMABLE = f"""
SELECT l.work_order_key, l.publisher, l.fence, l.epoch, l.attempts,
       least(l.created_at, l.intent_at) AS created_at,
       p.body, p.sha256 AS payload_sha256, p.draft_sha256, p.evidence_sha256, p.ruleset
  FROM publication_ledger l
  JOIN publication_payload p
    ON p.work_order_key = l.work_order_key AND p.publisher = l.publisher
   AND p.sha256 = l.payload_sha256
 WHERE l.state = 'READY' AND l.publisher = %(me)s
   AND (l.not_before IS NULL OR l.not_before <= clock_timestamp())
   AND l.attempts < %(max_attempts)s AND NOT l.ever_uncertain
   AND (%(key)s::text IS NULL OR l.work_order_key = %(key)s)
   AND (%(payload_sha256)s::text IS NULL OR p.sha256 = %(payload_sha256)s)
   AND cardinality(%(required)s::text[]) > 0
   AND NOT EXISTS ({_MISSING})
   AND p.world = swarm.current_world()
   AND NOT EXISTS (SELECT 1 FROM work_orders w
                    WHERE w.key = l.work_order_key AND w.world <> swarm.current_world())
   AND NOT EXISTS (
        SELECT 1 FROM verdicts v
         WHERE v.version = p.ruleset AND v.ruling <> 'pass'
           AND v.rule <> ALL ({waived_of("l.work_order_key")})
           AND v.draft_sha256 = p.draft_sha256 AND v.evidence_sha256 = p.evidence_sha256)
   AND (l.publisher <> 'swarm' OR NOT EXISTS (
        SELECT 1 FROM work_orders w WHERE w.key = l.work_order_key AND w.final_at IS NOT NULL))
   AND (l.publisher <> 'swarm' OR NOT EXISTS (
        SELECT 1 FROM releases r WHERE r.work_order_key = l.work_order_key AND r.at > p.at))
 ORDER BY l.created_at, l.work_order_key
 LIMIT 1
"""

_LOCKED = " FOR UPDATE OF l SKIP LOCKED"

_STILL_MINE = """
SELECT state = 'SENDING' AND fence = %(fence)s AS held, epoch
  FROM publication_ledger WHERE work_order_key = %(key)s
"""


class ClaimCandidate(Noun):
    """A publication that is due, as it was read; nothing is reserved yet."""

    work_order_key: str
    publisher: PublisherName
    fence: int
    epoch: int = 0
    attempts: int
    created_at: AwareDatetime
    payload: StoredPayload
    payload_sha256: str
    draft_sha256: str
    evidence_sha256: str
    ruleset: str


class SendClaim(Noun):
    """The right to one POST: void as soon as the row's state or fence is another."""

    work_order_key: str
    publisher: PublisherName
    fence: int
    epoch: int
    attempts: int
    intent_at: AwareDatetime
    payload: StoredPayload


class TamperedPayload(Noun):
    """A payload whose bytes are not the ones that were approved."""

    work_order_key: str
    publisher: PublisherName
    fence: int
    epoch: int
    detail: str


def next_candidate(
    connection: Connection,
    me: PublisherName,
    *,
    required_rules: Sequence[str],
    max_attempts: int,
    key: str | None = None,
) -> ClaimCandidate | TamperedPayload | None:
    """Return the oldest publication of ``me`` that is due (or the one named), reserving nothing."""
    if read_control(connection).active is not me:
        return None
    filters = _filters(me, required_rules, max_attempts, key, None)
    row = connection.execute(_CLAIMABLE, filters).fetchone()
    if row is None:
        return None
    problem = _problem(row["body"], row["payload_sha256"], row["draft_sha256"])
    if problem is not None:
        return TamperedPayload(
            work_order_key=row["work_order_key"],
            publisher=row["publisher"],
            fence=row["fence"],
            epoch=row["epoch"],
            detail=problem,
        )
    return ClaimCandidate.model_validate({"payload": row.pop("body"), **row})


def claim(
    connection: Connection,
    candidate: ClaimCandidate,
    owner: ProcessIdentity,
    *,
    required_rules: Sequence[str],
    max_attempts: int,
    permitted: Callable[[Connection], bool],
    claim_id: UUID | None = None,
) -> SendClaim | None:
    """Write the intent to post exactly the candidate's bytes; None: not mine (any more).

    The transaction must commit before any byte leaves. ``claim_id`` names this very claim.
    """
    control = control_to_write_ready(connection)
    if control.active is not candidate.publisher or not permitted(connection):
        return None
    key, fence = candidate.work_order_key, candidate.fence
    filters = _filters(
        candidate.publisher, required_rules, max_attempts, key, candidate.payload_sha256
    )
    row = connection.execute(_CLAIMABLE + _LOCKED, filters).fetchone()
    if row is None or row["fence"] != fence:
        return None
    claimed = begin_sending(
        connection,
        key,
        fence,
        epoch=control.epoch,
        owner=owner.model_dump(),
        claim_id=claim_id,
    )
    return None if claimed is None else SendClaim(payload=candidate.payload, **claimed)


def still_mine(connection: Connection, claim: SendClaim) -> bool | None:
    """Ask just before the POST. True: go. None: a flip came between. False: fenced off."""
    row = connection.execute(
        _STILL_MINE, {"key": claim.work_order_key, "fence": claim.fence}
    ).fetchone()
    if row is None or not row["held"]:
        return False
    return True if read_control(connection).epoch == claim.epoch else None


def publication_state(connection: Connection, key: str) -> LedgerState | None:
    """Return where a work order's publication stands; None when it has none."""
    row = connection.execute(
        "SELECT state FROM publication_ledger WHERE work_order_key = %s", (key,)
    ).fetchone()
    return None if row is None else LedgerState(row["state"])


def _filters(
    me: PublisherName,
    required_rules: Sequence[str],
    max_attempts: int,
    key: str | None,
    payload_sha256: str | None,
) -> dict[str, object]:
    return {
        "me": me,
        "required": list(required_rules),
        "max_attempts": max_attempts,
        "key": key,
        "payload_sha256": payload_sha256,
    }


def _problem(body: dict[str, str], payload_sha256: str, draft: str) -> str | None:
    """Say how the stored bytes differ from the approved ones (ES-17); None when they do not."""
    if canonical_sha256(body) != payload_sha256:
        return "the stored payload is not the one that was enqueued"
    try:
        payload = StoredPayload.model_validate(body)
    except ValidationError:
        return "the stored payload is not of a form we know"
    return None if draft_sha256(payload) == draft else "the stored payload is not the judged draft"
