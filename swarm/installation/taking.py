"""Bringing a sorted-out mail in after all: a person's word against the classifier's.

The mail's event still stands in today's list of events; its work-order line is written where every
other is, so that both paths read it. What lives elsewhere: what was sorted out
(``intake.stream.sorted_out``), lines and events (``legacy``).
"""

import json
from collections.abc import Iterator
from typing import cast

from swarm.errors import RefusedError
from swarm.intake.stream.bookmarks import open_stream
from swarm.intake.stream.lines import read_lines
from swarm.intake.stream.sorted_out import SortedOutMail, mark_taken
from swarm.legacy.events import MailEvent
from swarm.legacy.home import IntakeFiles, tombstones_of
from swarm.legacy.intake_stream_processor import work_order_line
from swarm.legacy.jsonl import LineLog
from swarm.settings import Settings
from swarm.store.database import Database


def take(database: Database, settings: Settings, mail: SortedOutMail, *, who: str) -> bool:
    """Write the mail's line into the stream and note who did; False: it was brought in before.

    The line first: killed in between, the same command repeats harmlessly. Raises ``RefusedError``
    when the event is nowhere to be found.
    """
    if mail.taken_at is not None:
        return False
    files = IntakeFiles(settings.core.swarm_home)
    event = _event(files, mail.original_id)
    log = LineLog(files.work_orders, tombstones_of(settings).refuses)
    log.append([work_order_line(event)])
    with database.transaction() as connection:
        return mark_taken(connection, mail.key, who=who, reason=mail.reason)


def _event(files: IntakeFiles, name: str) -> MailEvent:
    wanted = name.encode()
    for line in _lines(files):
        if wanted in line and (event := _object(line)).get("id") == name:
            return cast("MailEvent", event)
    raise RefusedError(
        "its event is in no file of the intake", hint="look for the mail in Outlook and forward it"
    )


def _lines(files: IntakeFiles) -> Iterator[bytes]:
    with open_stream(files.events) as opened:
        for file in opened:
            position, lines = 0, True
            while lines:
                raw, position = read_lines(file.descriptor, position, file.size)
                lines = bool(raw)
                yield from (line.data for line in raw if line.data is not None)


def _object(line: bytes) -> dict[str, object]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
