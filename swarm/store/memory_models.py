"""What is kept of a chat model, in this process's memory: ``model_ledger``'s double.

Stands alone for ``swarm doctor`` and benches, and below ``memory.MemoryStore`` for everything else.
"""

import threading

from pydantic import JsonValue

from swarm.models import ModelCall
from swarm.store.model_ledger import TROUBLES_IN_A_ROW
from swarm.store.protocol import ModelEndpoint


class MemoryModelLedger:
    """``ModelLedger`` in memory; thread-safe."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._calls: dict[tuple[str, str, str], ModelCall] = {}
        self._endpoints: dict[str, ModelEndpoint] = {}

    def model_call(self, key: str, purpose: str, request_sha256: str) -> ModelCall | None:
        """Return a finished model call so that it is not paid again."""
        return self._calls.get((key, purpose, request_sha256))

    def record_model_call(self, call: ModelCall) -> ModelCall:
        """Store a finished model call; the first answer stays."""
        with self.lock:
            name = (call.work_order_key, call.purpose, call.request_sha256)
            return self._calls.setdefault(name, call)

    def model_cost(self, key: str) -> float:
        """Return what the work order's model calls cost so far (ES-25)."""
        return sum(call.cost for call in self.model_calls() if call.work_order_key == key)

    def model_calls(self) -> tuple[ModelCall, ...]:
        """Return every call, oldest first."""
        with self.lock:
            return tuple(self._calls.values())

    def model_endpoints(self) -> tuple[ModelEndpoint, ...]:
        """Return every endpoint something is known of."""
        with self.lock:
            return tuple(self._endpoints.values())

    def model_endpoint(self, name: str) -> ModelEndpoint:
        """Return what is known of the model behind an endpoint."""
        with self.lock:
            return self._endpoints.get(name) or ModelEndpoint(name=name)

    def remember_abilities(self, name: str, abilities: JsonValue) -> None:
        """Keep what the model was found to be able to do."""
        self._change(name, abilities=abilities)

    def model_failed(self, name: str, trouble: str, *, for_good: bool) -> None:
        """Count a call without an answer."""
        with self.lock:
            known = self.model_endpoint(name)
            count = known.troubles + 1
            broken = known.broken or for_good or count >= TROUBLES_IN_A_ROW
            self._change(name, troubles=count, trouble=trouble, broken=broken)

    def model_answered(self, name: str) -> None:
        """Note that the model answers."""
        self._change(name, troubles=0, trouble="", broken=False)

    def waited(self, key: str) -> float:
        """Return 0: nothing waits here."""
        _ = key
        return 0.0

    def _change(self, name: str, **update: object) -> None:
        with self.lock:
            self._endpoints[name] = self.model_endpoint(name).model_copy(update=update)
