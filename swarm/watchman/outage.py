"""Tells that the database is away, which no table can hold: from memory and a small file.

Each sink is told once, and aloud when it is over; the file lets a watchman that was killed
meanwhile go on where it was. What lives elsewhere: everything the tables hold (``delivery``).
"""

import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, ValidationError

from swarm.installation.home import write_private
from swarm.models import Noun
from swarm.store.alert_kinds import known_kind
from swarm.watchman.messages import Course, Notice, Voice

_log = logging.getLogger(__name__)

UNAVAILABLE: Final = "database.unavailable"

PATIENCE: Final = timedelta(seconds=30)
"""So long it may be away untold: a server that restarts is back by then."""


class _Outage(Noun):
    """What is remembered of an outage; ``told`` are the sinks that know of it."""

    since: AwareDatetime
    over: AwareDatetime | None = None
    told: tuple[str, ...] = ()


class Outage:
    """The state of the database as this process sees it. Thread-safe."""

    def __init__(self, file: Path, house: Voice, *, clock: Callable[[], datetime]) -> None:
        self._file = file
        self._house = house
        self._clock = clock
        self._lock = threading.Lock()
        self._known = _read(file)

    @property
    def away(self) -> bool:
        """Whether the database did not answer when it was last asked."""
        known = self._known
        return known is not None and known.over is None

    def silent(self) -> None:
        """Note that the database did not answer."""
        with self._lock:
            if self._known is None or self._known.over is not None:
                told = self._known.told if self._known else ()
                self._keep(_Outage(since=self._clock(), told=told))

    def answered(self) -> None:
        """Note that the database answered."""
        with self._lock:
            if self._known is not None and self._known.over is None:
                over = self._known.model_copy(update={"over": self._clock()})
                self._keep(over if over.told else None)

    def due(self, sink: str) -> Notice | None:
        """Return what this sink must be told of it now."""
        known, now = self._known, self._clock()
        if known is None:
            return None
        if known.over is not None:
            return self._message(known, Course.OVER) if sink in known.told else None
        ripe = now - known.since >= PATIENCE
        return self._message(known, Course.FIRING) if ripe and sink not in known.told else None

    def took(self, sink: str, message: Notice) -> None:
        """Note that the sink took what was due."""
        with self._lock:
            if self._known is None:
                return
            told = set(self._known.told)
            told = told | {sink} if message.course is Course.FIRING else told - {sink}
            now = self._known.model_copy(update={"told": tuple(sorted(told))})
            self._keep(None if now.over is not None and not told else now)

    def _keep(self, outage: _Outage | None) -> None:
        self._known = outage
        with suppress(OSError):  # a full disk: memory knows
            if outage is None:
                self._file.unlink(missing_ok=True)
            else:
                write_private(self._file, outage.model_dump_json())

    def _message(self, known: _Outage, course: Course) -> Notice:
        kind = known_kind(UNAVAILABLE)
        over = known.over if course is Course.OVER else None
        return Notice(
            incident=f"{self._house.name}:{UNAVAILABLE}",
            course=course,
            severity=kind.severity,
            kind=kind.kind,
            headline=f"{'Over: ' if over else ''}{kind.title}: {self._house.name}",
            lines=(
                kind.meaning,
                f"It has not answered since {known.since:%Y-%m-%d %H:%M:%S} UTC"
                + (f", and answers again since {over:%H:%M:%S} UTC" if over else ""),
                f"{kind.kind} · {kind.owner} · swarm doctor",
            ),
            link=self._house.ui_url,
            at=over or known.since,
        )


def _read(file: Path) -> _Outage | None:
    try:
        return _Outage.model_validate(json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ValidationError) as error:
        _log.warning("what was known of an outage cannot be read: %s", type(error).__name__)
        return None
