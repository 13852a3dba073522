"""The real UI and desk behind the real front door: good use works, bad use changes nothing."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from front_door import DESK, LOOK, LOOK_DESK, NAME, NGINX, ONLOOKER, PEOPLE, SCRAPER, Door, basic
from front_door import front_door as opened
from installation import Running, running_up
from namespaces import MAY_NOT, inside, networks
from websockets.sync.client import connect

from swarm.patterns import linear
from swarm.up.programs import any_free_port

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed on this machine"),
]

OURS = f"https://{NAME}"
UPGRADE = {"Upgrade": "websocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "x" * 22 + "=="}  # fmt: skip
_SECONDS = 120.0
_SCRIPT = linear(r'(?:src|href)="(/[^"]{1,300}\.(?:js|css|json|svg|png))"')
_LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { id } }
  }
}"""
_PARAMS = {
    "selector": {
        "repositoryLocationName": "swarm_assets",
        "repositoryName": "__repository__",
        "jobName": "publications",
    },
    "mode": "default",
    "runConfigData": {},
}
_STATUS = "query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
_RUNS = "{ runsOrError { ... on Runs { results { tags { key } } } } }"
_OWN_ACCORD = frozenset({"dagster/sensor_name", "dagster/schedule_name"})
_LOGS = """
subscription Logs($id: ID!) {
  pipelineRunLogs(runId: $id, cursor: null) {
    __typename ... on PipelineRunLogsSubscriptionSuccess { messages { __typename } }
  }
}"""


@dataclass(frozen=True)
class House:
    """An installation behind its front door."""

    running: Running
    door: Door
    ports: Mapping[str, int]

    def graphql(self, query: str, *, host: str = NAME, who: tuple[str, str] = PEOPLE,
                **variables: object) -> Any:  # fmt: skip
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = self.door.ask("POST", "/graphql", host=host, who=who, origin=f"https://{host}",
                               json=True, body=body)  # fmt: skip
        assert answer.status == 200, answer
        return json.loads(_unchunked(answer.headers, answer.body))

    def escalated(self) -> str:
        """The key of a work order that waits for a person."""
        deadline = time.monotonic() + 5 * _SECONDS
        while not (listed := self.running.json("escalations", "list")):
            assert time.monotonic() < deadline, "no sample was escalated"
            time.sleep(1)
        return str(listed[0]["key"])  # type: ignore[index]

    def runs(self, **who: Any) -> int:
        """How many runs there are that no sensor and no schedule began."""
        runs = self.graphql(_RUNS, **who)["data"]["runsOrError"]["results"]
        return sum(_OWN_ACCORD.isdisjoint(tag["key"] for tag in run["tags"]) for run in runs)

    @contextmanager
    def subscribed(self, origin: str | None) -> Iterator[Any]:
        with socket.create_connection(("127.0.0.1", self.door.port)) as wire:
            headers = {"Authorization": basic(PEOPLE)}
            with connect(f"wss://{NAME}/graphql", sock=wire, ssl=self.door.trust(), origin=origin,
                         server_hostname=NAME, additional_headers=headers,
                         subprotocols=["graphql-ws"]) as ws:  # type: ignore[arg-type,list-item]  # fmt: skip
                yield ws


def _unchunked(headers: Mapping[str, str], body: bytes) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return body
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        whole, body = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return whole


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    ports = {name: any_free_port() for name in ("ui", "desk", "metrics", "look")}
    options = ("--port", "ui"), ("--desk-port", "desk"), ("--metrics-port", "metrics")
    given = [x for o, name in (*options, ("--look-port", "look")) for x in (o, str(ports[name]))]
    shell = {"DESK_URL": f"https://{DESK}", "UI_URL": OURS}
    with (
        running_up(folder / "home", folder / "up.log", *given, shell=shell),
        opened(folder / "door", ports) as door,
    ):
        yield House(Running(folder / "home", ports["ui"]), door, ports)


@pytest.mark.parametrize(("host", "who"), [(NAME, PEOPLE), (LOOK, ONLOOKER)], ids=["act", "look"])
def test_a_page_of_the_ui_loads_with_everything_it_names(
    house: House, host: str, who: tuple[str, str]
) -> None:
    page = house.door.ask("GET", "/runs", host=host, who=who)
    named = {each.group(1) for each in _SCRIPT.finditer(page.body.decode())}
    assert page.status == 200
    assert len(named) > 3
    for file in sorted(named):
        answer = house.door.ask("GET", file, host=host, who=who, origin=f"https://{host}")
        assert answer.status == 200, file


def test_a_run_is_launched_and_its_log_comes_over_the_websocket(house: House) -> None:
    launched = house.graphql(_LAUNCH, params=_PARAMS)["data"]["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run = launched["run"]["id"]
    deadline = time.monotonic() + _SECONDS
    while (status := house.graphql(_STATUS, id=run)["data"]["runOrError"]["status"]) != "SUCCESS":
        assert time.monotonic() < deadline, status
        time.sleep(0.5)
    with house.subscribed(OURS) as ws:
        ws.send(json.dumps({"type": "connection_init", "payload": {}}))
        started = {"query": _LOGS, "variables": {"id": run}}
        ws.send(json.dumps({"id": "1", "type": "start", "payload": started}))
        seen = ""
        while "RunSuccessEvent" not in seen:
            seen += str(ws.recv(timeout=_SECONDS))


@pytest.mark.parametrize("origin", [None, "https://evil.example.org", "null"])
@pytest.mark.fault("T59")
def test_a_websocket_of_another_page_is_refused(house: House, origin: str | None) -> None:
    for host, who in ((NAME, PEOPLE), (LOOK, ONLOOKER)):
        asked = house.door.ask("GET", "/graphql", host=host, who=who, origin=origin,
                               headers=UPGRADE)  # fmt: skip
        assert asked.status == 403


@pytest.mark.fault("T59")
def test_whatever_a_foreign_page_sends_no_run_begins(house: House) -> None:
    before, ask = house.runs(), house.door.ask
    body = json.dumps({"query": _LAUNCH, "variables": {"params": _PARAMS}}).encode()
    plain = {"Content-Type": "text/plain"}
    for path in ("/graphql", "/graphql/", "//graphql", "/%67raphql", "/x/../graphql"):
        for host, who in ((NAME, PEOPLE), (LOOK, ONLOOKER)):
            assert ask("GET", f"{path}?query=mutation", host=host, who=who).status in (400, 403)
            for origin in ("https://evil.example.org", "null", None):
                for more in ({"json": True}, {"headers": plain}):
                    sent = ask("POST", path, host=host, who=who, origin=origin, body=body, **more)
                    assert sent.status in (400, 403), (path, origin, more)
    assert house.runs() == before


def test_who_only_looks_sees_the_runs_and_launches_none(house: House) -> None:
    before = house.runs()
    look = {"host": LOOK, "who": ONLOOKER}
    assert house.runs(**look) == before
    refused = house.graphql(_LAUNCH, params=_PARAMS, **look)
    assert refused["data"]["launchPipelineExecution"]["__typename"] == "UnauthorizedError"
    assert house.runs() == before


def test_the_desk_opens_for_both_and_takes_nothing_from_who_only_looks(house: House) -> None:
    for host, who in ((DESK, PEOPLE), (LOOK_DESK, ONLOOKER)):
        assert house.door.ask("GET", "/", host=host, who=who).status == 200, host
    sent = house.door.ask("POST", "/", host=LOOK_DESK, who=ONLOOKER, origin=f"https://{LOOK_DESK}")
    assert sent.status == 403


def test_an_escalation_is_acknowledged_by_the_name_of_the_login(house: House) -> None:
    """However the person's browser signs a form: with the desk's name, or as a page without one."""
    key = house.escalated()
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-User": "eva"}
    path, desk = f"/escalations/{key}/acknowledge", {"host": DESK}
    foreign = house.door.ask("POST", path, **desk, origin="https://evil.example.org", headers=form)
    assert foreign.status == 403
    sent = house.door.ask("POST", path, **desk, origin=f"https://{DESK}", headers=form)
    if sent.status == 404:
        pytest.skip("the desk of this build has no such form")
    assert sent.status in (200, 303), sent
    listed = house.running.json("escalations", "list", "--all")
    assert isinstance(listed, list)
    (seen,) = [each["acknowledged_by"] for each in listed if each["key"] == key]
    assert seen == "anna"


def test_the_scraper_gets_its_numbers(house: House) -> None:
    answer = house.door.ask("GET", "/metrics", who=SCRAPER)
    assert answer.status == 200
    assert b"swarm_" in answer.body


@pytest.mark.skipif(MAY_NOT is not None, reason=str(MAY_NOT))
def test_from_another_machine_there_is_the_front_door_and_nothing_else(house: House) -> None:
    """Of every TCP port on which anything of the installation listens only loopback answers."""
    listening = _listening_of(house.running.home)
    assert {*house.ports.values()} <= listening
    with networks(1) as (network,):
        assert _reached(network.name, network.gateway, house.door.port), "the network works"
        for port in sorted(listening):
            assert not _reached(network.name, network.gateway, port), port


def _reached(namespace: str, address: str, port: int) -> bool:
    dial = f"import socket; socket.create_connection(({address!r}, {port}), 5).close()"
    done = subprocess.run([*inside(namespace), "python3", "-c", dial], capture_output=True,
                          check=False)  # fmt: skip
    return done.returncode == 0


def _listening_of(home: Path) -> set[int]:
    """The TCP ports of the processes of this installation."""
    groups = {int(each.read_text().split()[0]) for each in (home / "run").glob("*.pid")}
    said = subprocess.run(["ss", "-tlnpH"], capture_output=True, text=True, check=True).stdout
    return {
        int(line.split()[3].rpartition(":")[2])
        for line in said.splitlines()
        if any(f"pid={pid}," in line for pid in groups)
    }
