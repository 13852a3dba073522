"""The half of ``Outlook`` that a mailbox has in which nothing of ours was made and nothing may be.

What lives elsewhere: what can be read there (``swarm.stages.lone_mail``, a replay's view).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, NoReturn

from swarm.clients.protocol import DeltaPage, FoundDraft
from swarm.errors import RefusedError


class ReadOnlyOutlook:
    """Finds no draft, marks none, and reads no new mail; ``why`` is said whoever asks for it."""

    why: ClassVar[str]

    def find_dispatched(
        self, *, key: str, conversation_id: str | None, marker: str, since: datetime
    ) -> Sequence[FoundDraft]:
        """Return nothing: no draft of ours was ever made here."""
        _ = key, conversation_id, marker, since
        return ()

    def mark_dispatched(self, message_id: str, key: str) -> None:
        """Refuse."""
        self._refuse(message_id, key)

    def delta(self, link: str | None, *, since: datetime) -> DeltaPage:
        """Refuse."""
        self._refuse(link, since)

    def _refuse(self, *_arguments: object) -> NoReturn:
        raise RefusedError(self.why)
