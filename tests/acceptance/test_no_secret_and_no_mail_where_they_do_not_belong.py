"""T61: a word of its own in every secret and in every part of a mail, looked for everywhere.

A whole installation with legacy beside it and a model that quotes. Allowed are our tables and the
files that keep mail, and for secrets the files of mode 0600 that are there for them. Not logs, not
an argument of any process, not Dagster's runs, tags, ticks, and of its events only what people read
at a stage's materialization; not the broker, the metrics, the alerts, or what commands print.
"""

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import httpx
import psycopg
import pytest
from installation import Running, running_up
from search_everything import in_files, in_tables

from swarm.sandbox import environment as sandbox_environment
from swarm.sandbox import model_environment
from swarm.sandbox.remote import SandboxControl
from swarm.up.programs import any_free_port

pytestmark = pytest.mark.acceptance

SECONDS = 600.0
KEY_SECRET = "quokkakeysecret" * 3
PARTS = ("fromname", "fromlocal", "toname", "ccname", "subject", "messageid", "header", "body",
         "hidden", "filename", "filetext", "boundary")  # fmt: skip
MAIL = {part: f"zanzibar{part}" for part in PARTS}
# Keep mail by nature. `sandbox` is the double of the mailbox, `postgres` the server's own files.
FILES_OF_MAIL = ("postgres", "sandbox", "intake", "legacy")
SECRET_FILES = {"database_logins.json", "key_secret", "run/environment.json", "run/postgres.url"}
TABLES_OF_MAIL = {
    "langgraph.checkpoint_blobs", "langgraph.checkpoint_writes", "langgraph.checkpoints",
    "swarm.artifacts", "swarm.legacy_outcomes", "swarm.mail_search", "swarm.model_calls",
    "swarm.publication_payload", "swarm.quarantine", "swarm.work_orders",
    # What a stage came to, shown to people at its materialization; see the test of events.
    "public.asset_keys", "public.event_logs",
}  # fmt: skip
SHOWN = {"STEP_OUTPUT", "ASSET_MATERIALIZATION"}
REPOSITORY = '{repositoryLocationName: "swarm_assets", repositoryName: "__repository__"}'
QUESTIONS = (
    "{ instance { info } }",
    "{ runsOrError { ... on Runs { results { runConfigYaml tags { key value } } } } }",
    "{ allTopLevelResourceDetailsOrError(repositorySelector: "
    + REPOSITORY
    + ") { __typename ... on ResourceDetailsList { results { name description"
    " configuredValues { key value } configFields { name description } } } } }",
    "{ sensorsOrError(repositorySelector: "
    + REPOSITORY
    + ") { __typename ... on Sensors { results { name sensorState { typeSpecificData {"
    " ... on SensorData { lastCursor } } ticks(limit: 50) { cursor skipReason error { message } }"
    " } } } } }",
)
FINAL = "SELECT count(*) FROM swarm.work_orders WHERE final_at IS NOT NULL"


@dataclass
class Seen:
    """The arguments of every process of an installation, as anybody may read them."""

    home: Path
    argv: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        while not self.over.wait(0.05):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    if self._ours(process):
                        said = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                        self.argv.add(said.decode(errors="replace").lower())

    def _ours(self, process: Path) -> bool:
        """By its environment, or where it works: a forked program shows that of the fork server."""
        home = str(self.home)
        return home in str((process / "cwd").readlink()) or (
            home.encode() in (process / "environ").read_bytes()
        )


def mail(number: int, text: str) -> bytes:
    message = EmailMessage()
    message["From"] = f"{MAIL['fromname']} K <{MAIL['fromlocal']}{number}@example.org>"
    message["To"] = f"{MAIL['toname']} <service@example.com>"
    message["Cc"] = f"{MAIL['ccname']} <copy@example.org>"
    message["Subject"] = f"Order 10482 {MAIL['subject']}"
    message["Message-ID"] = f"<{MAIL['messageid']}{number}@example.org>"
    message["X-Canary"] = MAIL["header"]
    message.set_content(f"Hello,\n\n{text} {MAIL['body']}\n\nThank you\n")
    page = f"<p>Hello,</p><p>{text} {MAIL['body']}</p><p style='display:none'>{MAIL['hidden']}</p>"
    message.add_alternative(page, subtype="html")
    message.add_attachment(
        f"invoice {MAIL['filetext']}".encode(), maintype="text", subtype="plain",
        filename=f"{MAIL['filename']}.txt",
    )  # fmt: skip
    message.set_boundary(MAIL["boundary"] + str(number))
    return message.as_bytes()


MAILS = (
    "what is the status of my order 10482?",
    "my lawyer will sue you over order 10482.",
    "when are you open?",
)


@dataclass(frozen=True)
class House:
    """An installation in which the mails have ended, and what was seen of its processes."""

    running: Running
    log: Path
    seen: Seen
    secrets: dict[str, str]

    @property
    def url(self) -> str:
        logins = json.loads((self.running.home / "database_logins.json").read_text())
        return self.running.settings["DATABASE_URL"].replace(
            f"swarm_worker:{logins['swarm_worker']}", f"swarm_owner:{logins['swarm_owner']}"
        )

    @property
    def words(self) -> list[str]:
        return [*MAIL.values(), *self.secrets.values()]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    folder, port = Path(tempfile.mkdtemp(prefix="swarm-canary-")), any_free_port()
    home, sandbox = folder / "home", any_free_port()
    home.mkdir()
    (home / "sandbox").mkdir(mode=0o700)
    (home / "sandbox" / "port").write_text(str(sandbox))
    # Soon settled: a post whose answer was an error is held then.
    settle = {"PUBLISH_SETTLE_SECONDS": "10"}
    shell = {**model_environment(sandbox), **settle, "SWARM_KEY_SECRET": KEY_SECRET}
    seen = Seen(home)
    watching = threading.Thread(target=seen.look, daemon=True)
    watching.start()
    options = ("--no-samples", "--with-legacy", "--port", str(port))
    with (
        running_up(home, folder / "up.log", *options, shell=shell),
        closing(SandboxControl(f"http://127.0.0.1:{sandbox}")) as control,
    ):
        running = Running(home, port)
        _let_it_happen(running, control, folder)
        yield House(running, folder / "up.log", seen, _secrets(running, sandbox))
        seen.over.set()
        watching.join()
    shutil.rmtree(folder, ignore_errors=True)


def _secrets(running: Running, sandbox: int) -> dict[str, str]:
    """Every secret of the installation, by the name of its setting."""
    given = {**sandbox_environment(sandbox), **model_environment(sandbox)}
    logins = json.loads((running.home / "database_logins.json").read_text())
    named = ("GRAPH_CLIENT_SECRET", "MONDAY_TOKEN", "MODEL_API_KEY")
    return {
        **{name: given[name] for name in named},
        "ZAPIER_HOOK_URL": given["ZAPIER_HOOK_URL"].partition("/hooks/")[2],
        "SWARM_KEY_SECRET": KEY_SECRET,
        **{f"password of {role}": password for role, password in logins.items()},
    }


def _let_it_happen(running: Running, control: SandboxControl, folder: Path) -> None:
    """Answers that quote the mail, services in trouble, a line nobody can read."""
    control.fault("monday", "status", times=2, status=500)
    control.fault("zapier", "status", times=1, status=500)
    control.answer_model({"acceptable": True, "findings": []}, contains="acceptable")
    reply = f"We have received your question about {MAIL['body']}."
    answer = {"body": reply, "claims": [], "answered": [1], "decline": None}
    control.answer_model(answer, contains="decline")
    control.answer_model(f"no JSON, but {MAIL['body']}", times=2)
    for number, text in enumerate(MAILS):
        (folder / f"{number}.eml").write_bytes(mail(number, text))
        handed_in = running.swarm("submit", str(folder / f"{number}.eml"))
        assert handed_in.returncode == 0, handed_in.stderr
    with (running.home / "intake" / "work_orders.jsonl").open("a") as stream:
        stream.write(f'{{"id": "{MAIL["subject"]}", "body_text": {MAIL["body"]}\n')
    deadline = time.monotonic() + SECONDS
    with psycopg.connect(running.settings["DATABASE_URL"], autocommit=True) as connection:
        while connection.execute(FINAL).fetchone() != (len(MAILS),):
            assert time.monotonic() < deadline, "the mails did not end"
            time.sleep(1)
    time.sleep(5)  # sensors and the watchman go round once more


@pytest.mark.fault("T61")
def test_the_mails_were_there(house: House) -> None:
    """Nothing would be found of mails that nobody kept."""
    kept = in_tables(house.url, list(MAIL.values()))
    for part in ("fromname", "fromlocal", "subject", "body", "filename", "filetext", "hidden"):
        assert any(each.endswith(MAIL[part]) for each in kept), part


@pytest.mark.fault("T61")
def test_tables_outside_the_mail_hold_neither(house: House) -> None:
    found = in_tables(house.url, house.words)
    assert [each for each in found if each.partition(":")[0] not in TABLES_OF_MAIL] == []
    assert [each for each in found if each.rpartition(" ")[2] in house.secrets.values()] == []


@pytest.mark.fault("T61")
def test_of_dagsters_events_only_what_people_read_at_a_stage_holds_mail(house: House) -> None:
    asked = "SELECT DISTINCT dagster_event_type FROM public.event_logs WHERE lower(event) LIKE %s"
    with psycopg.connect(house.url) as connection:
        kinds = {str(row[0]) for row in connection.execute(asked, ("%zanzibar%",)).fetchall()}
    assert kinds <= SHOWN
    assert kinds, "people read something"


@pytest.mark.fault("T61")
def test_logs_broker_and_dagsters_files_hold_neither(house: House) -> None:
    found = in_files(house.running.home, house.words, but=FILES_OF_MAIL)
    assert [each for each in found if each.partition(":")[0] not in SECRET_FILES] == []
    said = house.log.read_text().lower()
    assert [word for word in house.words if word.lower() in said] == []


@pytest.mark.fault("T61")
def test_files_of_mail_hold_no_secret(house: House) -> None:
    found = in_files(house.running.home, list(house.secrets.values()), but=("postgres", "sandbox"))
    assert {each.partition(":")[0] for each in found} <= SECRET_FILES
    for name in SECRET_FILES:
        path = house.running.home / name
        assert not path.exists() or path.stat().st_mode & 0o077 == 0, name


@pytest.mark.fault("T61")
def test_no_argument_of_any_process_holds_either(house: House) -> None:
    assert len(house.seen.argv) > 15, "they were seen"
    said = "\n".join(house.seen.argv)
    assert "--instance-ref" in said or "one_daemon" in said
    assert [word for word in house.words if word.lower() in said] == []


@pytest.mark.parametrize("question", QUESTIONS, ids=["instance", "runs", "resources", "sensors"])
@pytest.mark.fault("T61")
def test_the_ui_answers_neither(house: House, question: str) -> None:
    answer = httpx.post(
        f"http://127.0.0.1:{house.running.port}/graphql", json={"query": question}, timeout=60
    )
    assert "errors" not in answer.json(), answer.text
    assert len(answer.text) > 100, "it answered something"
    assert [word for word in house.words if word.lower() in answer.text.lower()] == []


@pytest.mark.fault("T61")
def test_the_metrics_hold_neither(house: House) -> None:
    root = house.running.settings["METRICS_URL"]
    for path in ("/metrics", "/healthz", "/readyz"):
        said = httpx.get(root + path, timeout=30).text.lower()
        assert [word for word in house.words if word.lower() in said] == [], path


@pytest.mark.parametrize("command", [("status",), ("doctor",), ("audit",), ("dead", "list"),
                                     ("publisher", "show"), ("gates",), ("home", "show"),
                                     ("quarantine", "list")], ids=" ".join)  # fmt: skip
@pytest.mark.fault("T61")
def test_no_command_prints_a_secret(house: House, command: tuple[str, ...]) -> None:
    done = house.running.swarm(*command)
    said = (done.stdout + done.stderr).lower()
    assert "traceback" not in said
    assert [name for name, word in house.secrets.items() if word.lower() in said] == []


@pytest.mark.fault("T61")
def test_nobody_else_of_this_machine_can_read_the_home(house: House) -> None:
    for folder in ("run", "logs", "intake", "broker", "dagster", "sandbox"):
        mode = (house.running.home / folder).stat().st_mode
        assert mode & 0o077 == 0, (folder, os.fspath(house.running.home))
