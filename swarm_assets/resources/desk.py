"""A run's hold on its work order: opened once, kept alive by a heartbeat, given back at the end.

What lives here: the fence of a run, its heartbeat thread, and the one place where a failure of a
stage becomes a decision of the queue. What does not: the queue's rules (``swarm.store.queue``), the
stages.
"""

import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import dagster as dg
from pydantic import ValidationError

from swarm.errors import (
    FencedOutError,
    MalformedInputError,
    PermanentError,
    SwarmError,
    TransientError,
)
from swarm.models import Fence, Noun, Reason, Stage, StageArtifact, canonical_sha256
from swarm.stages.services import Services
from swarm.store.protocol import Publisher
from swarm.store.queue import JobQueue

_HEARTBEAT_THREAD = "swarm-heartbeat"

Model = TypeVar("Model", bound=Noun)


class Stopwatch:
    """How long a stage took so far."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def milliseconds(self) -> int:
        """Whole milliseconds since the start."""
        return round((time.monotonic() - self._start) * 1000)


class Desk:
    """What the assets of one run work with.

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
        self._lost = False
        self._stop = threading.Event()
        self._beating = threading.Thread(target=self._beat, name=_HEARTBEAT_THREAD, daemon=True)
        self._settled = False
        self._cost = 0.0
        self._known: dict[Stage, Noun] = {}

    def fence(self, key: str) -> Fence:
        """Open the work order on the first call; the same fence afterwards.

        Raises ``FencedOutError`` when another run holds it, or took it since.
        """
        if self._fence is None:
            self._fence = self.queue.open(key, self._run_id, self._attempt)
            self._beating.start()
        if self._lost:
            raise FencedOutError("the lease went to a newer run", work_order=key)
        return self._fence

    def remember(self, stage: Stage, noun: Noun) -> None:
        """Keep what this run itself stored, so that the next stage need not read it back."""
        self._known[stage] = noun

    def known(self, stages: Sequence[Stage]) -> list[Noun]:
        """Return what this run stored or read of these stages."""
        return [self._known[stage] for stage in stages if stage in self._known]

    def read(self, key: str, stage: Stage, kind: type[Model]) -> Model:
        """Return a stage's stored output; raises ``PermanentError`` when there is none."""
        known = self._known.get(stage)
        if isinstance(known, kind):
            return known
        artifact = self.services.store.artifact(key, stage)
        if artifact is None:
            raise PermanentError(
                f"stage {stage} has no stored output",
                work_order=key,
                hint="materialize the upstream stages first, or the whole work order",
            )
        noun = stored_noun(artifact, kind)
        self._known[stage] = noun
        return noun

    def escalate(self, key: str, reasons: Sequence[Reason]) -> None:
        """Close the work order as escalated because a rule was violated."""
        self.services.store.escalate(self.fence(key), reasons)
        self._settled = True

    def settled(self) -> None:
        """Note that the work order was closed or handed to the publication ledger."""
        self._settled = True

    def spent(self, key: str) -> float:
        """Return what model calls cost since the last time this was asked (ES-25)."""
        total = self.services.store.model_cost(key)
        since, self._cost = total - self._cost, total
        return since

    @contextmanager
    def stage(self) -> Iterator[Stopwatch]:
        """Turn a failure inside into the queue's decision and a Dagster failure without retries.

        A ``FencedOutError`` leaves no trace in our tables: a newer run owns the work order. Dagster
        gets the kind and the place of an error, never its chain: a foreign message may quote a
        mail.
        """
        try:
            yield Stopwatch()
        except dg.Failure:
            raise
        except FencedOutError as error:
            self._settled = True
            raise _failure(str(error), error) from None
        except TransientError as error:
            self._fail(str(error), retryable=True)
            raise _failure(str(error), error) from None
        except PermanentError as error:
            self._fail(str(error), retryable=False)
            raise _failure(str(error), error) from None
        # A bug of ours or a library's: the work order must not hang on it until its lease runs out.
        except Exception as error:  # noqa: BLE001
            sentence = f"unexpected {type(error).__name__}"
            self._fail(sentence, retryable=True)
            raise _failure(sentence, error) from None

    def leave(self) -> None:
        """End the run's hold; a work order that was not closed goes back to the queue.

        That is the case when a run was cancelled, or when a person materialized only some stages.
        """
        self._stop.set()
        if self._fence is not None and not self._settled:
            self._fail("the run ended before the work order was closed", retryable=True)

    def _fail(self, sentence: str, *, retryable: bool) -> None:
        if self._fence is None or self._settled:
            return
        self._settled = True
        try:
            self.queue.fail(self._fence, sentence, retryable=retryable)
        except SwarmError:
            # Fenced out meanwhile, or Postgres is away: the lease runs out and the reaper decides.
            return

    def _beat(self) -> None:
        while not self._stop.wait(self._heartbeat_seconds):
            fence = self._fence
            try:
                self._lost = fence is None or not self.queue.heartbeat(fence)
            except TransientError:
                continue  # the lease outlives several beats
            if self._lost:
                return


def stored_noun(artifact: StageArtifact, kind: type[Model]) -> Model:
    """Return a stored output's noun; raises ``MalformedInputError`` if its bytes were changed."""
    where = artifact.work_order_key
    if canonical_sha256(artifact.body) != artifact.sha256:
        raise MalformedInputError(f"stored {artifact.stage} fails its hash", work_order=where)
    try:
        return kind.model_validate(artifact.body)
    except ValidationError:
        # The validator's message quotes its input, which may be mail text.
        raise MalformedInputError(
            f"stored {artifact.stage} is unreadable", work_order=where
        ) from None


def _failure(sentence: str, error: Exception) -> dg.Failure:
    return dg.Failure(sentence, metadata={"where": _place(error)}, allow_retries=False)


def _place(error: Exception) -> str:
    """Return file, line and function of each frame; no source values, no message."""
    frames = traceback.extract_tb(error.__traceback__)
    return "\n".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
