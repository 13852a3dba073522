"""Work orders are named by their opaque key, or by the id their mail came with."""

import re

from swarm.intake.stream.keys import work_order_key
from swarm.settings import Settings

_KEY = re.compile(r"wo_[a-z2-7]{24}")


def key_of(name: str, settings: Settings) -> str:
    """Return the opaque key for a key or an original id (e.g. a Message-ID); looks nothing up."""
    if _KEY.fullmatch(name):
        return name
    return work_order_key(settings.core.swarm_key_secret.get_secret_value(), name)
