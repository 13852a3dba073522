"""Where the intake's files lie below SWARM_HOME."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class IntakeFiles:
    """The two streams of the intake, what was left out, and the readers' state."""

    home: Path

    @property
    def events(self) -> Path:
        """One line per mail seen."""
        return self.home / "intake" / "events.jsonl"

    @property
    def work_orders(self) -> Path:
        """One line per mail that needs an answer: what the pipeline reads."""
        return self.home / "intake" / "work_orders.jsonl"

    @property
    def ignored(self) -> Path:
        """One line per mail that needs none, with the reason."""
        return self.home / "intake" / "ignored.jsonl"

    @property
    def service_state(self) -> Path:
        """How far the mailbox was read."""
        return self.home / "intake" / "email_work_order_service.state.json"

    @property
    def processor_state(self) -> Path:
        """How far the events were read."""
        return self.home / "intake" / "intake_stream_processor.state.json"
