"""The settings of a house that its stages depend on, without a secret: what services are made of.

One mapping for the workers and for a replay, so that both are the same engine. What lives
elsewhere: the settings (``swarm.settings``), which part of them names an engine (``engine``).
"""

from pathlib import Path

from swarm.clients.protocol import Monday, Outlook
from swarm.knowledge import Shelf
from swarm.models import Noun
from swarm.ourselves import Ourselves
from swarm.settings import Settings
from swarm.specialists.protocol import Specialist
from swarm.stages.services import Services
from swarm.store.protocol import RunStore


class HouseSettings(Noun):
    """What stages are told of the house."""

    ourselves: Ourselves
    approved_columns: tuple[str, ...] = ()
    link_allow_list: tuple[str, ...] = ()
    own_contacts: tuple[str, ...] = ()
    approved_recipients: tuple[str, ...] = ()
    signature: str = "Customer Service"
    knowledge_folder: Path | None = None
    acknowledges: bool = False
    model_budget: float = 0.50
    model_patience_seconds: float = 3600.0
    attachment_bytes: int = 5 << 20
    attachments_read: int = 5

    def services(
        self,
        store: RunStore,
        specialist: Specialist,
        *,
        outlook: Outlook | None = None,
        monday: Monday | None = None,
        shelf: Shelf | None = None,
    ) -> Services:
        """Return what the stages of this house reach."""
        return Services(
            store=store,
            specialist=specialist,
            outlook=outlook,
            monday=monday,
            mailbox=self.ourselves.mailbox,
            known_as=self.ourselves,
            attachment_bytes=self.attachment_bytes,
            attachments_read=self.attachments_read,
            approved_columns=self.approved_columns,
            link_allow_list=self.link_allow_list,
            own_contacts=self.own_contacts,
            approved_recipients=self.approved_recipients,
            signature=self.signature,
            knowledge=shelf or Shelf(self.knowledge_folder),
            model_budget=self.model_budget,
            model_patience_seconds=self.model_patience_seconds,
        )


def house_of(settings: Settings) -> HouseSettings:
    """Return the house of an installation."""
    core, graph = settings.core, settings.graph
    return HouseSettings(
        ourselves=graph.ourselves,
        approved_columns=settings.monday.approved_columns,
        link_allow_list=core.link_allow_list,
        own_contacts=(*core.own_phones, *graph.own_addresses, *graph.own_domains),
        approved_recipients=core.approved_recipients,
        signature=core.reply_signature,
        knowledge_folder=core.knowledge_folder.absolute(),
        acknowledges=core.acknowledge_unanswered,
        model_budget=settings.model.budget_per_work_order,
        model_patience_seconds=settings.queue.model_patience_seconds,
        attachment_bytes=graph.attachment_bytes,
        attachments_read=graph.attachments_read,
    )
