"""``swarm doctor``: is this machine ready, what is set, who answers."""

import os
from typing import Annotated

import typer
from rich.table import Table

from swarm.cli.diagnosis import Finding, Health, installation, machine, services, variables
from swarm.cli.output import FAILED, console, leave, print_json
from swarm.installation.enter import description
from swarm.installation.environment import home_of

_MARKS = {Health.GOOD: "[green]good[/]", Health.NOTE: "[yellow]note[/]", Health.BAD: "[red]bad[/]"}


def doctor(
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port the UI would use.")] = 3000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at everything the system needs, change nothing, send nothing.

    Without a running `swarm up`, settings the sandbox would provide are not missed.
    Exit codes: 0 all well, 2 something is bad.
    """
    findings = diagnose(dict(os.environ), port)
    if as_json:
        print_json([finding.model_dump(mode="json") for finding in findings])
    else:
        console().print(_table(findings))
    if any(finding.health is Health.BAD for finding in findings):
        leave(FAILED)


def diagnose(user: dict[str, str], port: int) -> list[Finding]:
    """Return every finding about this machine and the installation the environment names."""
    described = description(home_of(user))
    findings = [*machine(), *installation(described, port)]
    if not described and not user.get("DATABASE_URL"):
        return findings  # nothing runs and nothing is set: `swarm up` would provide all of it
    for name, value in described.items():
        os.environ.setdefault(name, value)
    return [*findings, *variables(user, described), *services()]


def _table(findings: list[Finding]) -> Table:
    table = Table("area", "what", "", "detail")
    for finding in findings:
        table.add_row(finding.area, finding.name, _MARKS[finding.health], finding.detail)
    return table
