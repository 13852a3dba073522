"""Several hosts on this machine: the intake host here, worker hosts in namespaces of their own.

A worker host has a network, a name and a table of processes of its own, and one core. What it
shares with the intake host is what many machines share: Postgres over TCP and a real Redis. The
doubles of the services are at one address for all of them (``relay``).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg
import waiting
from installation import SWARM, environment
from namespaces import MAY_NOT, Network, inside, networks
from relay import loopback_reaches

from swarm.sandbox.remote import SandboxControl
from swarm.settings import is_setting
from swarm.store import embedded
from swarm.store.database import Row
from swarm.up.programs import any_free_port

REDIS = shutil.which("redis-server")
WHY_NOT = MAY_NOT or (None if REDIS else "redis-server is not installed on this machine")
wait_for = partial(waiting.wait_for, seconds=600.0)


@dataclass(frozen=True)
class Host:
    """A worker host: its network, its home, its one core."""

    network: Network
    home: Path
    core: int
    settings: Mapping[str, str]

    @contextmanager
    def working(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Run ``swarm worker`` there until the end of the block."""
        enter = (
            f"hostname {self.network.name}; exec {sys.executable} -m swarm.cli worker --processes 1"
        )
        command = [
            *inside(self.network.name), "unshare", "--uts", "--pid", "--fork", "--kill-child",
            "--mount-proc", "taskset", "-c", str(self.core), "sh", "-c", enter,
        ]  # fmt: skip
        own = {**environment(self.home), **self.settings, "SWARM_HOME": str(self.home)}
        with (self.home / "worker.log").open("ab") as log:
            process = subprocess.Popen(command, env=own, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def lose(self, worker: "subprocess.Popen[bytes]") -> None:
        """As a power cut: nobody there says good-bye, no connection is closed."""
        self.network.cut()
        worker.send_signal(signal.SIGKILL)
        worker.wait()


@dataclass(frozen=True)
class Site:
    """The intake host and what all share."""

    home: Path
    url: str
    control: SandboxControl
    hosts: Sequence[Host] = field(default=())

    def rows(self, sql: str) -> list[Row]:
        with closing(psycopg.connect(self.url, row_factory=psycopg.rows.dict_row)) as connection:
            return connection.execute(sql.encode()).fetchall()

    def final(self) -> int:
        return int(
            self.rows("SELECT count(*) n FROM swarm.work_orders WHERE final_at IS NOT NULL")[0]["n"]
        )

    def decided(self, first: int) -> int:
        """How many of the mails from number ``first`` on no worker has to do with any more."""
        done = "state NOT IN ('accepted', 'running')"
        number = "substr(original_id, 7)::int"
        asked = f"SELECT count(*) n FROM swarm.work_orders WHERE {done}"
        within = f"{number} >= {first} AND {number} < {first + 1000}"
        return int(self.rows(f"{asked} AND {within}")[0]["n"])

    def hosts_that_worked(self) -> set[str]:
        """The names of the hosts whose processes executed runs."""
        said = self.rows("SELECT DISTINCT value FROM public.run_tags WHERE key = 'swarm/worker'")
        return {
            json.loads(each["value"])["host"].partition("/")[0] for each in said if each["value"]
        }

    def mails(self, first: int, number: int) -> None:
        """Harmless questions of so many customers, all at once."""
        lines = [_line(each, self.control) for each in range(first, first + number)]
        with (self.home / "intake" / "work_orders.jsonl").open("a") as stream:
            stream.write("".join(f"{each}\n" for each in lines))

    def audit(self) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*SWARM, "audit"], env=environment(self.home), capture_output=True,
                              text=True, check=False)  # fmt: skip


@contextmanager
def site(
    number: int, pace: Mapping[str, str], *, sandbox_port: int | None = None
) -> Iterator[Site]:
    """An intake host without workers, and so many worker hosts that do not work yet.

    ``pace`` are settings of all; ``sandbox_port``: where they expect the doubles, if anywhere.
    """
    folder = Path(tempfile.mkdtemp(prefix="swarm-site-"))
    folder.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        wires = stack.enter_context(networks(number))
        addresses = [each.gateway for each in wires]
        url = stack.enter_context(_postgres(folder / "pg", addresses))
        broker = stack.enter_context(_redis(folder, addresses))
        shared = {"DATABASE_URL": url, "SWARM_BROKER_URL": broker, **pace}
        home = folder / "home"
        (home / "sandbox").mkdir(parents=True)
        if sandbox_port is not None:
            (home / "sandbox" / "port").write_text(str(sandbox_port))
        stack.enter_context(_intake_host(home, folder / "up.log", shared, number))
        described = json.loads((home / "run" / "environment.json").read_text())
        settings = {k: v for k, v in described.items() if is_setting(k)}
        port = int((home / "sandbox" / "port").read_text())
        control = stack.enter_context(closing(SandboxControl(f"http://127.0.0.1:{port}")))
        cores = sorted(os.sched_getaffinity(0))
        hosts = []
        for index, wire in enumerate(wires):
            stack.enter_context(loopback_reaches(wire.name, port))
            own = folder / wire.name
            own.mkdir()
            shutil.copytree(home / "knowledge", own / "knowledge", dirs_exist_ok=True)
            hosts.append(Host(wire, own, cores[index % len(cores)], settings))
        yield Site(home, url, control, hosts)


@contextmanager
def _intake_host(home: Path, log: Path, shared: Mapping[str, str], workers: int) -> Iterator[None]:
    options = ["--no-samples", "--port", str(any_free_port()), "--workers", "0",
               "--workers-elsewhere", str(workers)]  # fmt: skip
    (home / "knowledge").mkdir(parents=True)
    with log.open("wb") as output:
        process = subprocess.Popen([*SWARM, "up", *options], env={**environment(home), **shared},
                                   stdout=output, stderr=output)  # fmt: skip
    try:
        wait_for(lambda: "up after" in log.read_text() or process.poll() is not None, "the start")
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


@contextmanager
def _postgres(data: Path, addresses: Sequence[str]) -> Iterator[str]:
    """The server of the tests, on TCP: the wheel's own, started by hand."""
    data.mkdir()
    server, port = embedded._server(data), any_free_port()
    with embedded._plain_locale():
        server.ensure_pgdata_inited()
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.213.0.0/16 trust\n")
        listen = f"-h {','.join(addresses)} -p {port} -k {data}"
        embedded._pg_ctl(server, "-w", "-o", listen, "-l", str(data / "log"), "start")
    try:
        yield embedded.create_database(f"postgresql://postgres@{addresses[0]}:{port}/postgres")
    finally:
        embedded._pg_ctl(server, "-w", "-m", "immediate", "stop")


@contextmanager
def _redis(folder: Path, addresses: Sequence[str]) -> Iterator[str]:
    port = any_free_port()
    command = [str(REDIS), "--port", str(port), "--bind", *addresses, "--save", "", "--dir",
               str(folder), "--protected-mode", "no"]  # fmt: skip
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield f"redis://{addresses[0]}:{port}/0"
    finally:
        process.terminate()
        process.wait(20)


def _line(number: int, control: SandboxControl) -> str:
    """A work order whose mail stands in the mailbox, outside the inbox that intake polls."""
    sender, body = (
        f"anna.keller{number}@example.org",
        f"What is the status of my order 10482? ({number})",
    )
    control.add_contact("Anna Keller", sender)
    mail = control.seed_mail(sender, subject="Order 10482", body_text=body, folder="archive")
    return json.dumps(
        {
            "schema_version": "1",
            "id": f"hosts-{number}",
            "mailbox": "service@example.com",
            "message_id": mail["id"],
            "internet_message_id": mail["internetMessageId"],
            "conversation_id": mail["conversationId"],
            "sender": {"address": sender, "name": "Anna Keller"},
            "to": [{"address": "service@example.com", "name": "Customer Service"}],
            "subject": "Order 10482",
            "body_text": body,
            "received_at": mail["receivedDateTime"],
            "source": "test",
        }
    )
