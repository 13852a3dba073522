"""What a process makes once and keeps: settings, the connection pool, clients, the specialist.

A run lasts a fraction of a second; TLS contexts, pools and token caches made anew for each would be
most of it. A forked child starts with none of its parent's connections.
"""

import os
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING, TypedDict

from swarm.clients.monday import MondayClient
from swarm.clients.outlook import GraphOutlook, outlook_of
from swarm.clients.zapier import ZapierHook
from swarm.knowledge import Shelf
from swarm.settings import Settings, load_settings
from swarm.shadow.this_engine import engine_here
from swarm.specialists.protocol import Specialist
from swarm.specialists.select import select_specialist
from swarm.specialists.turns import PATIENCE_OF_A_RUN, turns_of
from swarm.stages.checkpointer import borrowing_checkpointer
from swarm.stages.engine import Engine
from swarm.stages.graph_runner import langgraph_is_here
from swarm.store import home_world
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.world_rows import require_own

if TYPE_CHECKING:
    from langgraph.checkpoint.postgres import PostgresSaver

_IDLE_SECONDS = 5.0


class _Pool(TypedDict, total=False):
    max_connections: int
    idle: float


_pool_of_process: _Pool = {}


def hold_one_connection() -> None:
    """Let this process hold one connection to our tables, and that only while it works.

    For run workers, of which there may be many. Its threads (heartbeat, reviews, checkpoints) take
    turns: a statement lasts milliseconds.
    """
    _pool_of_process.update({"max_connections": 1, "idle": _IDLE_SECONDS})
    database.cache_clear()


@cache
def settings() -> Settings:
    """Return the settings, read at first use.

    Raises ``ConfigurationError``; ``RefusedError`` when home, database and mailbox are not one
    installation, whoever started this process; ``DatabaseUnavailableError`` when it cannot ask.
    """
    known = load_settings()
    home = home_world.read(known.core.swarm_home)
    url = known.core.database_url.get_secret_value()
    with closing(Database(url, max_connections=1)) as asked, asked.transaction() as connection:
        require_own(connection, known, home.database_id if home else None)
    return known


@cache
def database() -> Database:
    """Return this process's pool on our tables."""
    return Database(settings().core.database_url.get_secret_value(), **_pool_of_process)


@cache
def outlook() -> GraphOutlook:
    """Return this process's Microsoft Graph client with its token cache."""
    return outlook_of(settings())


@cache
def monday() -> MondayClient:
    """Return this process's monday.com client."""
    return MondayClient(settings().monday)


@cache
def zapier() -> ZapierHook:
    """Return this process's Catch Hook."""
    known = settings()
    return ZapierHook(known.zapier, deadline_seconds=known.publishing.send_deadline_seconds)


@cache
def specialist() -> Specialist:
    """Return who thinks: the model of the settings, or the rules."""
    known = settings()
    return select_specialist(
        known.model,
        PostgresStore(database()),
        acknowledge=known.core.acknowledge_unanswered,
        turns=turns_of(known, database(), patience=PATIENCE_OF_A_RUN),
    )


@cache
def knowledge() -> Shelf:
    """Return the shelf of approved answers; what stands on it is read anew by each run."""
    return Shelf(settings().core.knowledge_folder)


@cache
def checkpointer() -> "PostgresSaver | None":
    """Return the graphs' checkpointer, so that a crash repeats no node; None without LangGraph."""
    if not langgraph_is_here():
        return None
    return borrowing_checkpointer(database())


def engine() -> Engine:
    """Return which engine this process is: what its runs judge with."""
    return engine_here(settings())


_MADE_ONCE = (settings, database, outlook, monday, zapier, specialist, knowledge, checkpointer)


def _forget() -> None:
    for made in _MADE_ONCE:
        made.cache_clear()


os.register_at_fork(after_in_child=_forget)
