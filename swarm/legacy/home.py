"""Where today's programs keep their files below SWARM_HOME."""

from dataclasses import dataclass
from pathlib import Path

from swarm.settings import Settings
from swarm.store.tombstones import TombstoneFile


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
    def tombstones(self) -> Path:
        """What was erased and is never written again."""
        return self.home / "intake" / "tombstones"

    @property
    def service_state(self) -> Path:
        """How far the mailbox was read."""
        return self.home / "intake" / "email_work_order_service.state.json"

    @property
    def processor_state(self) -> Path:
        """How far the events were read."""
        return self.home / "intake" / "intake_stream_processor.state.json"

    @property
    def service_turns(self) -> Path:
        """How many turns of the mailbox reader failed in a row."""
        return self.home / "intake" / "email_work_order_service.turns.json"

    @property
    def processor_turns(self) -> Path:
        """How many turns of the event reader failed in a row."""
        return self.home / "intake" / "intake_stream_processor.turns.json"

    @property
    def turns(self) -> dict[str, Path]:
        """Where each program of the intake counts its failed turns."""
        return {
            "email_work_order_service": self.service_turns,
            "intake_stream_processor": self.processor_turns,
        }


@dataclass(frozen=True, slots=True)
class LegacyFiles:
    """What pipeline daemon and publish sender read and write."""

    home: Path

    @property
    def work_orders(self) -> Path:
        """The stream both paths read."""
        return IntakeFiles(self.home).work_orders

    @property
    def outbox(self) -> Path:
        """One line per work order: a draft or an escalation."""
        return self.home / "legacy" / "outbox.jsonl"

    @property
    def pipeline_state(self) -> Path:
        """How far the work orders were read."""
        return self.home / "legacy" / "pipeline_daemon.state.json"

    @property
    def pipeline_heartbeat(self) -> Path:
        """When the pipeline daemon last finished a turn, and how far it lags."""
        return self.home / "legacy" / "pipeline_daemon.heartbeat.json"

    @property
    def sender_state(self) -> Path:
        """How far the outbox was read."""
        return self.home / "legacy" / "publish_sender.state.json"

    @property
    def sender_heartbeat(self) -> Path:
        """When the sender last finished a turn, and how far it lags."""
        return self.home / "legacy" / "publish_sender.heartbeat.json"


def tombstones_of(settings: Settings) -> TombstoneFile:
    """Return what today's programs must not write again."""
    secret = settings.core.swarm_key_secret.get_secret_value()
    return TombstoneFile(IntakeFiles(settings.core.swarm_home).tombstones, secret)
