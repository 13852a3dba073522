"""When is there nothing left to do: every mail read, every line taken in, every work order final.

Asked by ``swarm up --until-idle`` and by nobody else; it reads sizes, never mail.
"""

from pathlib import Path

from swarm.installation.home import Home
from swarm.legacy.home import IntakeFiles
from swarm.legacy.jsonl import read_state
from swarm.store.database import Database
from swarm.up.progress import Picture

_TAKEN_IN = """
SELECT coalesce((SELECT byte_offset FROM intake_offset WHERE stream = 'work_orders'
                  ORDER BY generation DESC LIMIT 1), 0) AS taken_in
"""

_LOOKS = 2  # between two daemons a mail is nowhere for a moment


class Idle:
    """Counts looks in a row at which nothing was left to do."""

    def __init__(self, home: Home, database: Database, mails_fed: int) -> None:
        self._home = home
        self._database = database
        self._mails_fed = mails_fed
        self._looks = 0
        self.waiting_for = "the first look"

    def reached(self, picture: Picture) -> bool:
        """Look once more; True when nothing was left to do twice in a row."""
        self.waiting_for = self._left(picture)
        self._looks = 0 if self.waiting_for else self._looks + 1
        return self._looks >= _LOOKS

    def _left(self, picture: Picture) -> str:
        read = _lines(self._home.events)
        if read < self._mails_fed:
            return f"{self._mails_fed - read} mails that the intake has not read yet"
        unsorted = _size(self._home.events) - _sorted(self._home)
        if unsorted > 0:
            return f"{unsorted} bytes of mail events"
        unread = _size(self._home.work_orders) - self._taken_in()
        if unread > 0:
            return f"{unread} bytes of the intake stream"
        open_keys = [line.key for line in picture.lines if not line.state.final]
        if picture.unfinished:
            return f"{picture.unfinished} work orders: {', '.join(open_keys[:20])}"
        return ""

    def _taken_in(self) -> int:
        with self._database.transaction() as connection:
            row = connection.execute(_TAKEN_IN).fetchone()
        return int(row["taken_in"]) if row else 0


def _sorted(home: Home) -> int:
    """Return how far the stream processor has read the events."""
    offset = read_state(IntakeFiles(home.root).processor_state).get("offset")
    return offset if isinstance(offset, int) else 0


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _lines(path: Path) -> int:
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
