"""``python -m swarm_assets.runtime.dagster_tables``: make Dagster's tables, bring them up to date.

Once at a start, by the owner of the tables: ten programs that look for themselves whether the
tables are there open three connections and take 0.1 s and 10 MB each.
"""

import os

from dagster import DagsterInstance

from swarm_assets.runtime.storage import PooledPostgresStorage


def main() -> None:
    """Make what is missing in the database of ``DAGSTER_POSTGRES_URL``, then migrate."""
    PooledPostgresStorage(os.environ["DAGSTER_POSTGRES_URL"], should_autocreate_tables=True)
    with DagsterInstance.get() as instance:
        instance.upgrade(print)


if __name__ == "__main__":
    main()
