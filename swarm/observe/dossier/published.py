"""What became of a work order's outputs: what was published, and what was looked at afterwards.

The ledger's bytes are what a reader of the mailbox got. A run that a person starts on a work order
that has ended may give another draft; that one was never published, and is shown as what it is.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from swarm.errors import MalformedInputError
from swarm.models import Draft, Noun, Stage, StageArtifact, StoredEvent
from swarm.store.artifacts import noun_of
from swarm.store.database import Connection, Row

# From SENDING on, bytes may have left; what was held before any claim never did.
_PUBLISHED = """
SELECT p.publisher, p.sha256, p.draft_sha256, p.at,
       coalesce(p.body->>'subject', '') AS subject,
       coalesce(p.body->>'body_text', '') AS body_text,
       coalesce(p.body->>'to', '') AS recipients,
       coalesce(p.body->>'review_note', '') AS review_note
  FROM publication_ledger l
  JOIN publication_payload p ON p.work_order_key = l.work_order_key
       AND p.publisher = l.publisher AND p.sha256 = l.payload_sha256
 WHERE l.work_order_key = %s
   AND (l.state IN ('SENDING', 'ACCEPTED', 'UNKNOWN', 'CONFIRMED')
     OR (l.state = 'HELD' AND l.ever_uncertain))
"""

_ARTIFACTS = """
SELECT work_order_key, stage, attempt, run_id, body, sha256, at
  FROM artifacts WHERE work_order_key = %s ORDER BY token
"""

_DECIDED = frozenset(
    f"work_order.{state}"
    for state in ("publishing", "published", "escalated", "declined", "held", "dead")
)
_OPENED = "work_order.accepted"


class PublishedDraft(Noun):
    """The bytes the ledger published, or may have."""

    publisher: str
    sha256: str
    draft_sha256: str
    at: datetime
    subject: str
    body_text: str
    recipients: str
    review_note: str


class Outputs(Noun):
    """The newest output of each stage up to the end of the work order, and those made later."""

    artifacts: Mapping[Stage, StageArtifact]
    looked_at_again: Mapping[Stage, StageArtifact]


def published_draft(connection: Connection, key: str) -> PublishedDraft | None:
    """Return what the ledger published for a work order; None while nothing has left."""
    row: Row | None = connection.execute(_PUBLISHED, (key,)).fetchone()
    return None if row is None else PublishedDraft.model_validate(row)


def outputs(
    connection: Connection,
    key: str,
    events: Iterable[StoredEvent],
    published: PublishedDraft | None,
) -> Outputs:
    """Tell the outputs that led to the end from those of runs that came after it."""
    rows = [StageArtifact.model_validate(row) for row in connection.execute(_ARTIFACTS, (key,))]
    last = _publishing_run(rows, published) or _closing_run(events)
    mine = [at for at, artifact in enumerate(rows) if artifact.run_id == last]
    end = mine[-1] + 1 if mine else len(rows)
    return Outputs(
        artifacts={artifact.stage: artifact for artifact in rows[:end]},
        looked_at_again={artifact.stage: artifact for artifact in rows[end:]},
    )


def _publishing_run(rows: Iterable[StageArtifact], published: PublishedDraft | None) -> str | None:
    """Return the run that made the published draft first; None for today's publisher's bytes."""
    if published is None:
        return None
    drafts = (artifact for artifact in rows if artifact.stage is Stage.DRAFT)
    same = (a.run_id for a in drafts if _content(a) == published.draft_sha256)
    return next(same, None)


def _content(artifact: StageArtifact) -> str | None:
    try:
        return noun_of(artifact, Draft).content_sha256
    except MalformedInputError:
        return None


def _closing_run(events: Iterable[StoredEvent]) -> str | None:
    """Return the run that closed the work order last; None: it is open, or no run closed it."""
    closed: str | None = None
    for event in events:
        if event.kind in _DECIDED:
            closed = closed or event.run_id or None
        elif event.kind == _OPENED:
            closed = None
    return closed
