"""Which sensors and schedules of ours Dagster must keep asking, and how often each is due.

``swarm`` knows no Dagster, and a watch over it cannot ask it: so the names stand here. A test
compares them with what ``swarm_assets.definitions`` registers.
"""

from collections.abc import Mapping
from typing import Final

SENSORS: Final[Mapping[str, int]] = {
    "intake": 1,
    "publications": 1,
    "reaper": 5,
    "retire": 600,
    "legacy_proof": 60,
    "legacy_outcomes": 5,
    "reply_outcomes": 5,
    "history": 5,
    "compare": 30,
}
"""Sensor -> seconds between two ticks, at least."""

SCHEDULES: Final[Mapping[str, int]] = {
    "health": 300,
    "readiness_look": 60,
    "readiness_daily": 86_400,
    "cutover_watch": 600,
    "rollback_drill": 3_600,
}
"""Schedule -> seconds between two ticks."""
