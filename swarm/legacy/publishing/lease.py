"""Legacy's side of its lease: the clock it trusts, and the work orders it must not touch.

The lease ends on legacy's own clock no later than in the ledger, because it is counted from before
the question was sent; the clock is the time since boot, which no clock change moves and which a
restarted sender reads on. Posting stops one send deadline before the end.

Under a lease legacy may publish only what the ledger cannot have given to anybody: not a key that
was ever claimed (read once per epoch: while legacy is in office nobody else claims), not one that
legacy itself handed to the ledger. Those wait. What lives elsewhere: the ledger's side
(``swarm.publishing.switch.lease``).
"""

import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from swarm.process_identity import boot_id, since_boot
from swarm.publishing.control import control_alone, control_to_write_ready
from swarm.publishing.switch import lease
from swarm.store.database import Database

_EVER_CLAIMED = "SELECT work_order_key FROM publication_ledger WHERE fence > 0"


class HeldLease(BaseModel):
    """A lease as the sender keeps it on disk."""

    model_config = ConfigDict(frozen=True)

    boot_id: str
    until: float
    epoch: int
    world: str = ""


class LegacyLease:
    """The lease of the sender whose files lie in ``folder``."""

    def __init__(
        self,
        folder: Path,
        *,
        seconds: float,
        world: str,
        margin_seconds: float = 20.0,
        clock: Callable[[], float] = since_boot,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lease_file, self._holder_file = folder / "lease.json", folder / "holder"
        self._barred_file, self._handed_file = folder / "barred.json", folder / "handed_over.keys"
        self._seconds, self._margin, self._clock = seconds, margin_seconds, clock
        self._boot_id, self._world = boot_id(), world
        self.holder = self._read_holder()
        self._held = self._read_lease()
        self._handed_keys = _lines(self._handed_file)
        self._barred_epoch, self._barred = self._read_barred()

    def keep(self, database: Database) -> bool:
        """Take or renew the lease; let go of it when legacy is not to have it any longer.

        Taking it anew excludes every claim while the list of claimed work orders is read, so that a
        claim either stands in the list or sees the lease.

        Call it only when the journal is settled. Raises ``DatabaseUnavailableError``.
        """
        asked = self._clock()
        with database.transaction() as connection:
            anew = self._held is None
            control = control_alone(connection) if anew else control_to_write_ready(connection)
            granted = lease.obtain(connection, self.holder, self._seconds)
            if granted is not None and (anew or control.epoch != self._barred_epoch):
                rows = connection.execute(_EVER_CLAIMED)
                self._bar(control.epoch, {row["work_order_key"] for row in rows})
        if granted is None:
            self.let_go(database)
            return False
        until = asked + self._seconds
        self._hold(
            HeldLease(boot_id=self._boot_id, until=until, epoch=control.epoch, world=self._world)
        )
        return True

    def let_go(self, database: Database) -> None:
        """Give the lease back: first here, durably, then in the ledger."""
        if self._held is not None:
            self._held = None
            self._lease_file.unlink(missing_ok=True)
            _sync(self._lease_file.parent)
        with database.transaction() as connection:
            lease.release(connection, self.holder)

    def epoch_to_post(self) -> int | None:
        """Return the epoch under which a POST may leave now without the ledger; None: none may."""
        held = self._held
        if held is None or held.boot_id != self._boot_id or held.epoch != self._barred_epoch:
            return None
        if held.world != self._world:  # restarted with another hook since the ledger was asked
            return None
        return held.epoch if self._clock() + self._margin < held.until else None

    def barred(self, key: str) -> bool:
        """Whether the ledger may have given this work order to somebody, or knows it from us."""
        return key in self._barred or key in self._handed_keys

    def note_handed_over(self, key: str) -> None:
        """Write down, before it happens, that the ledger gets this work order."""
        if key in self._handed_keys:
            return
        with self._handed_file.open("a", encoding="ascii") as file:
            file.write(key + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._handed_keys.add(key)

    def _hold(self, held: HeldLease) -> None:
        self._held = held
        _replace(self._lease_file, held.model_dump_json())

    def _bar(self, epoch: int, keys: set[str]) -> None:
        _replace(self._barred_file, json.dumps({"epoch": epoch, "keys": sorted(keys)}))
        self._barred_epoch, self._barred = epoch, keys

    def _read_holder(self) -> str:
        if not self._holder_file.exists():
            _replace(self._holder_file, f"publish_sender-{uuid.uuid4().hex[:12]}")
        return self._holder_file.read_text("ascii")

    def _read_lease(self) -> HeldLease | None:
        if not self._lease_file.exists():
            return None
        return HeldLease.model_validate_json(self._lease_file.read_bytes())

    def _read_barred(self) -> tuple[int | None, set[str]]:
        if not self._barred_file.exists():
            return None, set()
        stored = json.loads(self._barred_file.read_bytes())
        return int(stored["epoch"]), set(stored["keys"])


def _lines(path: Path) -> set[str]:
    return set(path.read_text("ascii").split()) if path.exists() else set()


def _replace(path: Path, text: str) -> None:
    """Replace a file in one durable step."""
    draft = path.with_suffix(".tmp")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
