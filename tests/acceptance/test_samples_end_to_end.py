"""What a new user gets: every sample ends, drafts stand in the mailbox, the promises hold.

One installation for the whole file: a first start on an empty home that ends by itself, then a
second start on the same data that the questions below are put to.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from installation import SWARM, Running, environment, running_up

from swarm.up.processes import started_at
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.acceptance

KEY = re.compile(r"wo_[a-z2-7]{24}")
FINAL = {"published", "escalated", "declined", "held", "dead"}
WORK_ORDERS = 12  # thirteen samples, one of them an automatic reply


@dataclass(frozen=True)
class FirstRun:
    """What `swarm up --until-idle` said and left behind."""

    home: Path
    returncode: int
    output: str


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-acceptance-"))
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def first_run(home: Path) -> FirstRun:
    command = [*SWARM, "up", "--until-idle", "--timeout", "150", "--port", str(any_free_port())]
    done = subprocess.run(
        command,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return FirstRun(home, done.returncode, done.stdout)


@pytest.fixture(scope="module")
def running(first_run: FirstRun) -> Iterator[Running]:
    home, port = first_run.home, any_free_port()
    with running_up(home, home.parent / "second.log", "--port", str(port)) as process:
        pids = {f.stem: int(f.read_text().split()[0]) for f in (home / "run").glob("*.pid")}
        yield Running(home, port, pids)
    assert process.returncode == 0
    assert {name for name, pid in pids.items() if started_at(pid)} == set()
    assert not (home / "run" / "environment.json").exists()


def states(running: Running) -> dict[str, int]:
    status = running.json("status")
    assert isinstance(status, dict)
    return {name: n for name, n in status["states"].items() if n}


def test_the_first_start_ends_by_itself_with_a_clean_audit(first_run: FirstRun) -> None:
    assert first_run.returncode == 0, first_run.output
    assert "audit: clean" in first_run.output


def test_every_sample_is_in_a_final_state_and_its_reason_is_shown(first_run: FirstRun) -> None:
    summary = first_run.output.rpartition(" in all: ")[2]
    lines = [line.split(maxsplit=2) for line in summary.splitlines() if KEY.search(line)]
    assert len(lines) == WORK_ORDERS
    assert {line[1] for line in lines} <= FINAL
    assert all(len(line) == 3 for line in lines), "each says why"


def test_no_mail_text_reaches_the_terminal_or_a_log(first_run: FirstRun) -> None:
    logs = "".join(p.read_text("utf-8", "replace") for p in (first_run.home / "logs").glob("*"))
    for phrase in ("anna.keller", "standing desk", "solicitor", "bleeding", "administrator"):
        assert phrase not in first_run.output
        assert phrase not in logs


def test_a_second_start_keeps_the_data_and_feeds_no_sample_twice(running: Running) -> None:
    assert sum(states(running).values()) == WORK_ORDERS
    assert set(states(running)) <= FINAL


def test_a_draft_stands_in_the_mailbox_as_graph_shows_it(running: Running) -> None:
    settings = running.settings
    token = httpx.post(
        f"{settings['GRAPH_AUTHORITY']}/{settings['GRAPH_TENANT_ID']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": settings["GRAPH_CLIENT_ID"],
            "client_secret": settings["GRAPH_CLIENT_SECRET"],
            "scope": "https://graph.microsoft.com/.default",
        },
    ).json()["access_token"]
    answer = httpx.get(
        f"{settings['GRAPH_BASE_URL']}/users/{settings['GRAPH_MAILBOX']}"
        "/mailFolders/drafts/messages",
        headers={"Authorization": f"Bearer {token}"},
    )
    drafts = answer.json()["value"]
    assert len(drafts) == states(running)["published"] >= 1
    assert all(draft["isDraft"] for draft in drafts)


def test_dangerous_mails_wait_for_a_human_with_owner_and_time(running: Running) -> None:
    waiting = running.json("escalations", "list")
    assert isinstance(waiting, list)
    classes = {name for each in waiting for name in each["classes"]}
    assert {"legal", "privacy", "safety", "human_requested"} <= classes
    assert all(each["owner"] and each["acknowledge_by"] for each in waiting)


def test_the_audit_command_agrees_and_says_what_it_looked_at(running: Running) -> None:
    report = running.json("audit")
    assert isinstance(report, dict)
    assert report["holds"] is True
    assert report["totals"]["work_orders"] == WORK_ORDERS
    assert report["totals"]["mailbox_searched"] is True


def test_a_work_order_is_shown_by_its_key_and_by_its_message_id(running: Running) -> None:
    key = running.json("status")["recent"][0]["key"]  # type: ignore[index]
    found = running.json("show", key)
    assert isinstance(found, dict)
    assert found["key"] == key
    assert found["ui"].startswith(f"http://127.0.0.1:{running.port}/assets/work_order/publish?")
    assert key in running.swarm("show", found["work_order"]["original_id"]).stdout


def test_the_ui_answers_on_loopback(running: Running) -> None:
    assert httpx.get(f"http://127.0.0.1:{running.port}/server_info").status_code == 200


def test_a_second_supervisor_on_the_same_home_is_refused(running: Running) -> None:
    refused = running.swarm("up", "--port", str(any_free_port()))
    assert refused.returncode == 2
    assert "already runs" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_unknown_work_order_is_one_line_on_stderr(running: Running) -> None:
    answer = running.swarm("show", "nobody")
    assert answer.returncode == 2
    assert len(answer.stderr.splitlines()) == 1


def test_the_doctor_finds_nothing_bad(running: Running) -> None:
    findings = running.json("doctor")
    assert isinstance(findings, list)
    assert [f for f in findings if f["health"] == "bad"] == []
