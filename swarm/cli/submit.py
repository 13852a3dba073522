"""``swarm submit``: feed mails into the real intake path of the installation at hand."""

import os
from typing import Annotated

import typer
from pydantic import JsonValue

from swarm.cli.output import NO, complain, leave, many, print_json, say
from swarm.installation import feeding
from swarm.installation.enter import enter
from swarm.installation.environment import SANDBOX_URL
from swarm.intake.stream.keys import work_order_key
from swarm.legacy.events import MailEvent
from swarm.legacy.submit import SubmitResult
from swarm.settings import Settings
from swarm.store.home_world import require_home
from swarm.store.world import Service


def submit(
    files: Annotated[
        list[str], typer.Argument(help=".eml, .mbox or .jsonl files; - for standard input.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Feed mails into the intake; what becomes of them shows in `swarm status`.

    A mail that cannot be read is named with its reason and the next one goes on; the exit code is
    1 then. The same mail handed in twice is one work order.
    """
    settings = enter()
    require_home(settings, *Service)
    result = feeding.submit(files, settings, os.environ.get(SANDBOX_URL))
    if as_json:
        print_json(_plain(result, settings))
    else:
        for problem in result.problems:
            complain(f"{problem.name}: {problem.reason}")
        rest = f"{len(result.repeated)} known already, {len(result.problems)} not taken in"
        say(f"{many(len(result.submitted), 'mail')} handed in, {rest}")
    if result.problems:
        leave(NO)


def _plain(result: SubmitResult, settings: Settings) -> JsonValue:
    secret = settings.core.swarm_key_secret.get_secret_value()

    def mail(event: MailEvent) -> JsonValue:
        return {"id": event["id"], "key": work_order_key(secret, event["id"])}

    return {
        "submitted": [mail(event) for event in result.submitted],
        "repeated": [mail(event) for event in result.repeated],
        "problems": [{"name": p.name, "reason": p.reason} for p in result.problems],
    }
