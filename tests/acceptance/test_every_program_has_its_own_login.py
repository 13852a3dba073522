"""What `swarm up` hands to whom: each program one login, and Postgres keeps to it."""

import json
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from installation import Running, running_up
from process_memory import knows

from swarm.installation.logins import passwords
from swarm.store import embedded
from swarm.store.roles import Role, url_as
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.acceptance

KEY = "wo_" + "c" * 24


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-logins-"))
    home = folder / "home"
    try:
        with running_up(home, folder / "up.log", "--no-samples", "--port", str(any_free_port())):
            pids = {f.stem: int(f.read_text().split()[0]) for f in (home / "run").glob("*.pid")}
            yield Running(home, 0, pids)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def known(running: Running) -> dict[str, str]:
    return passwords(running.home / "database_logins.json")


def superuser(running: Running) -> psycopg.Connection:
    url = running.settings["DATABASE_URL"]
    return psycopg.connect(
        url_as(url, embedded.SUPERUSER, known(running)[embedded.SUPERUSER]),
        autocommit=True,
        options="-c search_path=swarm",
    )


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="reads /proc")
def test_no_program_knows_another_login_than_its_own(running: Running) -> None:
    """Read from its memory: what it was told as well as what it inherited when it was forked."""
    own = {
        "fork-server": set[str](),
        "shadow": {Role.WORKER, Role.REPLAY, Role.GATES},
        "desk": {Role.DESK},
        "postgres": {*known(running)},  # sees to it that each login has its password
    }
    assert {"workers", "publisher", "code-server", "webserver", "dagster-daemon"} <= {*running.pids}
    for name, pid in running.pids.items():
        assert knows(pid, known(running)) <= own.get(name, {Role.WORKER}), name
    assert knows(running.pids["workers"], known(running)) == {Role.WORKER}, "it can be found"


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="reads /proc")
def test_the_desk_knows_no_key_and_the_server_it_is_forked_from_none_either(
    running: Running,
) -> None:
    told = {name: value for name, value in running.settings.items() if "SECRET" in name}
    assert knows(running.pids["workers"], told) == {*told} != set()
    assert knows(running.pids["fork-server"], told) == set()
    services = {n: v for n, v in told.items() if n.startswith(("GRAPH_", "ZAPIER_", "MONDAY_"))}
    assert services
    assert knows(running.pids["desk"], services) == set()


def test_commands_find_what_they_need_and_the_files_are_the_owners_alone(running: Running) -> None:
    told = {
        name: urlsplit(value).username
        for name, value in running.settings.items()
        if name.endswith("DATABASE_URL")
    }
    assert told == {
        "DATABASE_URL": "swarm_worker",
        "KEEPER_DATABASE_URL": "swarm_keeper",
        "GATES_DATABASE_URL": "swarm_gates",
    }
    for file in ("run/environment.json", "database_logins.json", "run/postgres.url"):
        assert stat.S_IMODE((running.home / file).stat().st_mode) == 0o600
    assert urlsplit((running.home / "run" / "postgres.url").read_text()).username == Role.OWNER


def test_the_roles_are_as_written_down_and_doctor_and_status_agree(running: Running) -> None:
    checked = running.swarm("database", "roles", "--check")
    assert (checked.returncode, checked.stdout.strip()) == (
        0, "every role may do what it should and nothing else",
    )  # fmt: skip
    findings = running.json("doctor")
    assert isinstance(findings, list)
    (found,) = [each for each in findings if each["name"] == "database roles"]
    assert found["health"] == "good"
    status = running.json("status")
    assert isinstance(status, dict)
    assert status["by_hand"] == []


def test_people_read_by_the_url_they_are_given_and_write_nothing(running: Running) -> None:
    url = running.swarm("database", "url").stdout.strip()
    with psycopg.connect(url, autocommit=True) as reader:
        assert reader.execute("SELECT count(*) FROM swarm_jobs").fetchone() == (0,)
        with pytest.raises(psycopg.errors.Error, match="read-only transaction"):
            reader.execute("INSERT INTO swarm_jobs (work_order_key) VALUES ('x')")


def test_a_manual_insert_is_named_by_the_audit_until_somebody_accepts_it(running: Running) -> None:
    assert running.swarm("audit").returncode == 0
    with superuser(running) as by_hand:
        by_hand.execute(
            "INSERT INTO legacy_outcomes (work_order_key, origin, escalated, reasons, recipient,"
            " subject, body_text, policy_version, line_sha256, writer)"
            " VALUES (%s, 'live', false, '[]', '', '', '', '', '', 'swarm_worker')",
            (KEY,),
        )
    answer = running.swarm("audit", "--json")
    assert answer.returncode == 1
    (breach,) = json.loads(answer.stdout)["breaches"]
    assert (breach["check"], breach["subject"]) == ("foreign_writer", KEY)
    assert "postgres wrote to legacy_outcomes" in breach["detail"]
    accepted = running.swarm("audit", "--accept", "a restored row")
    assert "foreign_writer" in accepted.stdout, "it says once more what is accepted"
    assert running.swarm("audit").returncode == 0


def test_a_right_too_much_is_named_by_the_audit_and_taken_back_at_the_next_start(
    running: Running,
) -> None:
    with superuser(running) as admin:
        admin.execute("GRANT INSERT ON publication_ledger TO swarm_replay")
        try:
            answer = running.swarm("audit")
            assert answer.returncode == 1
            assert "swarm_replay: INSERT on swarm.publication_ledger" in answer.stdout
            assert running.swarm("database", "roles", "--check").returncode == 1
        finally:
            admin.execute("REVOKE INSERT ON publication_ledger FROM swarm_replay")


def test_an_erasure_has_the_rights_it_needs(running: Running, tmp_path: Path) -> None:
    mail = tmp_path / "mail.eml"
    mail.write_text(
        "From: x@example.org\nTo: service@example.com\nSubject: Sue\n"
        "Message-ID: <one@example.org>\n\nMy lawyer will sue you.\n"
    )
    assert running.swarm("submit", str(mail)).returncode == 0
    until_final(running)
    done = running.swarm(
        "erase", "x@example.org", "--actor", "ada", "--reason", "request 1", "--compact", "--json"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["left"] == {}
    assert len(told["work_orders"]) == 1
    assert any(place.startswith("public.") for place in told["places"])
    assert running.swarm("audit").returncode == 0


def until_final(running: Running) -> None:
    with psycopg.connect(running.settings["DATABASE_URL"], autocommit=True) as connection:
        for _ in range(600):
            row = connection.execute(
                "SELECT count(*) FROM swarm.work_orders WHERE final_at IS NOT NULL"
            ).fetchone()
            if row == (1,):
                return
            connection.execute("SELECT pg_sleep(0.2)")
    log = (running.home.parent / "up.log").read_text()
    pytest.fail(f"no work order ended: {log}")


def test_the_systems_user_who_owns_everything_here_comes_in_by_password_only(
    running: Running,
) -> None:
    url = urlsplit(running.settings["DATABASE_URL"])
    bare = url._replace(netloc=f"{embedded.SUPERUSER}@").geturl()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(bare).close()
