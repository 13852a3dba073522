"""``swarm home``: a new home for other services, and which world a home lives in."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from swarm.cli.output import print_json, say
from swarm.errors import RefusedError
from swarm.installation.environment import home_of
from swarm.installation.home import Home
from swarm.store import home_world
from swarm.store.home_world import HomeWorld

app = typer.Typer(help="Homes: each lives in one world of services.", no_args_is_help=True)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="A folder that is empty or not there.")],
) -> None:
    """Make a home of its own for other services; nothing is started."""
    home = Home(folder.absolute())
    if home.root.exists() and (not home.root.is_dir() or any(home.root.iterdir())):
        raise RefusedError(f"{home.root} is not an empty folder", hint="name another one")
    home.prepare()
    home_world.write(home.root, home_world.read_or_new(home.root))
    say(f"{home.root} is a new home. Start it with the services it shall live with:")
    say(f"  SWARM_HOME={shlex.quote(str(home.root))} swarm up")
    if os.environ.get("DATABASE_URL"):
        say("DATABASE_URL is set: give this home a database of its own, or unset it.")


@app.command()
def show(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say which services the home named by SWARM_HOME has lived with."""
    home = home_of(os.environ)
    known = home_world.read(home.root)
    if as_json:
        print_json((known or HomeWorld(home_id="")).model_dump(mode="json"))
        return
    if known is None or not known.places:
        say(f"{home.root} has not been started yet")
        return
    say(f"{home.root} lives with")
    for place in known.places:
        say(f"  {place}")
