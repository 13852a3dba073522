"""``swarm worker``: one worker of this host, for hosts on which no ``swarm up`` runs."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from swarm.cli.output import NO, YES, console, installation, leave, many, print_json, say
from swarm.errors import RefusedError
from swarm.installation.enter import description
from swarm.installation.environment import home_of, lone_worker_environment
from swarm.installation.home import Home
from swarm.up.lone_worker import Ended, LoneWorker, WorkerWish, drain
from swarm.up.programs import write_dagster_settings


class RunQueue(StrEnum):
    """The queues of the run workers."""

    WORK_ORDERS = "dagster"
    PUBLISHING = "publishing"
    SHADOW = "shadow"


def worker(
    *,
    queue: Annotated[RunQueue, typer.Option(help="Which runs it takes.")] = RunQueue.WORK_ORDERS,
    processes: Annotated[int, typer.Option(min=1, help="Runs in hand at once.")] = 2,
    once: Annotated[
        bool, typer.Option("--once", help="Take work orders until none is due, then end.")
    ] = False,
    drain_: Annotated[
        bool,
        typer.Option("--drain", help="Tell the workers of this home to finish what they hold."),
    ] = False,
    within: Annotated[
        float, typer.Option(min=0, help="Seconds --once may take, and runs in hand get to finish.")
    ] = 300.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print how it ended as JSON.")] = False,
) -> None:
    """Take runs that Dagster's daemon asks for, until SIGTERM; a second SIGTERM ends it at once.

    Exit codes: 0 everything it had was finished (--once: and nothing is due); 1 it left something,
    which is named and which the queue gives to another worker; 2 it could not work.
    """
    home = _prepared_host()
    _settings, database = installation()
    if drain_:
        ended = drain(home, within, say if not as_json else _quiet)
    elif once and queue is not RunQueue.WORK_ORDERS:
        raise RefusedError("--once is about work orders", hint="leave --queue out")
    else:
        ended = (LoneWorker(home, database, WorkerWish(queue, processes, once, within)).run(),)
    _tell(ended, as_json=as_json)
    leave(NO if any(_left_something(each) for each in ended) else YES)


def _prepared_host() -> Home:
    """Return this host's home; where no ``swarm up`` runs, with what a worker needs to begin."""
    home = home_of(os.environ)
    if not description(home) and os.environ.get("DATABASE_URL"):
        home.prepare()
        os.environ.update(lone_worker_environment(os.environ, home))
        # Whoever asks for runs counts the workers; this host only needs the rest of the file.
        write_dagster_settings(home, workers=1)
    return home


def _left_something(ended: Ended) -> bool:
    return bool(ended.left) or not (ended.due is None or ended.due.nothing)


def _tell(ended: tuple[Ended, ...], *, as_json: bool) -> None:
    if as_json:
        print_json([each.model_dump(mode="json") for each in ended])
        return
    if not ended:
        say("no worker of this home runs")
    for each in ended:
        for sentence in _sentences(each):
            console().print(sentence, markup=False, soft_wrap=True)


def _sentences(ended: Ended) -> list[str]:
    told = [
        f"left in hand: {key}; another worker takes it when its lease ends" for key in ended.left
    ]
    if ended.due is not None and not ended.due.nothing:
        told.append(
            f"left untaken: {many(ended.due.queued, 'work order')} due,"
            f" {ended.due.requested} asked for; does Dagster's daemon run?"
        )
    return told or ["nothing is left in hand"]


def _quiet(_sentence: str) -> None:
    """Whoever reads JSON reads nothing else."""
