"""The run that looks into the mailbox, the sensor that asks for it, and what both show."""

import warnings
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from desk import CUSTOMER, LONG, Desk

from swarm.errors import DatabaseUnavailableError
from swarm.legacy.home import LegacyFiles
from swarm.shadow.outcomes.legacy_stream import LegacyOutcomes
from swarm.store.reply_outcomes import Pace
from swarm_assets.definitions import build_definitions
from swarm_assets.partitions import work_orders
from swarm_assets.sensors.outcomes import legacy_outcomes, reply_outcomes

OTHER_WORDS = "<p>I rang the depot: they will bring it on Friday evening, promised. Robin</p>"


@pytest.fixture
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


def look(desk: Desk, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    desk.run("UPDATE reply_outcomes SET look_at = now() WHERE look_at IS NOT NULL")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        lookout = desk.lookout(pace=Pace(per_minute=1000))
        job = build_definitions(lookout=lookout).resolve_job_def("reply_outcomes")
    return job.execute_in_process(instance=instance)


def observations(instance: dg.DagsterInstance, key: str) -> list[dg.AssetObservation]:
    records = instance.fetch_observations(
        dg.AssetRecordsFilter(
            asset_key=dg.AssetKey(["work_order", "publish"]), asset_partitions=[key]
        ),
        limit=10,
    ).records
    return [record.asset_observation for record in records if record.asset_observation]


def test_what_became_known_is_observed_on_the_publication_once(
    desk: Desk, instance: dg.DagsterInstance
) -> None:
    key, draft = desk.drafted()
    instance.add_dynamic_partitions(str(work_orders.name), [key])
    assert look(desk, instance).success
    assert observations(instance, key) == []
    desk.sandbox.human("send", draft)
    assert look(desk, instance).success
    assert look(desk, instance).success
    (seen,) = observations(instance, key)
    assert {name: value.value for name, value in seen.metadata.items()} == {
        "act": "sent_unchanged",
        "similarity": 1.0,
        "minutes_to_act": pytest.approx(0, abs=5),
    }


def test_no_word_of_a_mail_reaches_dagster(desk: Desk, instance: dg.DagsterInstance) -> None:
    key, draft = desk.drafted()
    instance.add_dynamic_partitions(str(work_orders.name), [key])
    desk.sandbox.human("send", draft, body_html=OTHER_WORDS)
    result = look(desk, instance)
    everything = "".join(str(event) for event in instance.all_logs(result.run_id))
    assert key in everything
    for word in ("depot", "parcel", CUSTOMER, LONG[:20]):
        assert word not in everything


def test_a_partition_that_was_retired_is_not_written_to_again(
    desk: Desk, instance: dg.DagsterInstance
) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("send", draft)
    assert look(desk, instance).success
    assert observations(instance, key) == []
    assert desk.outcome(key)["act"] == "sent_unchanged"


def test_the_sensor_opens_rows_and_asks_for_a_run_while_one_is_due(
    desk: Desk, instance: dg.DagsterInstance
) -> None:
    key = desk.mail(state="held")
    context = dg.build_sensor_context(instance=instance)
    lookout = desk.lookout(pace=Pace(soonest=timedelta(hours=1), latest=timedelta(hours=4)))
    asked = reply_outcomes(context, lookout=lookout)
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_config == {}
    assert desk.outcome(key)["act"] == "open"
    lookout.look()
    assert isinstance(reply_outcomes(context, lookout=lookout), dg.SkipReason)


class Away:
    """What answers when Postgres is away."""

    def due(self) -> int:
        raise DatabaseUnavailableError("Postgres cannot be reached")

    def ingest(self) -> int:
        raise DatabaseUnavailableError("Postgres cannot be reached")


@pytest.mark.parametrize(
    ("sensor", "name"), [(reply_outcomes, "lookout"), (legacy_outcomes, "legacy_outcomes")]
)
def test_a_read_that_failed_is_not_nothing_new(
    sensor: dg.SensorDefinition, name: str, instance: dg.DagsterInstance
) -> None:
    said = sensor(dg.build_sensor_context(instance=instance), **{name: Away()})
    assert isinstance(said, dg.SkipReason)
    assert "could not read" in (said.skip_message or "")


def test_the_sensor_of_the_outbox_says_what_it_read_and_nothing_without_one(
    desk: Desk, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    outcomes = LegacyOutcomes(desk.database, LegacyFiles(tmp_path), "secret")
    context = dg.build_sensor_context(instance=instance)
    said = legacy_outcomes(context, legacy_outcomes=outcomes)
    assert said.skip_message == "could not read: file is missing"
    outcomes.files.outbox.parent.mkdir()
    outcomes.files.outbox.write_bytes(b"not json\n")
    said = legacy_outcomes(context, legacy_outcomes=outcomes)
    assert said.skip_message == "0 outcomes, 0 known, 1 unreadable, 0 bytes left"
