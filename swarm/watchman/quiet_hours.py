"""When what can wait waits: the quiet hours in the house's own time zone. Pure."""

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from swarm.settings import AlertSettings
from swarm.store.alert_kinds import KINDS


def is_quiet(settings: AlertSettings, zone: str, now: datetime) -> bool:
    """Whether ``now`` (aware) falls into the quiet hours of ``zone``; they may go over midnight."""
    if settings.quiet is None:
        return False
    begins, ends = settings.quiet
    here = now.astimezone(ZoneInfo(zone)).time()
    if begins <= ends:
        return begins <= here < ends
    return here >= begins or here < ends


def kept_quiet(
    settings: AlertSettings, zone: str, silenced: Collection[str], now: datetime
) -> frozenset[str]:
    """Return the kinds of which nothing is told now: silenced, or able to wait at a quiet hour."""
    waiting = (kind.kind for kind in KINDS.values() if not kind.pages)
    return frozenset(silenced) | frozenset(waiting if is_quiet(settings, zone, now) else ())
