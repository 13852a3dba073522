"""Our tables as resources: the pool, the store and the queue on it."""

import dagster as dg

from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue
from swarm_assets.resources import process


class DatabaseResource(dg.ConfigurableResource[Database]):
    """This process's pool on our tables (``DATABASE_URL``)."""

    def create_resource(self, context: dg.InitResourceContext) -> Database:
        """Return the process's pool; opened lazily, kept over runs."""
        return process.database()


class StoreResource(dg.ConfigurableResource[PostgresStore]):
    """Work orders, artifacts, verdicts and the event chain."""

    def create_resource(self, context: dg.InitResourceContext) -> PostgresStore:
        """Return the store on the process's pool."""
        return PostgresStore(process.database())


class QueueResource(dg.ConfigurableResource[PostgresQueue]):
    """``swarm_jobs``."""

    def create_resource(self, context: dg.InitResourceContext) -> PostgresQueue:
        """Return the queue on the process's pool, with the settings' leases and back-off."""
        return PostgresQueue(process.database(), process.settings().queue)
