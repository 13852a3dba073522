"""One proposal of the specialist, turned into a draft: a node of the reply graph."""

from collections.abc import Sequence

from swarm.models import Draft
from swarm.specialists.protocol import Brief
from swarm.stages.reply.assemble import assemble, withheld
from swarm.stages.reply.judging import JudgementError, judged
from swarm.stages.reply.review import reviewer_of
from swarm.stages.services import Services


def propose_draft(
    brief: Brief, previous: Draft | None, findings: Sequence[str], services: Services
) -> Draft:
    """Return a draft, or a withheld one when none could be had (ES-05)."""
    author = reviewer_of(services)
    try:
        proposal = judged(lambda: services.specialist.propose(brief, previous, findings))
    except JudgementError as error:
        return withheld(f"no reply could be had: {error}", brief, author)
    revision = previous.revision + 1 if previous else 0
    return assemble(proposal, brief, author=author, revision=revision)
