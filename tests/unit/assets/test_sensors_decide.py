"""What sensors decide, as pure functions, and what they answer when a read fails."""

import json
import time
from datetime import UTC, datetime

import dagster as dg
import pytest

from swarm.errors import DatabaseUnavailableError
from swarm.intake.stream.tick import IngestReport
from swarm.process_identity import this_process
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import MemoryQueue
from swarm.store.queue import Job, JobState, RunRequested
from swarm_assets.partitions import ATTEMPT_TAG, PARTITION_TAG, WORKER_TAG
from swarm_assets.sensors import publications, reaper, retire
from swarm_assets.sensors.intake import LOOK_FOR, echo, intake, outcome, run_requests

KEY = "wo_" + "a" * 24
OTHER = "wo_" + "b" * 24


class QuietStream:
    """A stream with a prepared report."""

    def __init__(self, report: IngestReport) -> None:
        self.report = report

    def ingest(self) -> IngestReport:
        return self.report


class AwayStream:
    """A stream whose database is away."""

    def ingest(self) -> IngestReport:
        raise DatabaseUnavailableError("Postgres cannot be reached")


def test_a_run_request_carries_nothing_but_key_and_attempt() -> None:
    (request,) = run_requests([RunRequested(work_order_key=KEY, attempt=3)])
    assert request.run_key == f"{KEY}:3"
    assert request.partition_key == KEY
    assert request.tags == {"swarm/attempt": "3"}
    assert request.run_config == {}


def test_a_new_attempt_gets_a_new_run_key() -> None:
    keys = {r.run_key for r in run_requests([_requested(1), _requested(2)])}
    assert len(keys) == 2


def test_one_result_carries_partitions_runs_and_cursor_together() -> None:
    result = outcome(IngestReport(accepted=1), [_requested(1)])
    assert isinstance(result, dg.SensorResult)
    assert result.run_requests is not None
    assert [r.partition_key for r in result.run_requests] == [KEY]
    (addition,) = result.dynamic_partitions_requests or ()
    assert list(addition.partition_keys) == [KEY]
    assert json.loads(result.cursor or "")["accepted"] == 1


def test_the_cursor_is_numbers_only() -> None:
    values = json.loads(echo(IngestReport(accepted=2, backlog_bytes=9), 2))
    assert all(isinstance(v, int) or v == "" for v in values.values())


def test_a_stream_that_could_not_be_read_is_not_an_empty_one() -> None:
    unread = outcome(IngestReport(not_read="file is missing"), [])
    empty = outcome(IngestReport(), [])
    assert isinstance(unread, dg.SkipReason)
    assert isinstance(empty, dg.SkipReason)
    assert "could not read" in (unread.skip_message or "")
    assert "nothing due" in (empty.skip_message or "")


def test_due_work_orders_run_even_when_the_stream_cannot_be_read() -> None:
    result = outcome(IngestReport(not_read="file is missing"), [_requested(1)])
    assert isinstance(result, dg.SensorResult)


def test_the_intake_sensor_requests_what_the_queue_says_is_due(queue: MemoryQueue) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        result = intake(context, stream=QuietStream(IngestReport(accepted=1)), queue=queue)
    assert isinstance(result, dg.SensorResult)
    assert [r.run_key for r in result.run_requests or ()] == [f"{KEY}:1"]


def test_the_intake_sensor_says_that_it_could_not_read(queue: MemoryQueue) -> None:
    result = intake(dg.build_sensor_context(), stream=AwayStream(), queue=queue)
    assert isinstance(result, dg.SkipReason)
    assert "could not read" in (result.skip_message or "")


class LateStream:
    """A stream into which a line is written while the tick looks."""

    def __init__(self, queue: MemoryQueue, looks: int) -> None:
        self.queue, self.left = queue, looks

    def ingest(self) -> IngestReport:
        self.left -= 1
        if self.left:
            return IngestReport()
        self.queue.enqueue(KEY)
        return IngestReport(accepted=1)


def test_the_intake_sensor_looks_until_something_is_due(empty_queue: MemoryQueue) -> None:
    stream = LateStream(empty_queue, looks=4)
    began = time.monotonic()
    with dg.DagsterInstance.ephemeral() as instance:
        result = intake(
            dg.build_sensor_context(instance=instance), stream=stream, queue=empty_queue
        )
    assert isinstance(result, dg.SensorResult)
    assert stream.left == 0
    assert time.monotonic() - began < LOOK_FOR


def test_the_intake_sensor_ends_its_tick_before_the_next_is_due(
    empty_queue: MemoryQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LOOK_FOR < 5, "Dagster asks its sensors once in 5 s"
    monkeypatch.setattr("swarm_assets.sensors.intake.LOOK_FOR", 0.3)
    result = intake(
        dg.build_sensor_context(), stream=QuietStream(IngestReport()), queue=empty_queue
    )
    assert isinstance(result, dg.SkipReason)


def test_the_intake_sensor_waits_for_nothing_when_the_stream_cannot_be_read(
    empty_queue: MemoryQueue,
) -> None:
    began = time.monotonic()
    unread = QuietStream(IngestReport(not_read="file is missing"))
    result = intake(dg.build_sensor_context(), stream=unread, queue=empty_queue)
    assert isinstance(result, dg.SkipReason)
    assert time.monotonic() - began < LOOK_FOR / 2


@pytest.mark.parametrize(
    ("due", "in_flight", "starts"),
    [(0, False, False), (3, False, True), (3, True, False), (0, True, False)],
    ids=["nothing due", "due", "due, a run is at it", "nothing due, a run is at it"],
)
def test_publications_start_one_run_while_something_is_due(
    due: int, in_flight: bool, starts: bool
) -> None:
    asked = publications.request(due, in_flight=in_flight, tick="2026-05-04 09:30:00+00")
    assert isinstance(asked, dg.RunRequest) is starts


def test_a_partition_with_a_run_in_flight_is_not_retired() -> None:
    run = dg.DagsterRun(job_name="work_order", tags={PARTITION_TAG: KEY})
    assert retire.leaving([KEY, OTHER], retire.held_by([run])) == [OTHER]


def test_retiring_is_bounded_and_oldest_first() -> None:
    assert retire.leaving(["c", "a", "b"], frozenset(), limit=2) == ["c", "a"]


def test_a_reaped_job_leaves_behind_its_own_run_and_those_of_earlier_attempts() -> None:
    mine, earlier = _run("mine"), _run("earlier", attempt="1")
    newer, by_hand = _run("newer", attempt="3"), _run("by-hand")
    job = _job("mine").model_copy(update={"attempt": 2})
    assert reaper.superseded(job, [mine, earlier, newer, by_hand]) == [mine, earlier]


def test_a_run_that_waits_in_dagsters_queue_is_busy_and_not_lost() -> None:
    waiting = _run("waiting", attempt="2")
    assert reaper.still_waiting([waiting, _run("by-hand")]) == [_requested(2)]


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
def test_the_reaper_frees_the_slot_of_a_vanished_run(
    store: MemoryStore, queue: MemoryQueue, status: dg.DagsterRunStatus
) -> None:
    """A run lost on its way to a worker blocks every newer run of its work order."""

    class ReapingQueue(MemoryQueue):
        def reap(self) -> list[Job]:
            return [_job(None).model_copy(update={"attempt": 1})]

    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.add_run(_run("lost", attempt="1").with_status(status))
        reaping = ReapingQueue(store, queue._settings)
        reaper.reaper(dg.build_sensor_context(instance=instance), queue=reaping)
        ended = instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status is dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
def test_the_reaper_ends_a_run_whose_process_is_gone_and_no_other(
    queue: MemoryQueue, status: dg.DagsterRunStatus
) -> None:
    alive = this_process()
    gone = alive.model_copy(update={"starttime": alive.starttime - 1})
    elsewhere = gone.model_copy(update={"host": "another"})
    with dg.DagsterInstance.ephemeral() as instance:
        for name, worker in (("gone", gone), ("alive", alive), ("elsewhere", elsewhere)):
            tags = {WORKER_TAG: worker.model_dump_json()}
            instance.add_run(_run(name).with_status(status).with_tags({PARTITION_TAG: KEY, **tags}))
        instance.add_run(_run("nameless").with_status(status))
        reaper.reaper(dg.build_sensor_context(instance=instance), queue=queue)
        ended = [run.run_id for run in instance.get_runs(_FAILED)]
    assert ended == ["gone"]


_FAILED = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])


def _run(run_id: str, attempt: str | None = None) -> dg.DagsterRun:
    tags = {PARTITION_TAG: KEY} | ({ATTEMPT_TAG: attempt} if attempt else {})
    return dg.DagsterRun(job_name="work_order", run_id=run_id, tags=tags)


def _requested(attempt: int) -> RunRequested:
    return RunRequested(work_order_key=KEY, attempt=attempt)


def _job(run_id: str | None) -> Job:
    return Job(
        work_order_key=KEY,
        state=JobState.RUNNING,
        attempt=1,
        failures=0,
        token=1,
        run_id=run_id,
        not_before=datetime(2026, 5, 4, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("status", "tags", "age", "is_lost"),
    [
        (dg.DagsterRunStatus.STARTING, {}, 31, True),
        (dg.DagsterRunStatus.STARTING, {}, 29, False),
        (dg.DagsterRunStatus.STARTED, {WORKER_TAG: "host 1 2"}, 300, False),
        (dg.DagsterRunStatus.STARTED, {}, 361, True),
        (dg.DagsterRunStatus.STARTED, {}, 359, False),
    ],
)
def test_a_round_that_never_reached_a_worker_does_not_hold_up_the_next(
    status: dg.DagsterRunStatus, tags: dict[str, str], age: float, is_lost: bool
) -> None:
    run = dg.DagsterRun(job_name="publications", status=status, tags=tags)
    seconds = [1000.0]
    rounds = publications.RoundsInFlight(lambda: seconds[0])
    assert rounds.lost([run]) == []
    seconds[0] += age
    assert (rounds.lost([run]) == [run]) is is_lost


def test_a_round_that_moved_on_is_waited_for_anew() -> None:
    seconds = [0.0]
    rounds = publications.RoundsInFlight(lambda: seconds[0])
    run = dg.DagsterRun(job_name="publications", status=dg.DagsterRunStatus.STARTING)
    assert rounds.lost([run]) == []
    seconds[0] = 31.0
    assert rounds.lost([run.with_status(dg.DagsterRunStatus.STARTED)]) == []
    assert rounds.lost([run]) == []
