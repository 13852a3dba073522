"""Work orders worked out again, batch by batch, in this process or over a pool of them.

Every process sees the same snapshot of the database, exported by the transaction that asked the
other questions. A work order takes about a millisecond, nearly all of it JSON and hashing, so a
second core halves the time; below a few batches a pool costs more than it saves. What is checked:
``chain_checks``, ``content_checks``, ``publication_checks``, and the batch questions of ``tables``.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from swarm.observe.audit import chain_checks, content_checks, publication_checks, tables
from swarm.observe.audit.report import Breach, Limits
from swarm.observe.audit.stored import read
from swarm.store.database import Connection

BATCH = 200
_ALONE = 5  # batches; a pool needs about a second to start

Progress = Callable[[int, int], None]
"""Called with how many work orders are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Recomputation:
    """What a process of the pool needs to know to look at what the others look at."""

    url: str
    snapshot: str
    required_rules: tuple[str, ...]
    limits: Limits


def recompute(
    connection: Connection, keys: Sequence[str], job: Recomputation, progress: Progress
) -> Iterator[Breach]:
    """Yield every breach of these work orders; ``connection`` holds the snapshot open."""
    batches = [keys[start : start + BATCH] for start in range(0, len(keys), BATCH)]
    cores = min(os.cpu_count() or 1, len(batches))
    if len(batches) <= _ALONE or cores == 1:
        found: Iterator[list[Breach]] = (breaches_of(connection, batch, job) for batch in batches)
        yield from _counting(found, len(keys), progress)
        return
    context = multiprocessing.get_context("spawn")  # our threads and connections stay ours
    with ProcessPoolExecutor(cores, context, _begin, (job,)) as pool:
        yield from _counting(pool.map(_work, batches), len(keys), progress)


def breaches_of(connection: Connection, keys: Sequence[str], job: Recomputation) -> list[Breach]:
    """Return the breaches of one batch."""
    found = [
        Breach(subject=stored.key, **finding._asdict())
        for stored in read(connection, keys)
        for finding in (
            *chain_checks.check(stored),
            *content_checks.check(stored),
            *publication_checks.check(stored, job.limits.acknowledgement),
        )
    ]
    parameters = {"keys": list(keys), "required": list(job.required_rules)}
    found += [
        Breach(promise=question.promise, check=question.name, subject=subject, detail=detail)
        for question, subject, detail in tables.ask_of(connection, parameters)
    ]
    return found


def _counting(found: Iterator[list[Breach]], total: int, progress: Progress) -> Iterator[Breach]:
    for number, breaches in enumerate(found, 1):
        progress(min(number * BATCH, total), total)
        yield from breaches


# --- a process of the pool ------------------------------------------------------------------------

_mine: list[tuple[Connection, Recomputation]] = []  # one connection per process


def _begin(job: Recomputation) -> None:
    options = "-c search_path=swarm,public -c timezone=UTC"
    connection: Connection = psycopg.connect(job.url, row_factory=dict_row, options=options)
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(job.snapshot))
    _mine.append((connection, job))


def _work(keys: Sequence[str]) -> list[Breach]:
    connection, job = _mine[0]
    return breaches_of(connection, keys, job)
