"""The posts of this process: which are in flight, and which ended without reaching the ledger.

The reaper ends other processes to prove that no byte will follow; this process knows it of itself.
An outcome that could not be recorded (Postgres was away) is kept and recorded later, and so is a
claim whose COMMIT was never answered: it may stand, and only this process knows that it sent
nothing. Thread-safe,
and empty again in a forked child, which owns no claim of its parent.
"""

import os
import threading
from dataclasses import dataclass
from uuid import UUID

from swarm.clients.protocol import HookReceipt
from swarm.publishing.ledger.claim import SendClaim


@dataclass(frozen=True, slots=True)
class PostAccepted:
    """The hook answered success."""

    receipt: HookReceipt


@dataclass(frozen=True, slots=True)
class PostNotSent:
    """Proven: nothing was taken. ``withdrawn``: held back by ourselves, costs no attempt."""

    why: str
    retry_after: float = 0.0
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class PostUnknown:
    """It may have been taken."""

    why: str


Outcome = PostAccepted | PostNotSent | PostUnknown


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """A claim this process asked for and may hold: the answer to its COMMIT never came."""

    work_order_key: str
    fence: int
    claim_id: UUID


class InFlight:
    """Claims of this process between their intent and their record."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._posting: set[tuple[str, int]] = set()
        self._unrecorded: dict[tuple[str, int], tuple[SendClaim, Outcome]] = {}
        self._unanswered: set[LostAnswer] = set()

    def begin(self, key: str, fence: int) -> None:
        """Note that this process is about to hold claim ``fence`` of ``key``."""
        with self._mine():
            self._posting.add((key, fence))

    def end(self, claim: SendClaim, outcome: Outcome) -> None:
        """Note the outcome; from now on no byte of this claim leaves this process."""
        with self._mine():
            self._posting.discard((claim.work_order_key, claim.fence))
            self._unrecorded[claim.work_order_key, claim.fence] = (claim, outcome)

    def forget(self, key: str, fence: int) -> None:
        """The ledger knows the outcome, or the claim was never won."""
        with self._mine():
            self._posting.discard((key, fence))
            self._unrecorded.pop((key, fence), None)

    def unanswered(self, lost: LostAnswer) -> None:
        """Note a claim that may stand although nothing was sent, and never will be."""
        with self._mine():
            self._posting.discard((lost.work_order_key, lost.fence))
            self._unanswered.add(lost)

    def answered(self, lost: LostAnswer) -> None:
        """The ledger has said what became of the claim."""
        with self._mine():
            self._unanswered.discard(lost)

    def to_withdraw(self) -> tuple[LostAnswer, ...]:
        """Return the claims that may stand and must be taken back."""
        with self._mine():
            return tuple(self._unanswered)

    def posting(self, key: str, fence: int) -> bool:
        """Whether a thread of this process may still post for this claim."""
        with self._mine():
            return (key, fence) in self._posting

    def unrecorded(self) -> tuple[tuple[SendClaim, Outcome], ...]:
        """Return the outcomes the ledger does not know yet."""
        with self._mine():
            return tuple(self._unrecorded.values())

    def _mine(self) -> threading.Lock:
        if self._pid != os.getpid():
            self._lock, self._pid = threading.Lock(), os.getpid()
            self._posting, self._unrecorded, self._unanswered = set(), {}, set()
        return self._lock


OF_THIS_PROCESS = InFlight()
"""Shared by every publisher of the process: what one thread sends, the others must know."""
