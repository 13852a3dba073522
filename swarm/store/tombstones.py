"""Tombstones: keyed hashes of what was erased. They refuse it for ever and tell nobody who it was.

The table is the truth. A file beside the intake streams repeats it for programs that know no
database (``TombstoneFile``). Here too: what stands in a file where an erased line stood. What lives
elsewhere: the table (``tombstone_rows``), erasing (``swarm.lifecycle``).
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ERASED = "erased"
"""Status of an erased intake line, and what stands where a hash of erased bytes stood."""

_FILLER = b'{"erased":true}'


@dataclass(frozen=True, slots=True)
class MailName:
    """By what a mail is known. Broken senders reuse Message-IDs: one counts with its sender."""

    id: str
    message_id: str = ""
    internet_message_id: str = ""
    sender: str = ""

    def tombstones(self, secret: str) -> frozenset[str]:
        """Return a hash for each of its names."""
        made = {tombstone(secret, "id", self.id)} if self.id else set[str]()
        if self.message_id:
            made.add(tombstone(secret, "message", self.message_id))
        if self.internet_message_id and self.sender:
            made.add(tombstone(secret, "internet", self.internet_message_id, self.sender))
        return frozenset(made)


def tombstone(secret: str, kind: str, *parts: str) -> str:
    """Return the keyed hash of a name, however it is spelt; ``kind`` keeps kinds of names apart."""
    spelt = json.dumps(["tombstone", kind, *(_spelt(part) for part in parts)])
    return hmac.new(secret.encode(), spelt.encode(), hashlib.sha256).hexdigest()


def mail_name(line: Mapping[str, object]) -> MailName:
    """Return the names of the mail that a line of an intake file is about."""
    return MailName(
        id=_text(line.get("id")),
        message_id=_text(line.get("message_id")),
        internet_message_id=_text(line.get("internet_message_id")),
        sender=address_of(line.get("sender")),
    )


def address_of(value: object) -> str:
    """Return an address as the files write it, alone or with a display name; '' without one."""
    return _text(value.get("address") if isinstance(value, Mapping) else value).strip().casefold()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _spelt(name: str) -> str:
    return " ".join(name.strip("<> \t\r\n").split()).casefold()


# --- lines of files -------------------------------------------------------------------------------


def erased_line(length: int) -> bytes:
    """Return what stands in place of an erased line of that many bytes: no offset moves."""
    return _FILLER.ljust(length) if length >= len(_FILLER) else b" " * length


def is_erased(line: bytes) -> bool:
    """Whether an erased line stood here."""
    return line.rstrip() == _FILLER


# --- file -----------------------------------------------------------------------------------------


class TombstoneFile:
    """The tombstones as programs without a database read them; looked at anew when it changed."""

    def __init__(self, path: Path, secret: str) -> None:
        self._path, self._secret = path, secret
        self._seen: tuple[int, int] | None = None
        self._hashes: frozenset[str] = frozenset()

    def refuses(self, line: bytes) -> bool:
        """Whether a line is about an erased mail: it must not be written or handed on again."""
        self._refresh()
        if not self._hashes:
            return False
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return False
        if not isinstance(said, dict):
            return False
        return not self._hashes.isdisjoint(mail_name(said).tombstones(self._secret))

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._seen, self._hashes = None, frozenset()
            return
        seen = (status.st_mtime_ns, status.st_ino)
        if seen != self._seen:
            self._hashes = frozenset(self._path.read_text("ascii").split())
            self._seen = seen


def file_text(hashes: Iterable[str]) -> str:
    """Return the tombstones as the file holds them."""
    return "".join(f"{each}\n" for each in hashes)
