"""One work order thought through as its run will do it, up to the last question to a specialist.

The same functions over the same facts, so the same questions: a run finds an answer by the hash of
what it asks. Whatever changed in between (the mailbox, the CRM, an approved answer) gives another
question, and the run asks it itself: never a stale answer.
"""

from typing import Final

from swarm.intake.mail.clean import receive
from swarm.models import Fence
from swarm.prefetch.claims import PrefetchClaim
from swarm.stages.enrichment.gather import gather
from swarm.stages.reply.draft import brief_of, write_draft
from swarm.stages.reply.review import REVIEW_STAGES, review
from swarm.stages.services import Services
from swarm.stages.tier import decide_tier

_NO_RUN: Final = "ahead"


def think_ahead(claim: PrefetchClaim, services: Services) -> None:
    """Have every question asked that the run of this attempt will ask.

    Raises what a stage raises; ``ModelUnavailableError`` when the model answers nobody.
    """
    key = claim.work_order_key
    void = Fence(work_order_key=key, run_id=_NO_RUN, attempt=claim.attempt, token=0)
    found = gather(receive(services.store.work_order(key)), services)
    tier = decide_tier(found.received, services, void, found.thread)
    draft = write_draft(found.received, found.context, tier, services)
    brief = brief_of(found.received, found.context, tier, services)
    for stage in REVIEW_STAGES:
        review(stage, brief, draft, services)
