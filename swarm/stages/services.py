"""What a stage may reach: one frozen bundle, handed in by whoever runs the stage."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from swarm.clients.protocol import Monday, Outlook
from swarm.clock import utc_now
from swarm.knowledge import NO_SHELF, Shelf
from swarm.ourselves import Ourselves
from swarm.specialists.protocol import Specialist
from swarm.stages.recorded import Recorded
from swarm.store.protocol import RunStore

if TYPE_CHECKING:  # langgraph costs half a second even here
    from langgraph.checkpoint.base import BaseCheckpointSaver


@dataclass(frozen=True, slots=True)
class Services:
    """Store, sources and the specialist behind the stages.

    ``outlook`` or ``monday`` may be None (``swarm run-once`` without services): the lookups are
    then UNAVAILABLE, never a silent MISS. ``checkpointer`` None: nothing of a graph is kept between
    attempts. ``recorded``: nobody is asked, these facts are judged (a replay)."""

    store: RunStore
    specialist: Specialist
    outlook: Outlook | None
    monday: Monday | None
    mailbox: str
    known_as: Ourselves | None = None
    approved_columns: tuple[str, ...] = ()
    link_allow_list: tuple[str, ...] = ()
    own_contacts: tuple[str, ...] = ()
    approved_recipients: tuple[str, ...] = ()
    signature: str = "Customer Service"
    knowledge: Shelf = NO_SHELF
    model_budget: float = 0.50
    model_patience_seconds: float = 3600.0
    max_revisions: int = 2
    attachment_bytes: int = 5 << 20
    attachments_read: int = 5
    checkpointer: "BaseCheckpointSaver[str] | None" = None
    clock: Callable[[], datetime] = utc_now
    recorded: Recorded | None = None

    @property
    def ourselves(self) -> Ourselves:
        """Who we are; no more than the mailbox when nobody said."""
        return self.known_as or Ourselves(mailbox=self.mailbox)

    @property
    def thinker(self) -> str:
        """Who thinks, with version."""
        return f"{self.specialist.name}@{self.specialist.version}"
