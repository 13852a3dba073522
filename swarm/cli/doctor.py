"""``swarm doctor``: is this machine ready, what is set, who answers."""

import os
from typing import Annotated

import typer
from rich.table import Table

from swarm.cli.diagnosis import (
    chat_model,
    home,
    installation,
    machine,
    outside,
    services,
    variables,
)
from swarm.cli.findings import Finding, Health
from swarm.cli.output import FAILED, console, leave, print_json
from swarm.errors import ConfigurationError
from swarm.installation.enter import description
from swarm.installation.environment import (
    DOUBLES_URL,
    Addresses,
    children_environment,
    doubles,
    home_of,
    sandbox_part,
)
from swarm.installation.home import Home
from swarm.sandbox import environment as sandbox_environment
from swarm.sandbox.addresses import base_url
from swarm.settings import Settings, load_settings

_PLACEHOLDER_URL = "postgresql:///swarm"  # no question is put to it
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
    place = home_of(user)
    described = description(place)
    findings = [*machine(), *installation(described, port)]
    real = doubles({}) - doubles(user)
    if not described and not user.get("DATABASE_URL") and not real:
        # nothing runs and nothing is set: `swarm up` would provide all of it
        return [*findings, *home(place, None), *chat_model()]
    given = described or _as_up_would(user, place, port)
    for name, value in given.items():
        os.environ.setdefault(name, value)
    findings += [*home(place, _settings()), *variables(user, given)]
    if described or user.get("DATABASE_URL"):
        return [*findings, *services()]
    settings = _settings()
    return [*findings, *(outside(settings, doubles(user)) if settings else chat_model())]


def _as_up_would(user: dict[str, str], place: Home, port: int) -> dict[str, str]:
    """Return what `swarm up` would add here; nothing runs, so no double answers yet."""
    if user.get("DATABASE_URL"):  # other hosts start their programs without `swarm up`
        return {}
    doubled = sandbox_part(sandbox_environment(port), doubles(user))
    nowhere = Addresses(_PLACEHOLDER_URL, port, port + 1, port + 2)
    added = children_environment({}, place, nowhere, "to be made by `swarm up`", doubled)
    return {**added, DOUBLES_URL: base_url(port)}


def _settings() -> Settings | None:
    try:
        return load_settings()
    except ConfigurationError:
        return None  # told variable by variable


def _table(findings: list[Finding]) -> Table:
    table = Table("area", "what", "", "detail")
    for finding in findings:
        table.add_row(finding.area, finding.name, _MARKS[finding.health], finding.detail)
    return table
