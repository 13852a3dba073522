"""How commands speak: people read tables and sentences, programs read JSON, errors go to stderr."""

import json
import sys
from collections.abc import Callable
from typing import NoReturn

import typer
from pydantic import BaseModel, JsonValue
from rich.console import Console

from swarm.errors import SwarmError
from swarm.installation.enter import enter
from swarm.settings import Settings
from swarm.store.database import Database

YES, NO, FAILED = 0, 1, 2


def console() -> Console:
    """Return where people read."""
    return Console(highlight=False)


def say(sentence: str) -> None:
    """Print one sentence to stdout, unbroken and unstyled."""
    console().print(sentence, markup=False, soft_wrap=True)


def many(number: int, noun: str) -> str:
    """Return a count with its noun, as people write it."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def complain(sentence: str) -> None:
    """Print one sentence to stderr."""
    Console(stderr=True, highlight=False).print(sentence, markup=False, soft_wrap=True)


def print_json(value: BaseModel | JsonValue) -> None:
    """Print stable JSON: keys in declared order, two spaces, real UTF-8."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    sys.stdout.write(json.dumps(plain, indent=2, ensure_ascii=False) + "\n")


def leave(code: int) -> NoReturn:
    """End the command with this exit code."""
    raise typer.Exit(code)


def guarded(run: Callable[[], None]) -> None:
    """Run the application; an error of ours becomes one line and exit code 2, never a traceback."""
    try:
        run()
    except SwarmError as error:
        complain(f"swarm: {error}")
        sys.exit(FAILED)
    except OSError as error:  # a disk that is full, a file that is not ours: the user's to mend
        place = f": {error.filename}" if error.filename else ""
        complain(f"swarm: {error.strerror or type(error).__name__}{place}")
        sys.exit(FAILED)


def installation() -> tuple[Settings, Database]:
    """Return settings and database of the installation at hand; raises ``ConfigurationError``."""
    settings = enter()
    return settings, Database(settings.core.database_url.get_secret_value(), timeout=5.0)


def keeping() -> tuple[Settings, Database]:
    """Return the same, with the login of whoever audits and erases."""
    settings = enter()
    url = settings.core.keeper_database_url or settings.core.database_url
    return settings, Database(url.get_secret_value(), timeout=5.0)
