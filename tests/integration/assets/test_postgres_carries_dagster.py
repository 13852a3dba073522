"""Dagster's own tables on real Postgres, through the pool, under whole runs."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.data_version import DATA_VERSION_TAG as DATA_VERSION
from dagster._core.definitions.data_version import INPUT_DATA_VERSION_TAG_PREFIX
from dagster_postgres.event_log import PostgresEventLogStorage
from psycopg.types.json import Jsonb
from replying import KEY, order, services
from search_everything import in_tables
from sqlalchemy import Engine, event

from swarm.errors import FencedOutError
from swarm.lifecycle.erasure_dagster import erase_dagster
from swarm.lifecycle.retention import purge_dagster_runs, purge_runs_of_job
from swarm.models import Event, Fence, PolicyDecision, Stage, WorkOrderState
from swarm.observe.health import LOOKS
from swarm.observe.metrics.streams import HomeFiles
from swarm.settings import QueueSettings
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue
from swarm.store.queue import JobState
from swarm_assets.assets.health import HEALTH
from swarm_assets.definitions import build_definitions
from swarm_assets.partitions import ATTEMPT_TAG, work_orders
from swarm_assets.resources.operations import Operations
from swarm_assets.runtime.event_log import Made
from swarm_assets.runtime.storage import LeanEventLog, PooledPostgresStorage

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
MADE = dg.DagsterEventType.ASSET_MATERIALIZATION
PUBLISH = dg.AssetKey(["work_order", "publish"])
_END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Closing:
    """A publisher that only closes the work order."""

    def __init__(self, store: PostgresStore) -> None:
        self.store = store

    def hand_over(self, fence: Fence, decision: PolicyDecision) -> WorkOrderState:
        self.store.close(fence, WorkOrderState.PUBLISHING, "handed over")
        return WorkOrderState.PUBLISHING


def engine_of(instance: dg.DagsterInstance) -> Engine:
    log = instance.event_log_storage
    assert isinstance(log, LeanEventLog)
    return log._engine


@pytest.fixture
def instance(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """The instance that the shipped ``dagster.yaml`` describes."""
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    pooled = database_url.replace("postgresql://", "postgresql+psycopg2://")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", pooled)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("CELERY_BROKER_URL", "filesystem://")
    monkeypatch.setenv("CELERY_BROKER_DIR", str(tmp_path / "broker"))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance
        engine_of(instance).dispose()


@pytest.fixture
def accepted(database: Database) -> Database:
    """A database that has accepted the good mail."""
    body = Jsonb(order().model_dump(mode="json"))
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO work_orders (key, original_id, body) VALUES (%s, %s, %s)",
            (KEY, "line-1", body),
        )
    PostgresQueue(database, QueueSettings()).enqueue(KEY)
    return database


def run_once(
    instance: dg.DagsterInstance, database: Database, attempt: int | None = None
) -> dg.ExecuteInProcessResult:
    store = PostgresStore(database)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        job = build_definitions(
            services=replace(services(), store=store),
            queue=PostgresQueue(database, QueueSettings()),
            publisher=Closing(store),
            leases=QueueSettings(),
            desk_url="http://desk.example",
        ).resolve_job_def("work_order")
    instance.add_dynamic_partitions(str(work_orders.name), [KEY])
    return job.execute_in_process(
        instance=instance,
        partition_key=KEY,
        tags={} if attempt is None else {ATTEMPT_TAG: str(attempt)},
        raise_on_error=False,
    )


def test_the_shipped_dagster_yaml_loads_and_keeps_its_promises(
    instance: dg.DagsterInstance,
) -> None:
    assert type(instance.run_launcher).__name__ == "WarmRunLauncher"
    assert instance.run_retries_enabled is False
    assert instance.run_monitoring_enabled is True
    assert instance.telemetry_enabled is False
    assert instance.run_launcher.supports_resume_run is False


def test_a_whole_run_leaves_its_story_in_both_sets_of_tables(
    instance: dg.DagsterInstance, accepted: Database
) -> None:
    queue = PostgresQueue(accepted, QueueSettings())
    (due,) = queue.request_due(1)
    result = run_once(instance, accepted, due.attempt)
    assert result.success
    assert PostgresStore(accepted).state(KEY) is WorkOrderState.PUBLISHING
    materialized = [
        key
        for stage in Stage
        if instance.get_latest_materialization_event(
            key := dg.AssetKey(["work_order", stage.value])
        )
    ]
    assert len(materialized) == len(Stage)
    ended = instance.get_run_by_id(result.run_id)
    assert ended is not None
    assert ended.status is dg.DagsterRunStatus.SUCCESS


def stock_log(instance: dg.DagsterInstance) -> PostgresEventLogStorage:
    """The event log as Dagster ships it, on the same tables: it asks them about everything."""
    url = engine_of(instance).url.render_as_string(hide_password=False)
    return PostgresEventLogStorage(url, should_autocreate_tables=False)


def test_what_a_run_remembers_of_its_own_assets_is_what_the_tables_say(
    instance: dg.DagsterInstance, accepted: Database
) -> None:
    statements: list[str] = []
    event.listen(engine_of(instance), "before_cursor_execute", lambda *a: statements.append(a[2]))
    result = run_once(instance, accepted)
    assert not [each for each in statements if "latest_event_ids_by_partition" in each]
    stock, evaluations = stock_log(instance), result.get_asset_check_evaluations()
    assert len(evaluations) > len(Stage)
    for evaluation in evaluations:
        target = evaluation.target_materialization_data
        (record,) = stock.fetch_materializations(
            dg.AssetRecordsFilter(evaluation.asset_key, [KEY]), limit=1
        ).records
        assert target is not None
        assert (target.run_id, target.storage_id) == (result.run_id, record.storage_id)
    versions = 0
    for made in result.get_asset_materialization_events():
        tags = made.step_materialization_data.materialization.tags or {}
        for name, told in tags.items():
            if name.startswith(INPUT_DATA_VERSION_TAG_PREFIX):
                of = dg.AssetKey(name.removeprefix(f"{INPUT_DATA_VERSION_TAG_PREFIX}/").split("/"))
                by_partition = stock.get_latest_tags_by_partition(of, MADE, [DATA_VERSION], [KEY])
                assert told == sha256(by_partition[KEY][DATA_VERSION].encode()).hexdigest()
                versions += 1
    assert versions >= len(Stage)


def test_after_a_run_and_for_other_questions_the_tables_are_asked(
    instance: dg.DagsterInstance, accepted: Database
) -> None:
    assert run_once(instance, accepted).success
    tier = dg.AssetKey(["work_order", "tier"])
    ours, stock = instance.event_log_storage, stock_log(instance)
    one = dg.AssetRecordsFilter(tier, [KEY])
    last = stock.fetch_materializations(one, limit=1).records[0]
    # Made by another process, and once more by hand: neither is what this one remembers.
    for maker in (stock, ours):
        reported = dg.AssetMaterialization(tier, partition=KEY)
        instance.report_runless_asset_event(reported)
        entry = maker.fetch_materializations(one, limit=1).records[0].event_log_entry
        maker.store_event(entry)
        newest = stock.fetch_materializations(one, limit=1).records[0]
        assert newest.storage_id > last.storage_id
        assert ours.fetch_materializations(one, limit=1).records == [newest]
        last = newest


def test_a_run_remembers_its_own_and_forgets_it_at_its_end(
    instance: dg.DagsterInstance, accepted: Database
) -> None:
    result = run_once(instance, accepted)
    tier = dg.AssetKey(["work_order", "tier"])
    known = Made()
    for number, entry in enumerate(instance.all_logs(result.run_id)):
        before, known = known, known.after(entry, number)
        if entry.is_dagster_event and entry.dagster_event_type is dg.DagsterEventType.RUN_SUCCESS:
            assert before.last(tier, [KEY]) is not None
            assert before.asked(dg.AssetRecordsFilter(tier, [KEY])) is not None
            for other in (
                tier,
                dg.AssetRecordsFilter(tier, [KEY], before_storage_id=number),
                dg.AssetRecordsFilter(tier, ["wo_other"]),
                dg.AssetRecordsFilter(tier, [KEY, "wo_other"]),
            ):
                assert before.asked(other) is None
            assert known == Made()
            # Somebody else ended it, and this process never heard: its next run knows nothing.
            began = next(one for one in instance.all_logs(result.run_id) if one.is_dagster_event)
            assert before.after(began._replace(run_id="another"), number) == Made("another")


def test_columns_are_asked_for_once_a_process(
    instance: dg.DagsterInstance, accepted: Database
) -> None:
    assert run_once(instance, accepted).success
    reflections: list[str] = []

    def note(*arguments: object) -> None:
        if "pg_attribute" in str(arguments[2]):
            reflections.append(str(arguments[2]))

    event.listen(engine_of(instance), "before_cursor_execute", note)
    for _ in range(3):
        instance.get_run_records(limit=1)
    assert reflections == []


def test_a_run_uses_few_connections(instance: dg.DagsterInstance, accepted: Database) -> None:
    """Stock dagster-postgres opens a new connection for each of some 260 statements."""
    opened: list[object] = []
    event.listen(engine_of(instance), "connect", lambda *_arguments: opened.append(1))
    assert run_once(instance, accepted).success
    assert len(opened) <= 3


def test_no_call_fails_because_the_server_ended_idle_connections(
    instance: dg.DagsterInstance, database: Database
) -> None:
    """A restart of Postgres, an administrator, an idle time-out: the UI showed one error each."""
    engine, opened = engine_of(instance), list[object]()
    with engine.connect(), engine.connect():  # both stay in the pool
        pass
    event.listen(engine, "connect", lambda *_arguments: opened.append(1))
    for _ in range(2):
        assert instance.get_runs() == []
    assert opened == [], "a connection that lives is used again"
    in_rows(database, _END_OTHERS)
    with engine.connect() as one, engine.connect() as other:
        assert [each.exec_driver_sql("SELECT 1").scalar() for each in (one, other)] == [1, 1]
    assert len(opened) == 2
    assert instance.get_runs() == []


def test_a_url_that_would_pick_the_wrong_driver_is_refused() -> None:
    with pytest.raises(ValueError, match="psycopg2"):
        PooledPostgresStorage("postgresql://localhost/nowhere")


def test_a_deleted_partition_is_not_remembered(instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("work_orders", [KEY])
    assert instance.has_dynamic_partition("work_orders", KEY)
    instance.delete_dynamic_partition("work_orders", KEY)
    assert not instance.has_dynamic_partition("work_orders", KEY)


@pytest.mark.fault("T12")
def test_an_orphan_that_goes_on_after_a_newer_run_took_over_writes_nothing(
    instance: dg.DagsterInstance, accepted: Database
) -> None:
    """T12: the old worker was only paused; its fence is void when it wakes up."""
    queue = PostgresQueue(accepted, QueueSettings(lease_seconds=0.05))
    store = PostgresStore(accepted)
    queue.request_due(1)
    orphan = queue.open(KEY, "paused-run", 1)
    with psycopg.connect(accepted.url) as connection:
        connection.execute("UPDATE swarm.swarm_jobs SET lease_until = now() - interval '1 s'")
    assert [job.run_id for job in queue.reap()] == ["paused-run"]
    with psycopg.connect(accepted.url) as connection:
        connection.execute("UPDATE swarm.swarm_jobs SET not_before = now()")
    (due,) = queue.request_due(1)
    assert run_once(instance, accepted, due.attempt).success
    policy = store.artifact(KEY, Stage.POLICY)
    assert policy is not None
    late = Event(kind="stage.finished", stage=Stage.POLICY, actor="orphan")
    noun = PolicyDecision.model_validate(policy.body)
    with pytest.raises(FencedOutError):
        store.write_stage(orphan, Stage.POLICY, noun, late)
    with pytest.raises(FencedOutError):
        store.close(orphan, WorkOrderState.DEAD, "orphan")
    assert store.state(KEY) is WorkOrderState.PUBLISHING


def test_a_failed_run_is_queued_again_under_the_next_attempt(
    instance: dg.DagsterInstance, accepted: Database
) -> None:
    queue = PostgresQueue(accepted, QueueSettings())
    (first,) = queue.request_due(1)
    fence = queue.open(KEY, "a-run", first.attempt)
    assert queue.fail(fence, "no answer", retryable=True) is JobState.QUEUED
    with psycopg.connect(accepted.url) as connection:
        connection.execute("UPDATE swarm.swarm_jobs SET not_before = now()")
    (second,) = queue.request_due(1)
    assert second.run_key != first.run_key
    assert run_once(instance, accepted, second.attempt).success


def test_no_secret_stands_in_the_instance_reference(
    instance: dg.DagsterInstance, database_url: str
) -> None:
    """The reference is on the command line of code servers, for everybody who may run ``ps``."""
    assert database_url not in str(instance.get_ref().to_dict())
    assert os.environ["DAGSTER_POSTGRES_URL"] not in str(instance.get_ref().to_dict())


def test_storages_of_one_process_share_one_engine(instance: dg.DagsterInstance) -> None:
    """The code server builds an instance for each evaluation of a sensor: 8 storages once left 8
    connections behind, until Postgres had none to give."""
    log = instance.event_log_storage
    assert isinstance(log, LeanEventLog)
    others = [PooledPostgresStorage(log.postgres_url) for _ in range(8)]
    assert {id(other.engine) for other in others} == {id(engine_of(instance))}


def test_what_dagster_tells_of_a_run_goes_a_month_after_its_work_order_ended(
    instance: dg.DagsterInstance, accepted: Database
) -> None:
    """Its event log quotes mail and draft, and Dagster itself purges none of it."""
    result = run_once(instance, accepted)
    month = timedelta(days=30)
    assert "20417" in str(in_rows(accepted, "SELECT event FROM public.event_logs"))
    assert purge_dagster_runs(accepted, month) == 0
    with accepted.transaction() as connection:
        connection.execute(
            "UPDATE work_orders SET state = 'published', final_at = now() - interval '31 days'"
        )
    assert purge_dagster_runs(accepted, month) == 1
    assert instance.get_run_by_id(result.run_id) is None
    assert in_rows(accepted, "SELECT event FROM public.event_logs") == []
    assert PostgresStore(accepted).events(KEY) != ()
    assert purge_dagster_runs(accepted, month) == 0


def test_the_publish_page_says_whose_mail_it_is_and_an_erasure_takes_that_away(
    instance: dg.DagsterInstance, accepted: Database
) -> None:
    """Sender and subject stand in Dagster's event log, where the draft itself stands."""
    assert run_once(instance, accepted).success
    event = instance.get_latest_materialization_event(PUBLISH)
    assert event
    assert event.asset_materialization
    page = event.asset_materialization.metadata
    assert page["sender"].value == order().sender.address
    assert page["recipients"].value == order().sender.address
    assert order().subject in str(page["subject"].value)
    assert "on its way" in str(page["in words"].value)
    link = page["desk, with the link into Outlook"]
    assert link == dg.MetadataValue.url(f"http://desk.example/work-orders/{KEY}")
    words = [order().sender.address, order().subject, KEY]
    assert "public.event_logs: " + words[0] in in_tables(accepted.url, words)
    with accepted.transaction() as connection:
        erase_dagster(connection, [KEY])
    assert [each for each in in_tables(accepted.url, words) if each.startswith("public.")] == []


def test_looks_at_the_installation_do_not_pile_up(
    instance: dg.DagsterInstance, database: Database
) -> None:
    """288 a day; the newest stays, or its asset's page would be empty."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        looked = Operations(database, HomeFiles(Path(os.environ["CELERY_BROKER_DIR"]).parent))
        job = build_definitions(operations=looked).resolve_job_def("health")
    for _ in range(3):
        assert job.execute_in_process(instance=instance).success
    told = instance.get_latest_materialization_event(HEALTH)
    assert told
    assert told.asset_materialization
    assert told.asset_materialization.metadata["waiting"].value == 0.0
    in_rows(database, "UPDATE public.runs SET create_timestamp = now() - interval '4 days'"
            " RETURNING 1")  # fmt: skip
    assert purge_runs_of_job(database, "health", timedelta(days=3)) == 2
    assert purge_runs_of_job(database, "health", timedelta(days=3)) == 0
    assert len(instance.get_runs()) == 1
    left = in_rows(database, "SELECT DISTINCT run_id FROM public.event_logs")
    assert len(left) == 1
    checks = in_rows(database, "SELECT 1 FROM public.asset_check_executions")
    assert len(checks) == len(LOOKS)
    assert instance.get_latest_materialization_event(HEALTH)


def in_rows(database: Database, statement: str) -> list[object]:
    with database.transaction() as connection:
        return connection.execute(statement.encode()).fetchall()  # type: ignore[return-value]
