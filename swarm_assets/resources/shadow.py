"""What the comparison reaches, as one resource: the tables as the role that cannot publish.

What lives elsewhere: replaying and comparing themselves (``swarm.shadow``).
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import dagster as dg

from swarm.shadow import plan, rows
from swarm.shadow.models import Comparison
from swarm.shadow.replay.launch import MOST_SECONDS, Replaying, Report, replaying
from swarm.shadow.rows import Derived
from swarm.shadow.this_engine import this_engine
from swarm.store.database import Database
from swarm_assets.resources import process

_DUE = 500  # comparisons of one round


class Shadow:
    """Replays, comparisons and the plan of one installation."""

    def __init__(self, database: Database, how: Replaying) -> None:
        self.database = database
        self.how = how

    @property
    def engine(self) -> str:
        """The engine that is asked."""
        return self.how.engine

    def replay(self, keys: Sequence[str]) -> Report:
        """Replay what is missing, and what the plan says once more."""
        report = self.how.replay(keys)
        with self.database.transaction() as connection:
            again = plan.twice(connection, keys)
        if not again:
            return report
        rest = max(0.0, MOST_SECONDS - report.seconds)
        second = self.how.replay(again, number=2, seconds=rest)
        return report.model_copy(
            update={
                "left": report.left + second.left,
                "poisonous": tuple({*report.poisonous, *second.poisonous}),
                "seconds": report.seconds + second.seconds,
                "paid": report.paid + second.paid,
            }
        )

    def compare(self, keys: Sequence[str]) -> Sequence[Comparison]:
        """Compare what was replayed; returns what stands there then."""
        self.how.compare(keys)
        return rows.stored(self.database, keys, self.engine)

    def compare_due(self) -> Derived:
        """Compare live work orders, and again what a later record changed."""
        with closing(Database(self.how.url, max_connections=1)) as database:
            return rows.compare_due(database, self.engine, self.how.house.signature, _DUE)

    def anything_due(self) -> bool:
        """Whether there is anything to compare."""
        return rows.due(self.database, self.engine)


@dg.resource(
    required_resource_keys={"database"},
    description="Replays in processes that cannot publish, and what the comparison reads.",
)
def shadow(context: dg.InitResourceContext) -> Shadow:
    """Return it for the engine of this process."""
    house, engine = this_engine(process.settings())
    how = replaying(process.settings(), house, engine)
    return Shadow(context.resources.database, replace(how, keep=True))
