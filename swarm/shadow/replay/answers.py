"""The model's answers in a replay: those on record by the hash of what was asked, and no more.

A question that nobody asked before costs a call. It is made only within the budget of the process;
else the work order is not replayable, which is no judgement about it.
"""

from collections.abc import Iterable

from swarm.errors import SwarmError
from swarm.models import ModelCall
from swarm.store.memory import MemoryStore
from swarm.store.memory_models import MemoryModelLedger

WOULD_COST = "would cost a call"


class WouldCostError(SwarmError):
    """A judgement would cost a model call that nobody allowed. Neither transient nor permanent, so
    that no layer takes it for a judgement that could not be had.
    """


class RecordedAnswers(MemoryModelLedger):
    """``ModelLedger`` of a replaying process."""

    def __init__(self, budget: float) -> None:
        super().__init__()
        self.paid: list[ModelCall] = []
        self._budget = budget
        self._spent = 0.0
        self._recorded: dict[tuple[str, str, str], ModelCall] = {}

    @property
    def spent(self) -> float:
        """What new calls of this process cost so far."""
        return self._spent

    def know(self, calls: Iterable[ModelCall]) -> None:
        """Forget the work orders before, and know these answers."""
        with self.lock:
            self._calls.clear()
            self.paid.clear()
            self._recorded = {
                (call.work_order_key, call.purpose, call.request_sha256): call for call in calls
            }

    def model_call(self, key: str, purpose: str, request_sha256: str) -> ModelCall | None:
        """Return an answer on record; raises ``WouldCostError`` where none is and none is paid."""
        with self.lock:
            used = super().model_call(key, purpose, request_sha256)
            if used is not None:
                return used
            known = self._recorded.get((key, purpose, request_sha256))
            if known is not None:
                return super().record_model_call(known)
            if self._spent >= self._budget:
                raise WouldCostError(WOULD_COST, work_order=key)
            return None

    def record_model_call(self, call: ModelCall) -> ModelCall:
        """Keep a new call, and what it cost."""
        with self.lock:
            self._spent += call.cost
            self.paid.append(call)
            return super().record_model_call(call)


class ReplayStore(MemoryStore):
    """The store of one work order that is replayed; what its thinking costs, the answers know."""

    def __init__(self, known: RecordedAnswers) -> None:
        super().__init__()
        self._known = known

    def model_cost(self, key: str) -> float:
        """Return what the answers used for this work order cost, now or then."""
        return self._known.model_cost(key)
