"""Dagster's event log on Postgres in fewer statements: the same screen at a fraction of the cost.

One run of ours writes some 130 events. Stock stores each in statements of its own and asks the
database the same questions again and again (714 statements a run). What is stored, and in which
order, is the same. The engine it runs on is made in ``storage``.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dagster import (
    AssetKey,
    AssetRecordsFilter,
    EventLogRecord,
    EventRecordsResult,
)
from dagster import _check as check
from dagster._core.event_api import EventLogCursor
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from dagster_postgres.event_log import PostgresEventLogStorage
from sqlalchemy.engine import Connection

if TYPE_CHECKING:
    from dagster_postgres.auth import PgTokenProvider

# What a step says between its effects. Each is followed by an effect or the end of its step within
# milliseconds and can wait for that. A killed worker loses these lines of the screen and nothing
# else: what a check found stands in our verdicts, and a failed one stops its run in memory.
_SMALL_TALK: Final = frozenset(
    {
        DagsterEventType.STEP_START,
        DagsterEventType.STEP_INPUT,
        DagsterEventType.LOADED_INPUT,
        DagsterEventType.STEP_OUTPUT,
        DagsterEventType.HANDLED_OUTPUT,
        DagsterEventType.ASSET_CHECK_EVALUATION,
    }
)

_MADE: Final = DagsterEventType.ASSET_MATERIALIZATION
_ENDS: Final = frozenset(
    {
        DagsterEventType.RUN_SUCCESS,
        DagsterEventType.RUN_FAILURE,
        DagsterEventType.RUN_CANCELED,
    }
)

# Rows as parameters, not as part of the statement, which then is compiled once and not 70 times.
_INSERT: Final = SqlEventLogStorageTable.insert().returning(
    SqlEventLogStorageTable.c.id, sort_by_parameter_order=True
)


class LeanEventLog(PostgresEventLogStorage):
    """The stock event log, minus the questions it repeats and with several events a statement.

    Of 714 statements of one run, 120 asked whether a table exists, 66 whether its own partition
    does, and 32 what its own step had stored. Tables are never dropped under a running process, and
    a partition stays while a run holds it (``sensors/retire.py``); only a yes is remembered.
    """

    _tables: frozenset[str] = frozenset()
    _columns: frozenset[str] = frozenset()
    _partition: tuple[str, str] | None = None

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,  # noqa: FBT001, FBT002 - Dagster's own signature
        inst_data: ConfigurableClassData | None = None,
        token_provider: "PgTokenProvider | None" = None,
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data, token_provider)
        self._waiting: defaultdict[str, list[EventLogEntry]] = defaultdict(list)
        self._made = Made()

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event and its index rows; small talk waits for the next event of its run.

        Without the stock ``NOTIFY``: nobody listens any more, and at commit every NOTIFY takes a
        lock that all backends share.
        """
        if event.dagster_event_type in _SMALL_TALK:
            self._waiting[event.run_id].append(event)
        else:
            self._store([*self._waiting.pop(event.run_id, ()), event])

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events that Dagster hands over together, in one statement and one transaction."""
        self._store(events)

    def _store(self, events: Sequence[EventLogEntry]) -> None:
        rows = [self._event_to_row(event) for event in events]
        with self._connect() as connection:
            stored = list(zip(events, connection.execute(_INSERT, rows).scalars(), strict=True))
        assets = [(event, number) for event, number in stored if _about_asset(event)]
        if assets:
            with self.index_transaction() as connection:
                self._store_asset_event_tags(connection, *zip(*assets, strict=True))
                for event, number in assets:
                    self._store_asset_event(connection, event, number)
        for event, number in stored:
            if event.dagster_event_type in ASSET_CHECK_EVENTS:
                self.store_asset_check_event(event, number)
            else:
                self._made = self._made.after(event, number)

    def fetch_materializations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,  # noqa: FBT001, FBT002 - Dagster's own signature
    ) -> EventRecordsResult:
        """Answer what each check of a step asks, which asset it looked at, from memory: the step
        has just stored it.
        """
        last = self._made.asked(records_filter)
        if last is None or limit != 1 or cursor or ascending:
            return super().fetch_materializations(records_filter, limit, cursor, ascending)
        here = EventLogCursor.from_storage_id(last.storage_id).to_string()
        return EventRecordsResult([last], here, has_more=True)

    def get_latest_tags_by_partition(  # noqa: PLR0917 - Dagster's own signature
        self,
        asset_key: AssetKey,
        event_type: DagsterEventType,
        tag_keys: Sequence[str],
        asset_partitions: Sequence[str] | None = None,
        before_cursor: int | None = None,
        after_cursor: int | None = None,
    ) -> Mapping[str, Mapping[str, str]]:
        """Answer what each step asks of its inputs, their data versions, from memory: steps before
        it in this process have just stored them.
        """
        last = self._made.last(asset_key, asset_partitions)
        if last is None or event_type is not _MADE or before_cursor or after_cursor:
            return super().get_latest_tags_by_partition(
                asset_key, event_type, tag_keys, asset_partitions, before_cursor, after_cursor
            )
        entry = last.event_log_entry
        tags = entry.get_dagster_event().step_materialization_data.materialization.tags or {}
        partition = check.not_none(entry.get_dagster_event().partition)
        return {partition: {key: tags[key] for key in tag_keys if key in tags}}

    def has_table(self, table_name: str) -> bool:
        """Ask once per table."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables |= {table_name}
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        """Ask once per column of ``asset_keys``; 30 reflections a run otherwise."""
        known = column_name in self._columns
        if not known and super()._has_asset_key_col_on_connection(conn, column_name):
            self._columns |= {column_name}
        return column_name in self._columns

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Remember the last partition found: a worker process runs one work order at a time."""
        asked = (partitions_def_name, partition_key)
        if self._partition != asked and super().has_dynamic_partition(*asked):
            self._partition = asked
        return self._partition == asked

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """Delete and forget."""
        self._partition = None
        super().delete_dynamic_partition(partitions_def_name, partition_key)


@dataclass(frozen=True, slots=True)
class Made:
    """The materializations that this process stored of the run it executes, by asset and partition.

    One run at a time has a partition (``dagster.yaml``), so nobody makes newer ones meanwhile.
    """

    run_id: str = ""
    records: Mapping[tuple[str, str | None], EventLogRecord] = field(default_factory=dict)

    def after(self, event: EventLogEntry, number: int) -> "Made":
        """Return what is known after an event: one more, or nothing when the run is over or is
        another one. What a person reports by hand has no run and no end, and is not remembered.
        """
        if event.dagster_event_type in _ENDS:
            return Made()
        known = self if self.run_id == event.run_id else Made(event.run_id)
        if event.dagster_event_type is not _MADE or not event.run_id:
            return known
        made = event.get_dagster_event()
        if made.asset_key is None:
            return known
        asked = (made.asset_key.to_string(), made.partition)
        return Made(event.run_id, {**known.records, asked: EventLogRecord(number, event)})

    def last(self, asset: AssetKey, partitions: Sequence[str] | None) -> EventLogRecord | None:
        """Return that of an asset and its one partition; None: not ours to say."""
        if partitions is None or len(partitions) != 1:
            return None
        return self.records.get((asset.to_string(), partitions[0]))

    def asked(self, asked: AssetKey | AssetRecordsFilter) -> EventLogRecord | None:
        """Return the same for a filter that asks for nothing more."""
        if isinstance(asked, AssetKey):
            return None
        whole = AssetRecordsFilter(asked.asset_key, asked.asset_partitions)
        return self.last(asked.asset_key, asked.asset_partitions) if asked == whole else None


def _about_asset(event: EventLogEntry) -> bool:
    kind = event.dagster_event_type
    return kind in ASSET_EVENTS and event.get_dagster_event().asset_key is not None
