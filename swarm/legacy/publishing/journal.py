"""What legacy did while Postgres was away, on disk before any byte leaves.

One file of JSON lines, each fsynced: an *intent* before a POST, its *outcome* after it, or a line
*deferred* until the ledger is back. A killed sender leaves an intent without outcome: unknown,
never sent again. Held open under a lock: one journal, one sender. What lives elsewhere: the right
to act without the ledger (``lease``), bringing the journal into the ledger (``settling``).
"""

import fcntl
import json
import os
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from swarm.errors import RefusedError
from swarm.legacy.publishing.shim import OutboxItem
from swarm.process_identity import boot_id, since_boot


class Entry(BaseModel):
    """One publication (or deferred line) of the journal, intent and outcome together.

    ``at`` is the wall clock, for people and for a journal of an earlier boot; ``boot_id`` and
    ``since_boot`` say when it was on a clock that nobody sets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    key: str
    epoch: int
    at: float
    boot_id: str = ""
    since_boot: float = 0.0
    deferred: bool
    item: OutboxItem
    outcome: str = "interrupted while sending"
    accepted: bool = False
    not_sent: bool = False
    http_status: int | None = None
    request_id: str | None = None

    def age_seconds(self) -> float:
        """Return how long ago it was written: not when, because two machines' clocks differ."""
        if self.boot_id == boot_id():
            return max(since_boot() - self.since_boot, 0.0)
        return max(time.time() - self.at, 0.0)


class Journal:
    """The journal in one folder; raises ``RefusedError`` when another sender holds it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "journal.jsonl"
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._descriptor)
            raise RefusedError("another publish_sender holds the journal") from error
        self._close_torn_line()
        self._entries = self._read()

    def close(self) -> None:
        """Let go of the journal."""
        os.close(self._descriptor)

    def entries(self) -> tuple[Entry, ...]:
        """Return everything the ledger does not know yet, oldest first."""
        return tuple(self._entries.values())

    def keys(self) -> frozenset[str]:
        """Return the work orders in the journal."""
        return frozenset(entry.key for entry in self._entries.values())

    def intend(self, key: str, item: OutboxItem, *, epoch: int) -> Entry:
        """Write the intent to post; durable when this returns."""
        return self._begin(key, item, epoch=epoch, deferred=False)

    def defer(self, key: str, item: OutboxItem) -> Entry:
        """Write down a line that only the ledger can judge."""
        return self._begin(key, item, epoch=0, deferred=True)

    def conclude(self, entry: Entry, **outcome: object) -> None:
        """Write what became of an intent."""
        self._append({"id": entry.id, **outcome})
        self._entries[entry.id] = Entry.model_validate({**entry.model_dump(), **outcome})

    def clear(self) -> None:
        """Forget everything: the ledger knows it all."""
        os.ftruncate(self._descriptor, 0)
        os.fsync(self._descriptor)
        self._entries.clear()

    def _begin(self, key: str, item: OutboxItem, *, epoch: int, deferred: bool) -> Entry:
        entry = Entry(
            id=uuid.uuid4().hex,
            key=key,
            epoch=epoch,
            at=time.time(),
            boot_id=boot_id(),
            since_boot=since_boot(),
            deferred=deferred,
            item=item,
        )
        self._append(entry.model_dump(mode="json"))
        self._entries[entry.id] = entry
        return entry

    def _append(self, line: Mapping[str, object]) -> None:
        """Append durably or not at all: half a line would make the whole journal unreadable."""
        start = os.fstat(self._descriptor).st_size
        data = memoryview(json.dumps(line).encode() + b"\n")
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, start)
            raise

    def _close_torn_line(self) -> None:
        """A line that was cut short had led to nothing: its POST waits for the fsync."""
        size = os.fstat(self._descriptor).st_size
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            whole = os.pread(self._descriptor, size, 0).rpartition(b"\n")[0]
            os.ftruncate(self._descriptor, len(whole) + 1 if whole else 0)
            os.fsync(self._descriptor)

    def _read(self) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for line in self._path.read_bytes().splitlines():
            values = json.loads(line)
            known = entries.get(values["id"])
            merged = {**known.model_dump(), **values} if known else values
            entries[values["id"]] = Entry.model_validate(merged)
        return entries
