"""What a work order's enrichment found once, given instead of asking again.

For a replay: the stages after it are the same functions over the same facts. What lives elsewhere:
asking (``enrichment``), and where recorded facts come from (``swarm.shadow.replay``).
"""

from pydantic import Field

from swarm.models import Crm, Noun, Thread


class Recorded(Noun):
    """Thread and CRM as found, and how many other mails of the customer waited (ES-04)."""

    thread: Thread
    crm: Crm
    elsewhere: int = Field(default=0, ge=0)
    rejected: int = Field(default=0, ge=0, description="Drafts people had rejected by then")
