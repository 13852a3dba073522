"""The store of a work order that is thought ahead of: reads like a run's, writes model calls only.

The verdicts of its reviewers stand in memory for as long as it is thought about: the reply loop
asks for them twice. What lives elsewhere: what may be written (``PostgresStore``), the answers that
are kept (``PostgresModelLedger``).
"""

import threading
from collections.abc import Sequence
from typing import Final, NoReturn

from swarm.errors import PermanentError
from swarm.models import (
    Event,
    Fence,
    Noun,
    Reason,
    Stage,
    Tier,
    Verdict,
    WorkOrderState,
)
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore

_TIER = "SELECT tier FROM work_orders WHERE key = %s"
_WRITES_NOTHING: Final = "nothing is written ahead of a run"


class AheadStore(PostgresStore):
    """``RunStore`` of one work order, for one drive of its stages. Thread-safe."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, ahead=True)
        self._lock = threading.Lock()
        self._thought: dict[tuple[str, str, str, str], Verdict] = {}

    def raise_tier(self, fence: Fence, tier: Tier) -> Tier:
        """Return the floor the run will find, raised by nobody."""
        row = self._one(_TIER, (fence.work_order_key,))
        return tier if row is None else max(tier, Tier(row["tier"]))

    def record_verdicts(self, key: str, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
        """Remember verdicts until this drive ends; the first of a name stays."""
        with self._lock:
            return tuple(self._thought.setdefault(each.name, each) for each in verdicts)

    def verdicts(self, draft_sha256: str, evidence_sha256: str) -> tuple[Verdict, ...]:
        """Return what stands already and what was thought, about these bytes and this evidence."""
        standing = super().verdicts(draft_sha256, evidence_sha256)
        with self._lock:
            thought = tuple(
                each
                for each in self._thought.values()
                if (each.draft_sha256, each.evidence_sha256) == (draft_sha256, evidence_sha256)
            )
        return (*standing, *thought)

    def write_stage(self, fence: Fence, stage: Stage, artifact: Noun, event: Event) -> NoReturn:
        """Refuse."""
        raise PermanentError(_WRITES_NOTHING, work_order=fence.work_order_key)

    def append_event(self, key: str, event: Event, fence: Fence | None = None) -> NoReturn:
        """Refuse."""
        raise PermanentError(_WRITES_NOTHING, work_order=key)

    def escalate(self, fence: Fence, reasons: Sequence[Reason]) -> NoReturn:
        """Refuse."""
        raise PermanentError(_WRITES_NOTHING, work_order=fence.work_order_key)

    def decline(self, fence: Fence, reasons: Sequence[Reason]) -> NoReturn:
        """Refuse."""
        raise PermanentError(_WRITES_NOTHING, work_order=fence.work_order_key)

    def close(self, fence: Fence, state: WorkOrderState, reason: str) -> NoReturn:
        """Refuse."""
        raise PermanentError(_WRITES_NOTHING, work_order=fence.work_order_key)
