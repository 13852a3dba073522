"""``swarm up``: run the whole installation on this machine."""

from contextlib import nullcontext
from typing import Annotated

import typer

from swarm.cli.output import console, leave
from swarm.up.boot import run
from swarm.up.session import Options
from swarm.up.sizing import workers_here
from swarm.up.view import LiveScreen, PlainScreen


def up(
    *,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Stop when every work order is in a final state.")
    ] = False,
    no_samples: Annotated[
        bool, typer.Option("--no-samples", help="Do not feed the sample mails.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of the Dagster UI on 127.0.0.1.")
    ] = 3000,
    desk_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of the desk; unset: the one after --port."),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of /metrics; unset: two after --port."),
    ] = None,
    look_port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Port of a second, read-only UI; unset: there is none."
        ),
    ] = None,
    with_legacy: Annotated[
        bool, typer.Option("--with-legacy", help="Run today's publishing path as well.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0, help="Work orders in hand at once, on this host; unset: by cores and memory."
        ),
    ] = None,
    workers_elsewhere: Annotated[
        int,
        typer.Option(min=0, help="Work orders that `swarm worker` on other hosts has in hand."),
    ] = 0,
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt",
            help="Move this home to other services: close what is open, give publishing away.",
        ),
    ] = False,
    timeout: Annotated[
        float, typer.Option(help="Seconds --until-idle may take before it gives up.")
    ] = 600.0,
) -> None:
    """Start everything, feed the samples on the first start, show progress until Ctrl-C.

    Exit codes: 0 stopped, or idle with a clean audit; 1 not idle in time, or the audit found a
    breach; 2 it could not start.
    """
    options = Options(
        until_idle=until_idle,
        samples=not no_samples,
        port=port,
        desk_port=desk_port,
        metrics_port=metrics_port,
        look_port=look_port,
        with_legacy=with_legacy,
        workers=workers_here() if workers is None else workers,
        workers_elsewhere=workers_elsewhere,
        timeout=timeout,
        adopt=adopt,
    )
    terminal = console()
    screen = LiveScreen(terminal) if terminal.is_terminal else PlainScreen(terminal)
    with screen if isinstance(screen, LiveScreen) else nullcontext():
        code = run(options, screen)
    leave(code)
