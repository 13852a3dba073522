"""What ``swarm doctor`` says of the approved answers: files of no use, and what expired."""

from collections.abc import Iterator
from datetime import UTC, datetime

from swarm.cli.findings import Finding, Health
from swarm.cli.output import many
from swarm.installation.enter import knowledge_folder
from swarm.knowledge import Shelf


def knowledge_findings() -> Iterator[Finding]:
    """Count the answers in use; none at all is a house's own business."""
    library, now = Shelf(knowledge_folder()).read(), datetime.now(UTC)
    used = sum(snippet.valid_at(now) for snippet in library.snippets)
    expired, refused = len(library.snippets) - used, len(library.problems)
    counted = f"{many(used, 'approved answer')} in use"
    yield Finding(
        area="settings",
        name="knowledge",
        health=Health.NOTE if expired or refused else Health.GOOD,
        detail=f"{counted}, {expired} expired, {many(refused, 'file')} refused",
        helps="`swarm knowledge check` names each" if expired or refused else "",
    )
