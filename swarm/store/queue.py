"""``swarm_jobs``: who works on which work order, and what happens when that goes wrong.

A job is *queued* until due, *requested* once Dagster was asked for a run (``run_key`` is
``key:attempt``), *running* while a run holds its lease, then *done* or *dead*. Every move is a
compare-and-set that can say "not me". This mechanism alone retries; Dagster's own retries are off
for these runs.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from swarm.models import Fence, Noun


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    REQUESTED = "requested"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Job(Noun):
    """One row of ``swarm_jobs`` as people and programs see it. Times are UTC."""

    work_order_key: str
    state: JobState
    attempt: int
    failures: int
    token: int
    run_id: str | None = None
    stage: str | None = None
    not_before: datetime
    requested_at: datetime | None = None
    lease_until: datetime | None = None
    heartbeat_at: datetime | None = None
    last_error: str = ""
    waiting_since: datetime | None = None
    """Since when it waits for the model; None: it does not."""
    dead_reason: str = ""


class RunRequested(Noun):
    """A run Dagster should have: partition and run key follow from it."""

    work_order_key: str
    attempt: int

    @property
    def run_key(self) -> str:
        """Never repeats for a new drive; a used run_key suppresses a run for ever in Dagster."""
        return f"{self.work_order_key}:{self.attempt}"


class JobQueue(Protocol):
    """The queue as its users see it: ``PostgresQueue`` and ``MemoryQueue`` behind one contract."""

    def enqueue(self, key: str) -> bool:
        """Add a job for an accepted work order; False when it has one already."""
        ...

    def request_due(self, limit: int) -> Sequence[RunRequested]:
        """Move due jobs to requested, attempt + 1, oldest first; at most ``limit``.

        Also repeats, unchanged, requests younger than the request time-out that no run has opened
        yet: a lost tick is made good by the next one, and the run_key keeps it from running twice.
        """
        ...

    def open(self, key: str, run_id: str, attempt: int | None) -> Fence:
        """Give this run the work order; idempotent for the same run.

        ``attempt`` None is a run started by a person in the UI. Raises ``FencedOutError`` when
        another run holds a live lease, or when ``attempt`` is not the one last requested.
        """
        ...

    def heartbeat(self, fence: Fence) -> bool:
        """Extend the lease; False when the fence is void ("not me": stop working)."""
        ...

    def fail(self, fence: Fence, error: str, *, retryable: bool) -> JobState:
        """End the run as failed: queued after back-off with jitter, or dead with its reason."""
        ...

    def put_off(self, fence: Fence, why: str, *, at_least: float = 0.0) -> JobState:
        """End a run for which the model had no answer: queued for later, no failure counted."""
        ...

    def give_back(self, fence: Fence) -> JobState:
        """End a person's run that did not close the work order: due at once, no failure counted."""
        ...

    def renew(self, requests: Sequence[RunRequested]) -> int:
        """Note that these requests still wait in Dagster's own queue: busy is not lost.

        Returns how many stand as requested with that attempt; others are left alone.
        """
        ...

    def reap(self) -> Sequence[Job]:
        """Take back jobs whose lease ran out or whose request was lost; void their fences.

        Returns them as they were before, so that the caller can end the runs that hold slots.
        """
        ...

    def dead(self) -> Sequence[Job]:
        """Return the dead letters, oldest first."""
        ...

    def replay(self, key: str) -> bool:
        """Queue a dead job again with a fresh failure budget, history kept. False: not dead."""
        ...
