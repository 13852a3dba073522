"""``swarm dead``: look at dead letters and queue them again."""

from typing import Annotated

import typer

from swarm.cli.output import NO, installation, leave, print_json, say
from swarm.errors import MalformedInputError
from swarm.intake.stream.names import find_key
from swarm.publishing.ledger.claim import publication_state
from swarm.publishing.ledger.states import LedgerState
from swarm.settings import Settings
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue
from swarm.store.queue import JobQueue

app = typer.Typer(help="Work orders that gave up, and why.", no_args_is_help=True)


@app.command("list")
def list_(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the dead letters, oldest first."""
    jobs = _queue().dead()
    if as_json:
        print_json([job.model_dump(mode="json") for job in jobs])
        return
    for job in jobs:
        say(f"{job.work_order_key}  {job.failures} failures  {job.dead_reason}")
    if not jobs:
        say("no dead letters")


@app.command()
def replay(
    key: Annotated[str | None, typer.Argument(help="Work-order key or its beginning.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
) -> None:
    """Queue a dead work order again with a fresh failure budget; its history stays.

    One whose publication gave up is opened by `swarm release` alone. Exit code 1 when one of them
    was not queued again.
    """
    settings, database = installation()
    queue = PostgresQueue(database, settings.queue)
    if (key is None) is not everything:
        raise MalformedInputError("give either one KEY or --all", hint="swarm dead list")
    keys = (
        [job.work_order_key for job in queue.dead()]
        if key is None
        else [_key(settings, database, key)]
    )
    refused = [k for k in keys if not queue.replay(k)]
    for k in keys:
        say(f"{k}  {_why_not(k) if k in refused else 'queued again'}")
    if refused:
        leave(NO)


def _key(settings: Settings, database: Database, name: str) -> str:
    with database.transaction() as connection:
        return find_key(connection, name, settings.core.swarm_key_secret.get_secret_value())


def _why_not(key: str) -> str:
    _, database = installation()
    state = PostgresStore(database).state(key)
    with database.transaction() as connection:
        buried = publication_state(connection, key) is LedgerState.DEAD
    if buried:
        return f"its publication gave up: swarm release {key} --actor NAME --reason WHY"
    return f"is no dead letter ({state.value})"


def _queue() -> JobQueue:
    settings, database = installation()
    return PostgresQueue(database, settings.queue)
