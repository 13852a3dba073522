"""``swarm doctor``: is this machine ready, what is set, who answers, and what helps."""

import os
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby
from typing import Annotated, Final

import typer
from rich.text import Text

from swarm.cli import reaching, reaching_graph
from swarm.cli.diagnosis import chat_model, home, installation, machine, postgres, variables
from swarm.cli.findings import AREAS, Finding, Health
from swarm.cli.ground import ground
from swarm.cli.knowledge_findings import knowledge_findings
from swarm.cli.output import FAILED, console, leave, print_json
from swarm.errors import ConfigurationError, SwarmError
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
_MARKS: Final = {Health.GOOD: "OK", Health.NOTE: "WARN", Health.BAD: "FAIL"}
_STYLES: Final = {Health.GOOD: "green", Health.NOTE: "yellow", Health.BAD: "red"}
_WIDTH: Final = 80
_NAME: Final = 26  # signs of the longest name that keeps its text beside it
_INDENT: Final = 8

Check = Callable[[], Iterable[Finding]]


def doctor(
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port the UI would use.")] = 3000,
    other_mailbox: Annotated[
        str,
        typer.Option(
            "--other-mailbox",
            metavar="ADDRESS",
            help="A mailbox the app must not read: good is only a refusal.",
        ),
    ] = "",
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds all of it may take; what is late is named.")
    ] = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at everything the system needs, change nothing, send nothing.

    Without a running `swarm up`, settings the sandbox would provide are not missed.
    Exit codes: 0 all well, 2 something is bad.
    """
    findings = diagnose(dict(os.environ), port, other_mailbox=other_mailbox, timeout=timeout)
    if as_json:
        print_json([finding.model_dump(mode="json") for finding in findings])
    else:
        _print(findings)
    if any(finding.health is Health.BAD for finding in findings):
        leave(FAILED)


def diagnose(
    user: dict[str, str], port: int, *, other_mailbox: str = "", timeout: float = 120.0
) -> list[Finding]:
    """Return every finding about this machine and the installation the environment names."""
    checks = _checks(user, port, other_mailbox)
    return list(_in_time(checks, timeout))


def _checks(user: dict[str, str], port: int, other_mailbox: str) -> list[tuple[str, Check]]:
    """Choose what is asked; each check stands alone, and what is wrong with one hides no other."""
    place = home_of(user)
    described = description(place)
    here: list[tuple[str, Check]] = [
        ("python", machine),
        ("swarm up", partial(installation, described, port)),
        ("home", partial(ground, place)),
    ]
    real = doubles({}) - doubles(user)
    nothing = not described and not user.get("DATABASE_URL") and not real
    given = described or _as_up_would(user, place, port)
    if not nothing:
        for name, value in given.items():
            os.environ.setdefault(name, value)
    settings = None if nothing else _settings()
    here += [
        ("home", partial(home, place, settings)),
        ("settings", partial(variables, user, given)),
        ("knowledge", knowledge_findings),
    ]
    runs = bool(described or user.get("DATABASE_URL"))
    if runs:
        here.append(("postgres", postgres))
    if settings is None:
        return [*here, ("model", chat_model)]
    doubled = frozenset[str]() if runs else doubles(user)
    return [*here, *_outside(settings, doubled, other_mailbox)]


def _outside(
    settings: Settings, doubled: frozenset[str], other_mailbox: str
) -> Iterator[tuple[str, Check]]:
    """Ask each service that is not going to be doubled."""
    if "graph" not in doubled:
        yield "graph", partial(reaching_graph.graph, settings.graph, other_mailbox)
    if "monday" not in doubled:
        yield "monday", partial(reaching.crm, settings.monday)
    if "zapier" not in doubled:
        yield "zapier", partial(reaching.hook, settings.zapier)
    yield "model", partial(reaching.model, settings.model)


def _in_time(checks: Iterable[tuple[str, Check]], timeout: float) -> Iterator[Finding]:
    """Yield what each check finds until the time is over; one that hangs is left behind."""
    deadline = time.monotonic() + timeout
    for name, check in checks:
        found: list[Finding] = []
        asking = threading.Thread(target=_collect, args=(check, found), daemon=True)
        asking.start()
        asking.join(max(deadline - time.monotonic(), 0.0))
        yield from tuple(found)
        if asking.is_alive():
            yield Finding(
                area="services",
                name=name,
                health=Health.BAD,
                detail=f"no answer before the {timeout:g} s of this command were over",
                helps="ask again with a longer --timeout; does something hold its connection?",
            )


def _collect(check: Check, found: list[Finding]) -> None:
    try:
        for finding in check():
            found.append(finding)  # noqa: PERF402 - what was found before a hang is told
    except Exception as error:  # noqa: BLE001 - a check that breaks is a finding, not the end
        found.append(_broken(error))


def _broken(error: Exception) -> Finding:
    ours = isinstance(error, SwarmError)
    return Finding(
        area="services",
        name="this command",
        health=Health.BAD,
        detail=str(error) if ours else f"a check of its own broke: {type(error).__name__}",
        helps="" if ours else "please report it with the version and the command",
    )


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


def _print(findings: list[Finding]) -> None:
    """Print one block an area, eighty signs wide; what helps stands under what is wrong."""
    ordered = sorted(findings, key=lambda finding: AREAS.index(finding.area))
    for area, group in groupby(ordered, key=lambda finding: finding.area):
        console().print(Text(area, style="bold"))
        for finding in group:
            for line in _lines(finding):
                console().print(line, soft_wrap=True)


def _lines(finding: Finding) -> Iterator[Text]:
    mark = Text(f"  {_MARKS[finding.health]:<6}", style=_STYLES[finding.health])
    room = _WIDTH - _INDENT - _NAME
    words = textwrap.wrap(finding.detail, room) or [""]
    if len(finding.name) >= _NAME:
        yield mark + Text(finding.name, style="not bold default")
    else:
        first, words = words[0], words[1:]
        yield mark + Text(f"{finding.name:<{_NAME}}{first}", style="default")
    for line in (*words, *textwrap.wrap(finding.helps, room, initial_indent="-> ")):
        yield Text(" " * (_INDENT + _NAME) + line)
