"""Today's path after a cutover: watched, proven every day, taken down only when it may be."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from swarm.errors import RefusedError
from swarm.legacy.follow import Follower
from swarm.legacy.home import LegacyFiles
from swarm.legacy.jsonl import LineLog, write_state
from swarm.legacy.pipeline_daemon import PipelineDaemon
from swarm.legacy.standby import heartbeats
from swarm.legacy.standby.countdown import decommission, expected, refusals, standby
from swarm.legacy.standby.proof import Proof, prove
from swarm.observe.status import Status, status
from swarm.store.alerts import open_alerts
from swarm.store.database import Database
from swarm_assets.resources.legacy import Legacy
from swarm_assets.sensors.standby import legacy_proof, request

pytestmark = pytest.mark.integration

SECRET, SIGNATURE = "a secret of tests", "Customer Service"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
ORDER = {
    "id": "mail-1",
    "mailbox": "service@example.com",
    "sender": {"address": "ada@example.org"},
    "subject": "Parcel",
    "body_text": "When does my parcel arrive?",
    "received_at": "2026-03-01T08:00:00Z",
}


@dataclass
class Desk:
    """An installation whose day we turn."""

    database: Database
    files: LegacyFiles
    now: datetime = START

    def appoint(self, who: str) -> None:
        with self.database.transaction() as connection:
            # Days of another time: no certificate could be earned in them.
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(
                "UPDATE publisher_control SET active = %s, epoch = epoch + 1, at = %s",
                (who, self.now),
            )
            connection.execute(
                "INSERT INTO publisher_history (epoch, active, reason, actor, at)"
                " SELECT epoch, active, 'test', 'test', at FROM publisher_control"
            )

    def arrive(self, **spoiled: object) -> None:
        self.files.work_orders.parent.mkdir(exist_ok=True)
        with self.files.work_orders.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({**ORDER, **spoiled}) + "\n")

    def live(self) -> None:
        """Let both programs of today's path do a turn now."""
        follower = Follower(self.files.work_orders, self.files.pipeline_state)
        PipelineDaemon(self.files, follower, LineLog(self.files.outbox), SIGNATURE).turn()
        Follower(self.files.outbox, self.files.sender_state).turn(lambda _lines: None)
        beat: dict[str, object] = {"at": self.now.isoformat(), "lag_bytes": 0}
        write_state(self.files.pipeline_heartbeat, beat)
        write_state(self.files.sender_heartbeat, {**beat, "connected": True})

    def prove(self) -> Proof:
        return prove(self.database, self.files, secret=SECRET, signature=SIGNATURE, now=self.now)

    def next_day(self) -> None:
        self.now += timedelta(days=1)

    def alerts(self) -> list[tuple[str, str]]:
        with self.database.transaction() as connection:
            return [(alert.kind, alert.subject) for alert in open_alerts(connection)]

    def expected(self) -> bool:
        with self.database.transaction() as connection:
            return expected(connection)

    def against(self) -> tuple[str, ...]:
        with self.database.transaction() as connection:
            return refusals(self.now, standby(connection))

    @property
    def resource(self) -> Legacy:
        return Legacy(self.database, self.files, SecretStr(SECRET), SIGNATURE)


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    """The swarm has just taken over from legacy, whose programs run."""
    desk = Desk(database, LegacyFiles(tmp_path))
    desk.appoint("legacy")
    desk.arrive()
    desk.live()
    desk.appoint("swarm")
    return desk


# --- alive and not behind -------------------------------------------------------------------------


def watch(desk: Desk) -> int:
    with desk.database.transaction() as connection:
        return heartbeats.watch(connection, desk.files, desk.now)


def test_a_silent_program_is_alerted_while_it_must_stand_by_and_settled_when_it_is_back(
    desk: Desk,
) -> None:
    assert watch(desk) == 0
    desk.now += timedelta(minutes=5)
    assert watch(desk) == 2
    assert desk.alerts() == [
        ("legacy.stale", "pipeline_daemon"),
        ("legacy.stale", "publish_sender"),
    ]
    desk.live()
    assert watch(desk) == 0
    assert desk.alerts() == []


def test_an_installation_that_legacy_never_published_for_misses_nothing(
    database: Database, tmp_path: Path
) -> None:
    sandbox = Desk(database, LegacyFiles(tmp_path))
    sandbox.appoint("swarm")
    assert not sandbox.expected()
    assert watch(sandbox) == 0
    assert not sandbox.resource.proof_due(sandbox.now)


def test_the_status_shows_heartbeat_and_measured_lag(desk: Desk) -> None:
    write_state(desk.files.sender_heartbeat, {"at": datetime.now(UTC).isoformat()})
    desk.arrive(id="mail-2")
    now = status(desk.database, legacy=desk.files)
    assert now.legacy is not None
    daemon, sender = now.legacy.programs
    assert (daemon.program, daemon.stale, sender.stale) == ("pipeline_daemon", True, False)
    assert daemon.lag_bytes == len(json.dumps({**ORDER, "id": "mail-2"})) + 1
    assert Status.model_validate_json(now.model_dump_json()) == now


# --- the proof ------------------------------------------------------------------------------------


def test_a_living_path_is_proven_without_a_post(desk: Desk) -> None:
    """Nothing here holds a hook; the dry run ends with the bytes."""
    proof = desk.prove()
    assert proof.holds, proof.reasons
    assert proof.evidence.dry_run.drafts == 1
    assert proof.evidence.dry_run.payload_bytes > 500


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda desk: desk.next_day(), "pipeline_daemon last beat its heart 86400 s ago"),
        (
            lambda desk: desk.files.sender_heartbeat.unlink(),
            "publish_sender has never run on this home",
        ),
        (
            lambda desk: write_state(
                desk.files.sender_heartbeat, {"at": desk.now.isoformat(), "connected": False}
            ),
            "publish_sender does not reach the ledger",
        ),
        (
            lambda desk: desk.arrive(id="mail-2", body_html="x" * (1 << 20)),
            "pipeline_daemon is 1048",
        ),
        (
            lambda desk: desk.arrive(id="mail-2", sender={"address": "a b@c"}),
            "dry run: the newest draft cannot be published: a recipient is not a plain address",
        ),
        (
            lambda desk: desk.files.work_orders.unlink(),
            "dry run: there is no work order to try it on",
        ),
    ],
    ids=["no heartbeat", "never ran", "no ledger", "behind", "unpublishable", "nothing to try"],
)
def test_what_would_stop_a_take_over_is_a_reason_against_the_proof(
    desk: Desk, spoil: object, reason: str
) -> None:
    assert callable(spoil)
    spoil(desk)
    proof = desk.prove()
    assert not proof.holds
    assert any(said.startswith(reason) for said in proof.reasons), proof.reasons
    assert desk.alerts() == [], "the day is not over"
    desk.now += timedelta(hours=6)
    assert not desk.prove().holds
    assert desk.alerts() == [("legacy.unproven", "legacy")]


def test_a_day_is_proven_once_a_proof_of_it_holds_and_its_alert_is_settled(desk: Desk) -> None:
    desk.next_day()
    assert not desk.prove().holds
    assert desk.resource.proof_due(desk.now)
    desk.live()
    assert desk.prove().holds
    assert not desk.resource.proof_due(desk.now)
    assert desk.alerts() == []
    desk.next_day()
    assert desk.resource.proof_due(desk.now)


def test_each_unproven_day_counts_until_one_is_proven(desk: Desk) -> None:
    for days in (1, 2, 3):
        desk.next_day()
        for hours in (0, 7):
            desk.now += timedelta(hours=hours)
            assert not desk.prove().holds
        desk.now -= timedelta(hours=7)
        with desk.database.transaction() as connection:
            assert [alert.count for alert in open_alerts(connection)] == [days]
    desk.live()
    assert desk.prove().holds
    assert desk.alerts() == []
    desk.next_day()
    assert not desk.prove().holds
    desk.next_day()
    assert not desk.prove().holds
    with desk.database.transaction() as connection:
        assert [alert.count for alert in open_alerts(connection)] == [1], "a new incident"


def test_no_mail_text_and_no_work_order_is_kept_with_a_proof(desk: Desk) -> None:
    desk.prove()
    with desk.database.transaction() as connection:
        row = connection.execute("SELECT evidence::text AS said FROM legacy_proof").fetchone()
    assert row is not None
    for secret in ("parcel", "ada@", "wo_", "mail-1"):
        assert secret not in row["said"].lower()


def test_a_proof_can_be_neither_changed_nor_removed(desk: Desk) -> None:
    desk.prove()
    for forbidden in ("UPDATE legacy_proof SET day = day", "DELETE FROM legacy_proof"):
        with (
            pytest.raises(Exception, match="append-only"),
            desk.database.transaction() as connection,
        ):
            connection.execute(forbidden.encode())


def test_the_sensor_asks_for_a_proof_an_hour_until_the_day_is_proven(desk: Desk) -> None:
    asked = request(START, due=True)
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == "legacy-proof:2026-03-01T09"
    assert isinstance(request(START, due=False), dg.SkipReason)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        assert isinstance(legacy_proof(context, legacy=desk.resource), dg.RunRequest)


# --- taking it down -------------------------------------------------------------------------------


def prove_days(desk: Desk, count: int) -> None:
    for _ in range(count):
        desk.next_day()
        desk.live()
        assert desk.prove().holds


def test_after_fourteen_proven_days_it_may_go_and_is_missed_no_more(desk: Desk) -> None:
    prove_days(desk, 13)
    with pytest.raises(RefusedError, match="day 14 after the cutover is 2026-03-15"):
        decommission(desk.database, actor="anna", reason="done", now=desk.now)
    prove_days(desk, 1)
    decommission(desk.database, actor="anna", reason="done", now=desk.now, dry_run=True)
    assert desk.expected()
    decommission(desk.database, actor="anna", reason="done", now=desk.now)
    assert not desk.expected()
    desk.next_day()
    assert watch(desk) == 0


def test_one_missing_day_refuses_for_ever(desk: Desk) -> None:
    prove_days(desk, 5)
    desk.next_day()
    prove_days(desk, 20)
    assert desk.against() == ("no proof that legacy could take over on 2026-03-07",)


def test_a_rollback_begins_the_count_anew_and_calls_legacy_back(desk: Desk) -> None:
    prove_days(desk, 14)
    decommission(desk.database, actor="anna", reason="done", now=desk.now)
    desk.appoint("legacy")
    assert desk.expected()
    assert "the publisher is legacy, not swarm" in desk.against()
    desk.appoint("swarm")
    assert desk.expected()
    assert desk.against() == ("day 14 after the cutover is 2026-03-29 09:00 UTC",)


def test_what_legacy_left_in_flight_is_waited_for(desk: Desk) -> None:
    prove_days(desk, 14)
    with desk.database.transaction() as connection:
        connection.execute(
            "INSERT INTO publication_ledger (work_order_key, publisher, state, epoch, fence)"
            " VALUES (%s, 'legacy', 'UNKNOWN', 1, 1)",
            ("wo_" + "a" * 24,),
        )
    assert desk.against() == ("1 publications of legacy are not resolved",)
