"""Our tables as resources: the pool, and the store, the queue and its settings on it."""

import dagster as dg

from swarm.settings import QueueSettings
from swarm.store.database import Database
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
    return PostgresStore(process.database())


@dg.resource(description="swarm_jobs: who works on which work order.")
def queue(_context: dg.InitResourceContext) -> PostgresQueue:
    """Return the queue on the process's pool."""
    return PostgresQueue(process.database(), process.settings().queue)


@dg.resource(description="How long a lease lasts and how often it is renewed.")
def leases(_context: dg.InitResourceContext) -> QueueSettings:
    """Return the settings of the queue."""
    return process.settings().queue
