"""Dagster's run storage on Postgres, which asks once what columns its tables have.

Stock asks at every look at a run and every change of one: six reflections a run in the worker, and
more in the daemon, which looks every second. The engine it runs on is made in ``storage``.
"""

from collections.abc import Callable

from dagster_postgres.run_storage import PostgresRunStorage


class LeanRunStorage(PostgresRunStorage):
    """The stock run storage; only a yes is remembered, for columns are added and never dropped."""

    _there: frozenset[str] = frozenset()

    def has_run_stats_index_cols(self) -> bool:
        """Ask once."""
        return self._once("run stats", super().has_run_stats_index_cols)

    def has_backfill_id_column(self) -> bool:
        """Ask once."""
        return self._once("backfill id", super().has_backfill_id_column)

    def has_bulk_actions_selector_cols(self) -> bool:
        """Ask once."""
        return self._once("selector", super().has_bulk_actions_selector_cols)

    def has_backfill_tags_table(self) -> bool:
        """Ask once."""
        return self._once("backfill tags", super().has_backfill_tags_table)

    def _once(self, name: str, ask: Callable[[], bool]) -> bool:
        if name not in self._there and ask():
            self._there |= {name}
        return name in self._there
