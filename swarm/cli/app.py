"""Puts the commands together: the table of contents of ``swarm``.

Each command is imported when it is asked for: all of them together take more than a second and
70 MB, most of it for what one command in ten needs.
"""

from collections import UserDict
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from swarm.cli.output import guarded

if TYPE_CHECKING:
    from typer._click import Command

COMMANDS: Final = {
    "up": "up:up",
    "worker": "worker:worker",
    "submit": "submit:submit",
    "status": "look:status",
    "show": "look:show",
    "audit": "look:audit",
    "digest": "digest:digest",
    "release": "release:release",
    "erase": "erase:erase",
    "run-once": "run_once:run_once",
    "rehearse": "rehearse:rehearse_command",
    "report": "report:report",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "reconcile": "backup:reconcile",
    "doctor": "doctor:doctor",
    "alerts": "alerts:app",
    "database": "database:app",
    "dead": "dead:app",
    "escalations": "escalations:app",
    "gates": "gates:app",
    "review": "review:app",
    "ignored": "ignored:app",
    "knowledge": "knowledge:app",
    "quarantine": "quarantine:app",
    "publisher": "publisher:app",
    "legacy": "legacy:app",
    "home": "home:app",
    "service": "service:app",
    "history": "history:app",
    "shadow": "shadow:app",
}
"""Name -> where it is: a function, or the group of its own commands, of a module of this folder."""


class OnDemand(UserDict[str, Any]):
    """The commands by name, in the order of the table; each is imported when it is looked up."""

    def __init__(self) -> None:
        super().__init__(COMMANDS)

    def __getitem__(self, name: str) -> "Command":
        module, _, attribute = COMMANDS[name].partition(":")
        found = getattr(import_module(f"swarm.cli.{module}"), attribute)
        alone = typer.Typer(add_completion=False)
        if not isinstance(found, typer.Typer):
            alone.command(name)(found)
            return get_command(alone)
        alone.add_typer(found, name=name)
        return get_group(alone).commands[name]


class Contents(TyperGroup):
    """The group of all commands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = OnDemand()


app = typer.Typer(
    name="swarm",
    cls=Contents,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _swarm() -> None:
    """E-mail work orders become reviewed Outlook drafts. It never sends."""


def main() -> None:
    """Entry point of the ``swarm`` command."""
    guarded(app)
