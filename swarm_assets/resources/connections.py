"""Postgres, Outlook, monday.com, Zapier and who thinks, as resources: hands on what is made once.

What lives elsewhere: the clients (``swarm.clients``) and the store (``swarm.store``) themselves,
their settings and lifetime (``process``).
"""

import dagster as dg

from swarm.clients.protocol import DraftHook, Monday, Outlook
from swarm.knowledge import Shelf
from swarm.settings import QueueSettings
from swarm.specialists.protocol import Specialist
from swarm.store.database import Database
from swarm.store.escalation_policy import policy_of
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue
from swarm_assets.resources import process


@dg.resource(description="The process's pool on our tables (DATABASE_URL).")
def database(_context: dg.InitResourceContext) -> Database:
    """Return the pool; opened lazily, kept over runs."""
    return process.database()


@dg.resource(description="Work orders, artifacts, verdicts and the event chain.")
def store(_context: dg.InitResourceContext) -> PostgresStore:
    """Return the store on the process's pool."""
    return PostgresStore(process.database(), policy=policy_of(process.settings().core))


@dg.resource(description="swarm_jobs: who works on which work order.")
def queue(_context: dg.InitResourceContext) -> PostgresQueue:
    """Return the queue on the process's pool."""
    return PostgresQueue(process.database(), process.settings().queue)


@dg.resource(description="How long a lease lasts and how often it is renewed.")
def leases(_context: dg.InitResourceContext) -> QueueSettings:
    """Return the settings of the queue."""
    return process.settings().queue


@dg.resource(
    description="The shared mailbox over Microsoft Graph: read, and marked, never sent from."
)
def outlook(_context: dg.InitResourceContext) -> Outlook:
    """Return the process's one, with its connections and tokens."""
    return process.outlook()


@dg.resource(description="Contacts, deals and updates on monday.com, read-only.")
def monday(_context: dg.InitResourceContext) -> Monday:
    """Return the process's one, with its connections and tokens."""
    return process.monday()


@dg.resource(description="The Catch Hook that turns a payload into a draft; its URL is the secret.")
def zapier(_context: dg.InitResourceContext) -> DraftHook:
    """Return the process's one, with its connections and tokens."""
    return process.zapier()


@dg.resource(description="Who thinks behind the stages: the configured chat model, or the rules.")
def specialist(_context: dg.InitResourceContext) -> Specialist:
    """Return the process's one, with its connections and tokens."""
    return process.specialist()


@dg.resource(description="The house's approved answers (KNOWLEDGE_DIR), read anew by each run.")
def knowledge(_context: dg.InitResourceContext) -> Shelf:
    """Return the process's one; it holds no state but its folder."""
    return process.knowledge()
