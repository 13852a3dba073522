"""Who answers for an asset, and what its page shows: said on every asset, the same words as the
alert rules (``deploy/prometheus-rules.yml``).

``platform`` runs the machines, ``support-lead`` answers for what customers read. What a page shows
decides who may see the UI: mail text is there until ``swarm erase`` or a month has passed.
"""

from collections.abc import Mapping, Sequence
from typing import Final

PLATFORM: Final[Sequence[str]] = ["team:platform"]
SUPPORT_LEAD: Final[Sequence[str]] = ["team:support-lead"]

MAIL_TEXT: Final[Mapping[str, str]] = {"swarm/shows": "mail-text"}
NUMBERS: Final[Mapping[str, str]] = {"swarm/shows": "numbers"}
