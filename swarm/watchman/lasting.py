"""Tells a trouble that lasts from one that is over before anybody could look."""

from collections.abc import Collection
from datetime import datetime, timedelta

from swarm.observe.trouble import Trouble


class Lasting:
    """Remembers since when each trouble is seen at every look."""

    def __init__(self, holds: dict[str, timedelta], otherwise: timedelta) -> None:
        """``holds``: kind -> how long it must last; ``otherwise`` for all other kinds."""
        self._holds = holds
        self._otherwise = otherwise
        self._since: dict[tuple[str, str, str], datetime] = {}

    def ripe(self, seen: Collection[Trouble], now: datetime) -> tuple[Trouble, ...]:
        """Return those that have lasted; whatever is not among ``seen`` is forgotten."""
        names = {(each.kind, each.subject, each.mark) for each in seen}
        self._since = {name: self._since.get(name, now) for name in names}
        return tuple(each for each in seen if self._lasted(each, now))

    def _lasted(self, trouble: Trouble, now: datetime) -> bool:
        since = self._since[trouble.kind, trouble.subject, trouble.mark]
        return now - since >= self._holds.get(trouble.kind, self._otherwise)
