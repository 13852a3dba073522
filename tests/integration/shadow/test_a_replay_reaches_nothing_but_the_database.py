"""What a replaying process holds, imports and connects to: nothing that could publish."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import grimp
import psycopg
import pytest
from history_rows import how, program, put
from shadow_records import order

from swarm.settings import ShadowSettings, load_settings
from swarm.shadow.replay.launch import environment
from swarm.store.database import Database

pytestmark = pytest.mark.integration

PUBLISHING = ("swarm.clients.zapier", "swarm.publishing.dispatch", "swarm.publishing.switch",
              "swarm.publishing.control", "swarm.legacy.publishing", "dagster")  # fmt: skip
ONLY_OF_THE_LEDGER = {"swarm.publishing.ledger", "swarm.publishing.ledger.marker"}

_SPY = """
import atexit, json
seen = []
def spy(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "subprocess.Popen",
                 "os.system", "os.exec", "os.posix_spawn"):
        seen.append([event, repr(arguments[1:])])
sys.addaudithook(spy)
def tell():
    with open({file!r}, "a") as out:
        out.write(json.dumps([seen, sorted(sys.modules), sorted(os.environ)]) + "\\n")
real = program.main
def main():
    try:
        return real()
    finally:
        tell()
program.main = main
"""


def test_its_import_graph_reaches_no_publisher() -> None:
    graph = grimp.build_graph("swarm")
    for module in PUBLISHING[:-1]:
        assert graph.find_shortest_chain("swarm.shadow.replay.__main__", module) is None
    reached = graph.find_upstream_modules("swarm.shadow.replay.__main__")
    ledger = {module for module in reached if module.startswith("swarm.publishing.ledger")}
    assert ledger <= ONLY_OF_THE_LEDGER


def test_a_whole_backfill_imports_holds_and_connects_nothing_else(
    database: Database, tmp_path: Path
) -> None:
    mails = [order(f"x{n}") for n in range(8)]
    put(database, *mails)
    spied = tmp_path / "spied"
    report = how(database, program=program(tmp_path, _SPY.format(file=str(spied)))).replay(
        [mail.key for mail in mails]
    )
    assert report.done == 8
    told = [json.loads(line) for line in spied.read_text().splitlines()]
    assert len(told) == 2
    for seen, modules, variables in told:
        assert [each for each in seen if each[0] == "socket.connect"] == []
        assert seen == []
        found = [m for m in modules if m.startswith(PUBLISHING)]
        assert found == []
        ledger = {m for m in modules if m.startswith("swarm.publishing.ledger")}
        assert ledger <= ONLY_OF_THE_LEDGER
        assert not [name for name in variables if name.startswith(("ZAPIER", "GRAPH", "MONDAY"))]


@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace here")
def test_the_kernel_saw_it_connect_to_the_database_alone(
    database: Database, tmp_path: Path
) -> None:
    mails = [order(f"k{n}") for n in range(4)]
    put(database, *mails)
    run, seen = how(database, processes=1), tmp_path / "seen"
    traced = ("strace", "-D", "-f", "-e", "trace=connect", "-o", str(seen), *run.program)
    assert how(database, processes=1, program=traced).replay([m.key for m in mails]).done == 4
    connects = [line for line in seen.read_text().splitlines() if "connect(" in line]
    place = str(psycopg.conninfo.conninfo_to_dict(database.url)["host"])
    assert connects
    # libc asks for the name of a user id, of this machine, whatever the program does.
    others = [line for line in connects if place not in line and "/nscd/" not in line]
    assert others == []


@pytest.mark.skipif(
    os.geteuid() != 0
    or shutil.which("unshare") is None
    or subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True).returncode != 0,
    reason="this machine gives no network namespaces",
)
def test_without_any_network_it_does_the_same(database: Database) -> None:
    mail = order("alone")
    put(database, mail)
    run = how(database)
    alone = how(database, program=("unshare", "-n", *run.program))
    assert "/" in psycopg.conninfo.conninfo_to_dict(database.url)["host"]  # a socket of the machine
    assert alone.replay([mail.key]).done == 1


def test_its_environment_is_an_allow_list(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DATABASE_URL": "postgresql://publisher@h/d", "SWARM_KEY_SECRET": "s",
        "ZAPIER_HOOK_URL": "https://hook", "GRAPH_TENANT_ID": "t", "GRAPH_CLIENT_ID": "c",
        "GRAPH_CLIENT_SECRET": "x", "GRAPH_MAILBOX": "m@x.example", "MONDAY_TOKEN": "x",
        "MONDAY_CONTACTS_BOARD": "1", "MONDAY_DEALS_BOARD": "2", "MONDAY_EMAIL_COLUMN": "e",
        "MODEL_API_KEY": "k", "MODEL_TIMEOUT_SECONDS": "5", "SOMETHING_ELSE": "y",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settings = load_settings()
    url = "postgresql://replay@h/d"
    made = environment(settings, os.environ, url)
    assert made["DATABASE_URL"] == url
    assert made["MODEL_TIMEOUT_SECONDS"] == "5"
    assert not [n for n in made if n.startswith(("ZAPIER", "GRAPH", "MONDAY", "SWARM_KEY"))]
    assert not made.keys() & {"MODEL_API_KEY", "SOMETHING_ELSE"}
    monkeypatch.setenv("SHADOW_ASK_SOURCES", "true")
    monkeypatch.setenv("SHADOW_MODEL_BUDGET", "2")
    asked = environment(load_settings(), os.environ, url)
    assert {"GRAPH_MAILBOX", "MONDAY_TOKEN", "MODEL_API_KEY"} <= asked.keys()
    assert "ZAPIER_HOOK_URL" not in asked


def test_by_default_nothing_is_asked_and_nothing_paid() -> None:
    shadow = ShadowSettings()
    assert (shadow.ask_sources, shadow.model_budget) == (False, 0.0)
