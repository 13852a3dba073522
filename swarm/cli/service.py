"""``swarm service``: the systemd unit of this installation. What is in it: ``swarm.up.service``."""

import getpass
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from swarm.cli.output import say
from swarm.up.service import NAME, Places, SystemdUnit, folder_of, install, remove

app = typer.Typer(
    help="The systemd unit: keeps `swarm up` running from boot on.", no_args_is_help=True
)

OfUser = Annotated[
    bool, typer.Option("--user", help="A unit of `systemctl --user` instead of the system's.")
]
Prefix = Annotated[
    Path, typer.Option("--prefix", help="Write below this folder instead of /: to look at it.")
]
Home = Annotated[Path | None, typer.Option("--home", help="SWARM_HOME of the service.")]
RunAs = Annotated[str, typer.Option("--run-as", help="Login the system's service runs as.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port of the UI.")]
Legacy = Annotated[
    bool, typer.Option("--legacy/--no-legacy", help="Run today's publishing path beside it.")
]
_ROOT = Path("/")


@app.command()
def show(
    *,
    of_user: OfUser = False,
    home: Home = None,
    run_as: RunAs = "swarm",
    port: Port = 3000,
    legacy: Legacy = True,
) -> None:
    """Print the unit file; nothing is written."""
    say(_unit(of_user, home, run_as, port, legacy).text.rstrip())


@app.command("install")
def install_(
    *,
    of_user: OfUser = False,
    home: Home = None,
    run_as: RunAs = "swarm",
    port: Port = 3000,
    legacy: Legacy = True,
    prefix: Prefix = _ROOT,
) -> None:
    """Write the unit and an environment file of mode 0600; starts nothing, says what to do next."""
    unit = _unit(of_user, home, run_as, port, legacy)
    for path in install(unit, Places(prefix.absolute(), folder_of(of_user=of_user))):
        say(f"wrote {path}")
    systemctl = "systemctl --user" if of_user else "systemctl"
    say("Next:")
    if not of_user:
        say(f"  chown {run_as}: {unit.home}")
    say(f"  put the settings into {unit.environment_file}")
    say(f"  {systemctl} daemon-reload && {systemctl} enable --now {NAME}")


@app.command("remove")
def remove_(*, of_user: OfUser = False, prefix: Prefix = _ROOT) -> None:
    """Take the unit away. Home, data and environment file stay."""
    say(f"removed {remove(Places(prefix.absolute(), folder_of(of_user=of_user)))}")
    systemctl = "systemctl --user" if of_user else "systemctl"
    say(f"If it still runs: {systemctl} disable --now {NAME}; then {systemctl} daemon-reload")


def _unit(of_user: bool, home: Path | None, run_as: str, port: int, legacy: bool) -> SystemdUnit:  # noqa: FBT001 - options, passed on
    data = Path.home() / ".local" / "share" / "swarm" if of_user else Path("/var/lib/swarm")
    config = folder_of(of_user=True).parents[1] / "swarm" if of_user else Path("/etc/swarm")
    return SystemdUnit(
        program=_program(),
        home=(home or data).absolute(),
        environment_file=config / "environment",
        user=getpass.getuser() if of_user else run_as,
        port=port,
        with_legacy=legacy,
        of_user=of_user,
    )


def _program() -> Path:
    """The `swarm` beside this interpreter, else the one on the path."""
    beside = Path(sys.executable).parent / "swarm"
    found = shutil.which("swarm")
    return beside if beside.exists() or found is None else Path(found)
