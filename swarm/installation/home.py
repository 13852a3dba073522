"""Where the files of one installation lie, its lock and its generated secret.

Everything is under ``SWARM_HOME``. Secrets and the description of the running installation are
readable by their owner alone (0600).
"""

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from swarm.errors import ConfigurationError, RefusedError
from swarm.sockets import folder_for

_LONGEST_SOCKET = "code.sock"
_UNSPEAKABLE = frozenset('"$`\\\n\r')  # pg_ctl hands its paths to a shell, in quotation marks


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one installation; every path in one place."""

    root: Path

    @property
    def postgres(self) -> Path:
        """Data directory of the embedded server."""
        return self.root / "postgres"

    @property
    def database_logins(self) -> Path:
        """Passwords of the embedded server's roles."""
        return self.root / "database_logins.json"

    @property
    def events(self) -> Path:
        """What ``email_work_order_service`` writes."""
        return self.root / "intake" / "events.jsonl"

    @property
    def work_orders(self) -> Path:
        """The intake stream."""
        return self.root / "intake" / "work_orders.jsonl"

    @property
    def broker(self) -> Path:
        """Folder of the file-system broker."""
        return self.root / "broker"

    @property
    def dagster(self) -> Path:
        """``DAGSTER_HOME``."""
        return self.root / "dagster"

    @property
    def sandbox(self) -> Path:
        """State of the doubles."""
        return self.root / "sandbox"

    @property
    def knowledge(self) -> Path:
        """The house's approved answers, unless ``KNOWLEDGE_DIR`` names another folder."""
        return self.root / "knowledge"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Pid files, sockets, the lock and the description of what runs."""
        return self.root / "run"

    @property
    def description(self) -> Path:
        """The environment of the running installation, for the other commands."""
        return self.run / "environment.json"

    @property
    def workspace(self) -> Path:
        """Where Dagster's programs read how to reach the one code server."""
        return self.dagster / "workspace.yaml"

    def sockets(self) -> Path:
        """Return a folder for the sockets of code and fork server: they ask for no login, hence
        mode 0700.
        """
        return folder_for(self.run, _LONGEST_SOCKET)

    @property
    def work(self) -> Path:
        """Working folder of the programs: empty, for Dagster reads a ``.env`` that lies there."""
        return self.run / "work"

    def prepare(self) -> None:
        """Create the folders; those that hold sockets or mail text are closed to others.

        Raises ``ConfigurationError`` when the home is a file, cannot be written, or has a name that
        the embedded server's start script cannot take.
        """
        self._require_speakable()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for folder in (
                self.events.parent,
                self.broker,
                self.dagster,
                self.sandbox,
                self.logs,
                self.run,
                self.work,
            ):
                folder.mkdir(mode=0o700, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.run):
                pass
        except OSError as error:
            raise ConfigurationError(
                f"SWARM_HOME {self.root} cannot be used: {error.strerror}",
                hint="set SWARM_HOME to a folder you may write",
            ) from error

    def usable(self) -> None:
        """Raise ``ConfigurationError`` unless a start could use this home; it leaves no trace."""
        self._require_speakable()
        nearest = next(p for p in (self.root, *self.root.parents) if p.exists())
        try:
            with tempfile.TemporaryDirectory(dir=nearest):
                pass  # tried, because root is told yes by every question
        except OSError as error:
            raise ConfigurationError(
                f"SWARM_HOME {self.root} cannot be used: {nearest}: {error.strerror}",
                hint="set SWARM_HOME to a folder you may write",
            ) from error

    def _require_speakable(self) -> None:
        if _UNSPEAKABLE & set(str(self.root)):
            raise ConfigurationError(
                f"SWARM_HOME {str(self.root)!r} holds a character Postgres cannot be started with",
                hint="choose a path without quotation mark, dollar, backtick, backslash or newline",
            )

    def key_secret(self) -> str:
        """Return the HMAC secret of the work-order keys; made once and kept.

        Losing it would give every known work order a new key, so it is never regenerated silently.
        """
        path = self.root / "key_secret"
        if not path.exists():
            write_private(path, secrets.token_hex(32))
        return path.read_text("ascii").strip()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the installation; raises ``RefusedError`` while another supervisor does."""
        path = self.run / "lock"
        with path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise RefusedError(
                    f"another `swarm up` (pid {holder}) already runs on {self.root}",
                    hint="stop it, or give this one a SWARM_HOME of its own",
                ) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def describe(self, environment: Mapping[str, str]) -> None:
        """Leave the environment of the running installation for the other commands."""
        write_private(self.description, json.dumps(environment, indent=1, sort_keys=True))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
