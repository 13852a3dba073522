"""The systemd unit of an installation: the one place where it is written down.

``swarm service`` prints, installs and removes it. Two kinds: of the system (a user of its own runs
it, from boot on) and of a user (``systemctl --user``). Pure but for ``install`` and ``remove``,
which touch three paths below a prefix and nothing else; nothing is started here.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from swarm.errors import ConfigurationError, RefusedError
from swarm.sockets import fits

NAME: Final = "swarm.service"

# What a service of the system may not do beside its work. The embedded server needs its own user
# when we are root, so the unit names an ordinary one; memory must stay executable for numpy's and
# libffi's trampolines.
_HARDENING: Final = """\
NoNewPrivileges=true
PrivateDevices=true
ProtectSystem=strict
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectKernelLogs=true
ProtectControlGroups=true
ProtectClock=true
ProtectHostname=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
LockPersonality=true
SystemCallArchitectures=native
CapabilityBoundingSet=
"""

_HOMES: Final = (("home",), ("root",))
_LONGEST_SOCKET: Final = "postgres/.s.PGSQL.5432"

_UNSPEAKABLE: Final = frozenset("\"'$\\")

_ENVIRONMENT: Final = """\
# Real services and secrets, one NAME=value a line; read by systemd, by nobody else. `swarm doctor`
# explains each. A service without any variable is doubled: see docs/connect-a-tenant.md.
# GRAPH_TENANT_ID=
# GRAPH_CLIENT_ID=
# GRAPH_CLIENT_SECRET=
# GRAPH_MAILBOX=
# MONDAY_TOKEN=
# MONDAY_CONTACTS_BOARD=
# MONDAY_DEALS_BOARD=
# ZAPIER_HOOK_URL=
"""


@dataclass(frozen=True, slots=True)
class SystemdUnit:
    """What to run, as whom, where its files are. ``of_user``: a unit of ``systemctl --user``."""

    program: Path
    home: Path
    environment_file: Path
    user: str = "swarm"
    port: int = 3000
    with_legacy: bool = True
    of_user: bool = False

    @property
    def text(self) -> str:
        """The unit file. Raises ``ConfigurationError`` for a path that systemd cannot be told."""
        return "\n".join([*self._head(), *self._service(), *self._install(), ""])

    @property
    def options(self) -> Sequence[str]:
        """The options of ``swarm up`` in it."""
        legacy = ("--with-legacy",) if self.with_legacy else ()
        return ("--no-samples", "--port", str(self.port), *legacy)

    def _head(self) -> list[str]:
        return [
            "# Written by `swarm service`; change it by installing it again.",
            "[Unit]",
            "Description=swarm-assets: e-mail work orders become reviewed drafts",
            "After=network-online.target",
            "Wants=network-online.target",
            "StartLimitIntervalSec=0",
            "",
        ]

    def _service(self) -> list[str]:
        command = " ".join((_quoted(self.program), "up", *self.options))
        return [
            "[Service]",
            *([] if self.of_user else [f"User={self.user}"]),
            f"WorkingDirectory={_plain(self.home)}",
            f"EnvironmentFile={_plain(self.environment_file)}",
            f"Environment={_quoted(f'SWARM_HOME={self.home}')}",
            f"ExecStart={command}",
            "# SIGTERM ends every program in order; what is in hand may finish.",
            "TimeoutStopSec=120",
            "KillMode=mixed",
            "Restart=always",
            "RestartSec=5",
            "UMask=0077",
            *([] if self.of_user else self._hardening()),
            "",
        ]

    def _hardening(self) -> list[str]:
        # A home or program below /home must be seen, if not written; and where paths are too long
        # for a socket, sockets lie in /tmp, which people's commands must share.
        at_home = any(path.parts[1:2] in _HOMES for path in (self.home, self.program))
        return [
            *_HARDENING.splitlines(),
            f"ProtectHome={'read-only' if at_home else 'true'}",
            f"PrivateTmp={'true' if fits(self.home / _LONGEST_SOCKET) else 'false'}",
            f"ReadWritePaths={_quoted(self.home)}",
        ]

    def _install(self) -> list[str]:
        return ["[Install]", f"WantedBy={'default' if self.of_user else 'multi-user'}.target"]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of a unit go, below ``prefix`` (``/`` but for a trial)."""

    prefix: Path
    folder: Path

    @property
    def unit(self) -> Path:
        """The unit file."""
        return _below(self.prefix, self.folder / NAME)


def folder_of(*, of_user: bool) -> Path:
    """Return where systemd looks for units of people who administer, or of this user."""
    if not of_user:
        return Path("/etc/systemd/system")
    named = os.environ.get("XDG_CONFIG_HOME")
    return (Path(named) if named else Path.home() / ".config") / "systemd" / "user"


def install(unit: SystemdUnit, places: Places) -> tuple[Path, ...]:
    """Write the unit, its environment file (mode 0600; an existing one stays) and the home.

    Returns what was written. Raises ``OSError`` where the rights are missing.
    """
    written = [places.unit]
    places.unit.parent.mkdir(parents=True, exist_ok=True)
    places.unit.write_text(unit.text, "utf-8")
    environment = _below(places.prefix, unit.environment_file)
    if not environment.exists():
        environment.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(environment, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(_ENVIRONMENT)
        written.append(environment)
    elif environment.stat().st_mode & 0o077:
        raise RefusedError(
            f"{environment} holds secrets and others may read it",
            hint=f"chmod 600 {environment}",
        )
    home = _below(places.prefix, unit.home)
    if not home.exists():
        home.mkdir(mode=0o700, parents=True)
        written.append(home)
    return tuple(written)


def remove(places: Places) -> Path:
    """Take the unit away; home and environment file stay. Raises ``RefusedError`` without one."""
    if not places.unit.exists():
        raise RefusedError(f"there is no {places.unit}", hint="nothing is installed there")
    places.unit.unlink()
    return places.unit


def _below(prefix: Path, path: Path) -> Path:
    return prefix / path.relative_to(path.anchor)


def _plain(path: Path) -> str:
    """A path that stands alone on its line: only specifiers (``%``) would be misread."""
    _require_speakable(str(path))
    return str(path).replace("%", "%%")


def _quoted(word: Path | str) -> str:
    """One word among others on a line: of a command, an environment, a list of paths."""
    text = _plain(Path(word)) if isinstance(word, Path) else word.replace("%", "%%")
    _require_speakable(text)
    return f'"{text}"' if " " in text else text


def _require_speakable(text: str) -> None:
    """Raise unless systemd takes it: a program's name is not unescaped, so quotes have no way."""
    if not text.isprintable() or set(text) & _UNSPEAKABLE:
        raise ConfigurationError(
            f"{text!r} cannot stand in a unit file",
            hint="choose a path without quotation marks, dollar, backslash or control characters",
        )
