"""A run session: a run's hold on its work order, opened once, kept alive, given back at the end.

What lives here: the fence of a run, its heartbeat, and the one place where a failure of a stage
becomes a decision of the queue. Plain Python: whoever schedules runs (Dagster, in
``swarm_assets.resources.run_session``) translates ``StageFailedError`` into its own words. What
does not live here: the queue's rules (``swarm.store.queue``), the stages.
"""

import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from swarm.errors import (
    DatabaseError,
    FencedOutError,
    ModelUnavailableError,
    PermanentError,
    SwarmError,
    TransientError,
)
from swarm.models import Fence, Noun, Reason, Stage
from swarm.stages.services import Services
from swarm.stages.stage_events import StageRecorder, Stopwatch, Worked
from swarm.store.protocol import Publisher
from swarm.store.queue import JobQueue

_HEARTBEAT_THREAD = "swarm-heartbeat"

Model = TypeVar("Model", bound=Noun)


class StageFailedError(Exception):
    """A stage ended without its output, and the queue has decided what follows.

    ``sentence`` is ours and never quotes a mail; ``where`` names file, line and function of each
    frame, no values. The cause is not chained: a foreign message may quote a mail.
    """

    def __init__(self, sentence: str, where: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.where = where


class RunSession:
    """What the stages of one run work with.

    ``attempt`` is the queue's attempt this run was requested for; None when a person started it.
    """

    def __init__(
        self,
        services: Services,
        queue: JobQueue,
        publisher: Publisher,
        *,
        run_id: str,
        attempt: int | None,
        heartbeat_seconds: float,
    ) -> None:
        self.services = services
        self.queue = queue
        self.publisher = publisher
        self._run_id = run_id
        self._attempt = attempt
        self._heartbeat_seconds = heartbeat_seconds
        self._fence: Fence | None = None
        self._recorder: StageRecorder | None = None
        self._lost = False
        self._stop = threading.Event()
        self._beating = threading.Thread(target=self._beat, name=_HEARTBEAT_THREAD, daemon=True)
        self._settled = False

    def fence(self, key: str) -> Fence:
        """Open the work order on the first call; the same fence afterwards.

        Raises ``FencedOutError`` when another run holds it, or took it since.
        """
        return self._open(key).fence

    def read(self, key: str, stage: Stage, kind: type[Model]) -> Model:
        """Return a stage's newest output; raises ``PermanentError`` when there is none."""
        return self._open(key).read(stage, kind)

    def record(self, key: str, stage: Stage, worked: Worked[Model]) -> Model:
        """Store a stage's output with its event; raises ``FencedOutError``."""
        return self._open(key).record(stage, worked)

    def spent(self, key: str) -> float:
        """Return what model calls cost since the run began or last asked (ES-25)."""
        return self._open(key).spent()

    def escalate(self, key: str, reasons: Sequence[Reason]) -> None:
        """Close the work order as escalated because a rule was violated."""
        self.services.store.escalate(self.fence(key), reasons)
        self._settled = True

    def settled(self) -> None:
        """Note that the work order was closed or handed to the publication ledger."""
        self._settled = True

    @contextmanager
    def stage(self) -> Iterator[Stopwatch]:
        """Turn a failure inside into the queue's decision and a ``StageFailedError``.

        A ``FencedOutError`` leaves no trace in our tables: a newer run owns the work order.
        """
        try:
            yield Stopwatch()
        except FencedOutError as error:
            self._settled = True
            raise _failed(str(error), error) from None
        except ModelUnavailableError as error:
            self._put_off(error)
            raise _failed(str(error), error) from None
        # A missing right or table is nothing this work order did; its attempts are bounded.
        except (TransientError, DatabaseError) as error:
            self._fail(str(error), retryable=True)
            raise _failed(str(error), error) from None
        except PermanentError as error:
            self._fail(str(error), retryable=False)
            raise _failed(str(error), error) from None
        # A bug of ours or a library's: the work order must not hang on it until its lease runs out.
        except Exception as error:  # noqa: BLE001
            sentence = "a fault of this program stopped the run"
            self._fail(sentence, retryable=True)
            raise _failed(sentence, error) from None

    def leave(self) -> None:
        """End the run's hold; a work order that was not closed goes back to the queue.

        That is the case when a run was cancelled, or when a person materialized only some stages;
        what a person began counts as no failure.
        """
        self._stop.set()
        if self._fence is None or self._settled:
            return
        if self._attempt is None:
            self._give_back(self._fence)
        else:
            self._fail("the run ended before the work order was closed", retryable=True)

    def _open(self, key: str) -> StageRecorder:
        if self._fence is None:
            self._fence = self.queue.open(key, self._run_id, self._attempt)
            self._beating.start()
        if self._lost:
            raise FencedOutError("the lease went to a newer run", work_order=key)
        if self._recorder is None:
            self._recorder = StageRecorder(self._fence, self.services)
        return self._recorder

    def _fail(self, sentence: str, *, retryable: bool) -> None:
        if self._fence is None or self._settled:
            return
        self._settled = True
        try:
            self.queue.fail(self._fence, sentence, retryable=retryable)
        except SwarmError:
            # Fenced out meanwhile, or Postgres is away: the lease runs out and the reaper decides.
            return

    def _put_off(self, error: ModelUnavailableError) -> None:
        if self._fence is None or self._settled:
            return
        self._settled = True
        try:
            self.queue.put_off(self._fence, error.message, at_least=error.retry_after)
        except SwarmError:
            return  # as in ``_fail``

    def _give_back(self, fence: Fence) -> None:
        self._settled = True
        try:
            self.queue.give_back(fence)
        except SwarmError:
            return  # as in ``_fail``

    def _beat(self) -> None:
        while not self._stop.wait(self._heartbeat_seconds):
            fence = self._fence
            try:
                self._lost = fence is None or not self.queue.heartbeat(fence)
            except (TransientError, DatabaseError):
                continue  # the lease outlives several beats
            if self._lost:
                return


def _failed(sentence: str, error: Exception) -> StageFailedError:
    frames = traceback.extract_tb(error.__traceback__)
    where = "\n".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    return StageFailedError(sentence, f"{type(error).__name__}\n{where}")
