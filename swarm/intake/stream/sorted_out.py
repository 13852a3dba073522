"""Mails that never became a work order: read from today's list into a table, with their reason.

The list is ``ignored.jsonl``, which the program that sorts writes beside the stream; it is read as
the stream is, by bookmarks that are proven by content. Brings nothing in (``installation.taking``
does) and decides nothing (``sorting`` did).
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from swarm.errors import MalformedInputError
from swarm.intake.stream import blanking, rows
from swarm.intake.stream.bookmarks import StreamFile, bookmark_for, moved, open_stream
from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.lines import RawLine, read_lines
from swarm.intake.stream.names import beginning, the_only
from swarm.models import Noun
from swarm.sorting.classifier import SortedOut
from swarm.store import tombstone_rows
from swarm.store.alerts import raise_alert, raise_growing, resolve
from swarm.store.database import Connection, Database
from swarm.store.tombstones import is_erased, mail_name

UNREADABLE_LIST = "intake.unreadable"
SUSPICIOUS = "intake.suspicious"
OWN_ADDRESS = "own address"
"""Subject of the alert on mails in our own name with somebody else's Reply-To, which went in."""

# A program killed between its two files writes a mail twice: the first reading stays.
_INSERT = """
INSERT INTO sorted_out (key, original_id, reason, sender, subject, received_at)
SELECT * FROM unnest(%(keys)s::text[], %(ids)s::text[], %(reasons)s::text[], %(senders)s::text[],
                     %(subjects)s::text[], %(dates)s::timestamptz[])
ON CONFLICT DO NOTHING
RETURNING reason
"""

_COLUMNS = (
    "key, original_id, reason, sender, subject, received_at, at, seen_at, seen_by,"
    " taken_at, taken_by"
)

_LIST = f"""
SELECT {_COLUMNS} FROM sorted_out
 WHERE (%(everything)s OR taken_at IS NULL) AND (%(reason)s::text IS NULL OR reason = %(reason)s)
 ORDER BY at DESC, key LIMIT %(limit)s
"""

_FIND = f"""
SELECT {_COLUMNS} FROM sorted_out WHERE key IN (%(name)s, %(made)s) OR original_id = %(name)s
 ORDER BY key = %(name)s DESC LIMIT 1
"""

_BEGUN = "SELECT key FROM sorted_out WHERE starts_with(key, %s) ORDER BY key LIMIT 4"

_TAKE = """
UPDATE sorted_out SET taken_at = now(), taken_by = %(who)s WHERE key = %(key)s AND taken_at IS NULL
"""

_SEEN = """
UPDATE sorted_out SET seen_at = now(), seen_by = %(who)s
 WHERE (key = %(name)s OR reason = %(reason)s) AND seen_at IS NULL AND taken_at IS NULL
RETURNING reason
"""

_UNSEEN = """
SELECT count(*) AS mails FROM sorted_out
 WHERE reason = %s AND taken_at IS NULL AND seen_at IS NULL
"""

_SUSPECTED = frozenset(reason.value for reason in SortedOut if reason.suspicious)


class SortedOutMail(Noun):
    """One mail that needs no answer. Quotes sender and subject: for the person who asks."""

    key: str
    original_id: str
    reason: str
    sender: str
    subject: str
    received_at: datetime | None
    at: datetime
    seen_at: datetime | None = None
    seen_by: str | None = None
    taken_at: datetime | None = None
    taken_by: str | None = None


def read_sorted_out(database: Database, path: Path, secret: str) -> int:
    """Read what is new in the list at ``path``; returns how many mails were new.

    A missing list is nothing new, and so is one another reader holds; an unreadable one raises an
    alert. Raises ``DatabaseUnavailableError``.
    """
    with database.transaction() as connection:
        if not rows.try_lock(connection, path.stem):
            return 0
        try:
            with open_stream(path) as files:
                blanking.settle(connection, path.stem, files)
                count = sum(_read_file(connection, path.stem, file, secret) for file in files)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise_alert(connection, UNREADABLE_LIST, path.stem, f"the list cannot be read: {why}")
            return 0
        resolve(connection, UNREADABLE_LIST, path.stem)
        return count


def _read_file(connection: Connection, stream: str, file: StreamFile, secret: str) -> int:
    before = bookmark_for(file, rows.bookmarks(connection, stream))
    if before is None:
        return 0
    raw, offset = read_lines(file.descriptor, before.offset, file.size)
    if not raw:
        return 0
    rows.save_bookmark(connection, stream, moved(before, file, offset, len(raw)))
    return _store(connection, _of_nobody_erased(connection, raw, secret))


def _of_nobody_erased(
    connection: Connection, raw: Sequence[RawLine], secret: str
) -> list[Mapping[str, object]]:
    """Read lines but those of erased mails, which may have been written again."""
    lines = [line for line in raw if not is_erased(line.data or b"")]
    names = [mail_name(_object(line.data)).tombstones(secret) for line in lines]
    met = tombstone_rows.known(connection, frozenset[str]().union(*names))
    return [_mail(line, secret) for line, own in zip(lines, names, strict=True) if not own & met]


def _store(connection: Connection, mails: Sequence[Mapping[str, object]]) -> int:
    names = ("key", "id", "reason", "sender", "subject", "date")
    values = {f"{name}s": [mail[name] for mail in mails] for name in names}
    new = [row["reason"] for row in connection.execute(_INSERT, values)]
    for reason in sorted(set(new)):
        tell(connection, reason)
    return len(new)


def tell(connection: Connection, reason: str) -> None:
    """Bring the alert of a suspicious reason up to date: raised, grown, or settled.

    An own mail or a newsletter raises none: it is counted in the status and stands in the list.
    """
    if reason not in _SUSPECTED:
        return
    row = connection.execute(_UNSEEN, (reason,)).fetchone()
    total = row["mails"] if row else 0
    if total:
        detail = f"{total} mails were left out, a customer may be among them; `swarm ignored list`"
        raise_growing(connection, SUSPICIOUS, reason, detail, total=total)
    else:
        resolve(connection, SUSPICIOUS, reason)


def sorted_out(
    connection: Connection, *, reason: str | None = None, everything: bool = False, limit: int = 200
) -> Sequence[SortedOutMail]:
    """Return what was sorted out, newest first; with ``everything`` what was brought in as well."""
    values = {"reason": reason, "everything": everything, "limit": limit}
    return tuple(SortedOutMail.model_validate(row) for row in connection.execute(_LIST, values))


def find_sorted_out(connection: Connection, name: str, secret: str) -> SortedOutMail | None:
    """Return the sorted-out mail of this key or id, or whose key alone begins so, if there is one.

    Raises ``MalformedInputError`` when several begin so.
    """
    values = {"name": name, "made": work_order_key(secret, name)}
    row = connection.execute(_FIND, values).fetchone()
    if row is None and (begun := beginning(name)):
        keys = [str(found["key"]) for found in connection.execute(_BEGUN, (begun,))]
        row = connection.execute(_FIND, values | {"name": the_only(keys, name)}).fetchone()
    return SortedOutMail.model_validate(row) if row else None


def mark_taken(connection: Connection, key: str, *, who: str, reason: str) -> bool:
    """Note that a person brought the mail in; False: somebody did before."""
    taken = connection.execute(_TAKE, {"key": key, "who": who}).rowcount == 1
    if taken:
        tell(connection, reason)
    return taken


def mark_seen(connection: Connection, name: str, *, who: str) -> int:
    """Note that a person looked at a mail (by key) or at all of a reason; returns at how many.

    Settles the alert when none is left. Raises ``MalformedInputError`` for a name that is neither.
    """
    reason = next((known for known in _reasons() if _plain(known) == _plain(name)), None)
    if reason is None and not name.startswith("wo_"):
        raise MalformedInputError(f"{name!r} is no key and no reason", hint="swarm ignored list")
    found = connection.execute(_SEEN, {"name": name, "reason": reason, "who": who}).fetchall()
    for touched in {row["reason"] for row in found}:
        tell(connection, touched)
    if reason == OWN_ADDRESS:
        return len(found) + resolve(connection, SUSPICIOUS, OWN_ADDRESS)
    return len(found)


def _reasons() -> Iterator[str]:
    yield OWN_ADDRESS
    yield from (reason.value for reason in SortedOut)


def _plain(name: str) -> str:
    return name.lower().replace("-", " ").strip()


# --- one line -------------------------------------------------------------------------------------


def _mail(line: RawLine, secret: str) -> Mapping[str, object]:
    """Read a line leniently: one that cannot be read is itself a mail nobody understood."""
    value = _object(line.data)
    name = _text(value, "id")[:512] or f"unreadable-{line.sha256[:40]}"
    return {
        "key": work_order_key(secret, name),
        "id": name,
        "reason": _text(value, "reason")[:100] or SortedOut.UNREADABLE.value,
        "sender": _text(value, "sender")[:320],
        "subject": _text(value, "subject")[:500],
        "date": _date(_text(value, "received_at")),
    }


def _object(data: bytes | None) -> Mapping[str, object]:
    try:
        value = json.loads(data or b"")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: Mapping[str, object], name: str) -> str:
    found = value.get(name)
    text = found if isinstance(found, str) else ""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()


def _date(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
