"""Kombu's file-system transport, minus the ways in which it loses messages.

Stock kombu opens a message's final name, then writes: a reader between the two takes an empty file,
and the run it stood for hangs in STARTING until a time-out (173 of 3,000 with a busy reader). The
file of an exchange, which every send reads, is emptied before it is written, too. And a message
taken is moved to the system's folder for temporary files: on another file system that is a copy,
which two readers can make of one message. Here everything is written beside and renamed, and taken
by a rename inside the broker's own folder. What does not live here: who is on either end.
"""

import fcntl
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any, Final

from kombu.exceptions import ChannelError
from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps, loads

_PART: Final = "part"  # ends the name of what is still being written; no queue is called so

Table = list[tuple[str, str, str]]


class FolderChannel(filesystem.Channel):
    """Messages as files that appear whole and vanish once."""

    def _put(  # type: ignore[override]  # two superclasses name it differently
        self, queue: str, payload: object, **_kwargs: object
    ) -> None:
        """Add a message; raises ``ChannelError`` when the folder cannot take it."""
        folder = Path(self.data_folder_out)
        _write(folder / f"{time_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg", _dumped(payload))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Take the oldest message of a queue; raises ``Empty``. Of two readers one gets it."""
        _ = timeout  # stock never waits either
        folder = Path(self.data_folder_in)
        for name in sorted(path.name for path in folder.iterdir()):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = Path(self.processed_folder) / name
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue  # another reader was quicker
            content = taken.read_text("utf-8")
            taken.unlink()
            return loads(content)
        raise Empty

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Add a queue to an exchange; a sender sees the table before or after, never half of it."""
        bound = (routing_key or "", pattern or "", queue or "")
        self._change(exchange, lambda table: table if bound in table else [bound, *table])

    def _delete(
        self,
        queue: str,
        exchange: str,
        routing_key: str,
        pattern: str,
        *_rest: object,
        **_k: object,
    ) -> None:
        """Take a queue out of an exchange."""
        virtual.Channel._delete(self, queue)  # noqa: SLF001 - what stock calls first
        gone = (routing_key or "", pattern or "", queue or "")
        if self._exchange_file(exchange).exists():
            self._change(exchange, lambda table: [each for each in table if each != gone])

    def _change(self, exchange: str, change: Callable[[Table], Table]) -> None:
        file = self._exchange_file(exchange)
        with _locked(file.with_suffix(".lock")):
            before: Table = [(*each,) for each in self.get_table(exchange)]
            after = change(before)
            if after != before or not file.exists():
                _write(file, _dumped(after))


class Transport(filesystem.Transport):
    """Named by ``broker_transport``; the URL stays ``filesystem://``."""

    Channel = FolderChannel


def _dumped(value: object) -> str:
    return str(dumps(value))


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{uuid.uuid4()}.{_PART}")
    try:
        part.write_text(text, "utf-8")
        part.rename(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise ChannelError(f"cannot write {path.name!r}: {error.strerror}") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
