"""``swarm database``: the roles of the database. What each may do: ``swarm.store.roles``."""

import os
import sys
from typing import Annotated

import psycopg
import typer
from pydantic import JsonValue
from rich.table import Table

from swarm.cli.output import NO, console, leave, print_json, say
from swarm.errors import ConfigurationError
from swarm.installation import logins
from swarm.installation.enter import database_url
from swarm.installation.environment import home_of
from swarm.store import role_setup
from swarm.store.database_errors import in_our_words
from swarm.store.migrate import migrate as bring_up
from swarm.store.roles import ABOUT, Role, url_as

app = typer.Typer(help="The roles of the database.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def roles(
    *,
    as_sql: Annotated[
        bool, typer.Option("--sql", help="Print the SQL an administrator runs once.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the database; exit code 1: not so.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say which roles there are and what each is for, print their SQL, or check them."""
    if as_sql:
        sys.stdout.write(role_setup.script_for_people())
        return
    found = _problems() if check else ()
    if as_json:
        about: dict[str, JsonValue] = {role.value: said for role, said in ABOUT.items()}
        print_json({"roles": about, "problems": list(found) if check else None})
    elif check:
        for problem in found or ("every role may do what it should and nothing else",):
            say(problem)
    else:
        console().print(_table())
    if found:
        leave(NO)


@app.command()
def url(
    *,
    role: Annotated[Role, typer.Option(help="Who is to log in.")] = Role.READER,
) -> None:
    """Print the URL that logs in as a role; by default as people do, who only read.

    It holds a password. The embedded server must run.
    """
    running = database_url("DATABASE_URL")
    file = home_of(os.environ).database_logins
    if not file.exists():
        raise ConfigurationError(
            "the passwords of this database are not kept here",
            hint="whoever made its roles chose them: `swarm database roles --sql`",
        )
    known = logins.passwords(file)
    sys.stdout.write(url_as(running, role, known[role.value]) + "\n")


@app.command()
def migrate(*, as_json: AsJson = False) -> None:
    """Bring our tables up to date as the role that owns them, and lay down everybody's rights.

    `swarm up` does it by itself. Where programs are started without it: once a release, before
    anything starts, and once more after `dagster instance migrate`.
    """
    with in_our_words():
        applied = bring_up(database_url(logins.VARIABLES[Role.OWNER], "DATABASE_URL"))
    if as_json:
        print_json({"applied": list(applied)})
    else:
        say(f"applied: {', '.join(applied)}" if applied else "up to date; the rights are laid down")


def _problems() -> tuple[str, ...]:
    url = database_url("DATABASE_URL")
    with in_our_words(), psycopg.connect(url, autocommit=True) as connection:
        return role_setup.problems(connection)


def _table() -> Table:
    table = Table("role", "what it is for", "its URL")
    for role, said in ABOUT.items():
        variable = "DATABASE_URL" if role is Role.WORKER else logins.VARIABLES.get(role, "-")
        table.add_row(role.value, said, variable)
    return table
