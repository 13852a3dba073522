"""Every button of the Dagster UI works and is safe: driven as the UI does, on a real `swarm up`.

Four mails: one published, one escalated because monday.com refused for a moment, one dangerous, one
declined because nothing here can answer it.
Whatever a person presses afterwards, nothing is drafted that was not drafted before, every run
takes its lane, and the audit is clean. Only the release drafts the second mail.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from dagster_ui import HIDDEN_JOB, DagsterUI, SeenRun
from installation import Running, running_up

from swarm.installation.environment import SANDBOX_URL
from swarm.models import Stage
from swarm.sandbox.remote import SandboxControl
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.acceptance

STAGES = [stage.value for stage in Stage]
NEVER_BEGAN = "taking longer than 120 seconds to start"
SWITCHES = {
    "publisher_cutover": "cut_over",
    "publisher_rollback": "roll_back",
    "publisher_stop": "stop_publishing",
}


@dataclass(frozen=True)
class Desk:
    """What a person sits at, and the three work orders on it."""

    running: Running
    ui: DagsterUI
    sandbox: SandboxControl
    published: str
    faulty: str
    dangerous: str
    declined: str

    @property
    def posted(self) -> int:
        return len(self.sandbox.deliveries())

    def states(self) -> dict[str, str]:
        recent = self.running.json("status")["recent"]  # type: ignore[index, call-overload]
        return {row["key"]: row["state"] for row in recent}


def wait_for(condition: Callable[[], object], what: str, seconds: float = 600.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.2)


def submit(running: Running, folder: Path, name: str, text: str) -> None:
    mail = folder / f"{name}.eml"
    mail.write_text(
        f"From: {name.title()} <{name}@example.org>\nTo: service@example.com\n"
        f"Subject: Order 10482\nMessage-ID: <{name}@example.org>\n\n{text}\n"
    )
    assert running.swarm("submit", str(mail)).returncode == 0


def settled(running: Running, number: int) -> Callable[[], bool]:
    def known() -> bool:
        states = running.json("status")["states"]  # type: ignore[index, call-overload]
        return states["published"] + states["escalated"] + states["declined"] == number

    return known


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-ui-"))
    port = any_free_port()
    with running_up(folder / "home", folder / "up.log", "--no-samples", "--port", str(port)):
        running = Running(folder / "home", port)
        with (
            closing(SandboxControl(running.settings[SANDBOX_URL])) as sandbox,
            closing(DagsterUI(port)) as ui,
        ):
            yield _laid(running, ui, sandbox, folder)
    shutil.rmtree(folder, ignore_errors=True)


def _laid(running: Running, ui: DagsterUI, sandbox: SandboxControl, folder: Path) -> Desk:
    keys: list[str] = []
    question = "Hello,\n\nwhat is the status of my order 10482?\n\nThanks"
    texts = {"carla": "My solicitor will sue you.", "dirk": "Hello,\n\ndo you like jazz?\n\nThanks"}
    for number, name in enumerate(("anna", "bert", "carla", "dirk"), start=1):
        if name == "bert":
            sandbox.fault("monday", "status", times=200, status=403)
        submit(running, folder, name, texts.get(name, question))
        try:
            wait_for(settled(running, number), f"mail {number} to end")
        except AssertionError:
            print(running.swarm("status").stdout)  # noqa: T201 - what was pressed, for whoever reads a failure
            raise
        sandbox.clear_faults()
        recent = running.json("status")["recent"]  # type: ignore[index, call-overload]
        keys += [row["key"] for row in recent if row["key"] not in keys]
    desk = Desk(running, ui, sandbox, *keys)
    ends = ["published", "escalated", "escalated", "declined"]
    assert [desk.states()[key] for key in keys] == ends
    return desk


def in_lane(run: SeenRun) -> bool:
    return (run.tags["swarm/lane"], run.tags["dagster/max_retries"]) == ("work_order", "0")


def press(desk: Desk, button: Callable[[], str]) -> SeenRun:
    """Press, and once more if the run never began: a broker of files may lose a message."""
    run = desk.ui.finished(button())
    if NEVER_BEGAN in run.words:
        run = desk.ui.finished(button())
    assert in_lane(run), run.tags
    return run


@pytest.mark.parametrize("stage", STAGES)
def test_materialize_of_one_asset_works_and_publishes_nothing(desk: Desk, stage: str) -> None:
    posted, states = desk.posted, desk.states()
    for key in (desk.published, desk.dangerous, desk.declined):
        run = press(desk, partial(desk.ui.materialize, key, stage))
        assert run.status == "SUCCESS", run.words
    assert (desk.posted, desk.states()) == (posted, states)


def test_materialize_of_everything_is_refused_in_words_for_what_is_final(desk: Desk) -> None:
    posted, states = desk.posted, desk.states()
    run = press(desk, partial(desk.ui.materialize, desk.faulty, *STAGES))
    assert run.status == "FAILURE"
    assert "final: escalated" in run.words
    assert "swarm release" in run.words
    assert (desk.posted, desk.states()) == (posted, states)


def waiting(desk: Desk) -> list[tuple[str, str]]:
    listed = desk.running.json("escalations", "list", "--all")
    return sorted((row["key"], row["state"]) for row in listed)  # type: ignore[index, call-overload, union-attr]


@pytest.mark.parametrize("which", ["published", "faulty", "declined"])
def test_what_is_final_is_materialized_and_run_again_and_nothing_is_doubled(
    desk: Desk, which: str
) -> None:
    key = getattr(desk, which)
    before = desk.posted, desk.states(), waiting(desk)
    everything = press(desk, partial(desk.ui.materialize, key, *STAGES))
    by_the_queue = desk.ui.runs(dagster__partition=key, dagster__sensor_name="intake")[-1]
    again = press(desk, partial(desk.ui.reexecute, by_the_queue.id, "ALL_STEPS"))
    for run in (everything, again):
        assert run.status == "SUCCESS" or f"final: {desk.states()[key]}" in run.words, run.words
    assert (desk.posted, desk.states(), waiting(desk)) == before


def test_the_job_of_a_final_work_order_publishes_nothing(desk: Desk) -> None:
    posted, states = desk.posted, desk.states()
    for key in (desk.published, desk.faulty, desk.dangerous, desk.declined):
        press(desk, partial(desk.ui.materialize, key, *STAGES, job="work_order"))
    assert (desk.posted, desk.states()) == (posted, states)


@pytest.mark.parametrize("job", [None, "work_order"], ids=["assets", "job"])
def test_a_backfill_over_all_work_orders_publishes_nothing(desk: Desk, job: str | None) -> None:
    posted, states = desk.posted, desk.states()
    keys = [desk.published, desk.faulty, desk.dangerous, desk.declined]
    runs = desk.ui.backfill(keys, *STAGES, job=job)
    assert len(runs) == len(keys)
    assert all(in_lane(run) for run in runs)
    trouble = [run.words for run in runs if run.status != "SUCCESS"]
    assert [t for t in trouble if "final: " not in t and NEVER_BEGAN not in t] == []
    assert (desk.posted, desk.states()) == (posted, states)


@pytest.mark.parametrize("strategy", ["ALL_STEPS", "FROM_FAILURE", "FROM_ASSET_FAILURE"])
def test_reexecute_works_although_it_copies_the_tags_of_the_queue_s_run(
    desk: Desk, strategy: str
) -> None:
    posted, states = desk.posted, desk.states()
    by_the_queue = desk.ui.runs(dagster__partition=desk.faulty, dagster__sensor_name="intake")[-1]
    parent = by_the_queue.id
    if strategy != "ALL_STEPS":
        parent = press(desk, partial(desk.ui.materialize, desk.faulty, *STAGES)).id
    run = press(desk, partial(desk.ui.reexecute, parent, strategy))
    assert "last requested" not in run.words
    assert "final: escalated" in run.words
    assert (desk.posted, desk.states()) == (posted, states)


def test_a_run_over_several_work_orders_or_none_says_what_to_choose(desk: Desk) -> None:
    ranged = {
        "dagster/asset_partition_range_start": desk.published,
        "dagster/asset_partition_range_end": desk.dangerous,
    }
    for button in (
        partial(desk.ui.launch, HIDDEN_JOB, stages=STAGES, tags=ranged),
        partial(desk.ui.launch, "work_order"),
    ):
        run = press(desk, button)
        assert run.status == "FAILURE"
        assert "choose one partition" in run.words


def test_a_run_cannot_choose_its_lane_its_queue_or_its_retries(desk: Desk) -> None:
    tags = {
        "dagster/partition": desk.published,
        "swarm/lane": "switch",
        "swarm/attempt": "1",
        "dagster-celery/queue": "publishing",
        "dagster/max_retries": "5",
        "dagster/retry_on_asset_or_op_failure": "true",
    }
    run = press(desk, partial(desk.ui.launch, "work_order", tags=tags))
    assert run.status == "SUCCESS", run.words
    assert run.tags["dagster-celery/queue"] == "dagster"
    assert run.tags["dagster/retry_on_asset_or_op_failure"] == "false"


def test_many_runs_that_a_person_starts_leave_room_for_publishing(desk: Desk) -> None:
    keys = [desk.published, desk.faulty, desk.dangerous]
    started = [desk.ui.materialize(key, "received") for key in keys for _ in range(8)]
    switch = desk.ui.launch("publisher_rollback", config=asked("roll_back"))
    assert desk.ui.finished(switch).status == "SUCCESS"
    assert desk.ui.finished(desk.ui.launch("publications")).status == "SUCCESS"
    ended = [desk.ui.finished(run) for run in started]
    assert all(in_lane(run) for run in ended)
    assert [r.words for r in ended if r.status != "SUCCESS" and NEVER_BEGAN not in r.words] == []


def test_wiping_what_dagster_knows_loses_nothing(desk: Desk) -> None:
    posted, states = desk.posted, desk.states()
    desk.ui.wipe(*STAGES)
    run = press(desk, partial(desk.ui.materialize, desk.published, *STAGES))
    assert run.status == "SUCCESS", run.words
    assert (desk.posted, desk.states()) == (posted, states)


def asked(op: str) -> dict[str, object]:
    return {"ops": {op: {"config": {"actor": "ui", "reason": "a look", "dry_run": True}}}}


@pytest.mark.parametrize("job", SWITCHES)
def test_the_launchpad_of_a_switch_says_what_would_change(desk: Desk, job: str) -> None:
    run = desk.ui.finished(desk.ui.launch(job, config=asked(SWITCHES[job])))
    assert run.tags["dagster-celery/queue"] == "publishing"
    assert run.status == ("FAILURE" if job == "publisher_cutover" else "SUCCESS"), run.words
    assert desk.running.json("publisher", "show")["control"]["active"] == "swarm"  # type: ignore[index, call-overload]


@pytest.mark.parametrize("job", ["publications", "legacy_proof"])
def test_the_launchpad_of_a_round_and_of_the_proof_works(desk: Desk, job: str) -> None:
    run = desk.ui.finished(desk.ui.launch(job))
    assert run.tags["dagster-celery/queue"] == "publishing"
    assert run.status == "SUCCESS" or "not proven" in run.words, run.words


def test_a_sensor_that_was_off_for_a_while_takes_up_what_waited(desk: Desk, tmp_path: Path) -> None:
    posted = desk.posted
    for sensor in ("intake", "publications"):
        desk.ui.sensor_off(sensor)
    submit(desk.running, tmp_path, "dora", "Hello,\n\nwhat is the status of my order 10482?")
    time.sleep(3)
    assert desk.posted == posted
    for sensor in ("intake", "publications"):
        desk.ui.sensor_on(sensor)
    wait_for(lambda: desk.posted == posted + 1, "the draft of what waited")
    wait_for(lambda: "publishing" not in desk.states().values(), "its confirmation")


def release(desk: Desk, key: str, waive: Sequence[str] = ()) -> SeenRun:
    config = {"key": key, "actor": "ui", "reason": "monday answers again", "waive": [*waive]}
    launched = desk.ui.launch(
        "release_work_order", config={"ops": {"release_final": {"config": config}}}
    )
    return desk.ui.finished(launched)


def test_only_the_release_drafts_a_final_work_order_and_only_once(desk: Desk) -> None:
    posted = desk.posted
    refused = release(desk, desk.published)
    assert refused.status == "FAILURE"
    assert "nothing to release" in refused.words
    assert release(desk, desk.faulty).status == "SUCCESS"
    wait_for(lambda: desk.states()[desk.faulty] == "published", "the released draft")
    assert desk.posted == posted + 1
    assert "Released by ui" in str(desk.sandbox.deliveries()[-1])
    assert release(desk, desk.faulty).status == "FAILURE"
    told = desk.running.swarm("show", desk.faulty).stdout
    assert "Released by ui" in told
    press(desk, partial(desk.ui.materialize, desk.faulty, *STAGES))
    assert desk.posted == posted + 1


def test_the_audit_is_clean_after_all_of_it(desk: Desk) -> None:
    audit = desk.running.swarm("audit")
    assert audit.returncode == 0, audit.stdout + audit.stderr
