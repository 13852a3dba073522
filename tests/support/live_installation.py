"""An installation in which everything has happened once, made by the objects production builds.

Mails go through the intake file, the stages, the ledger, the hook and the mailbox of the sandbox;
nothing is written into a table by hand. A copy of it (database, files, mailbox) is cheap, so that a
test can break one thing in each.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from company import _wired_by_dagster  # the resources of the code location, as a run gets them
from proven import certify
from waiting import wait_for

from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.tick import ingest
from swarm.legacy.publishing.shim import OutboxItem, legacy_publisher, store_payload
from swarm.models import Fence, WorkOrderState
from swarm.observe.audit.installation import audit_installation
from swarm.observe.audit.report import AuditReport, Scope
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.dispatcher import Dispatcher
from swarm.publishing.dispatch.round import run_round
from swarm.publishing.switch.commands import flip
from swarm.sandbox.server import RunningSandbox
from swarm.settings import Settings
from swarm.specialists.rules import RulesSpecialist
from swarm.stages.pipeline import run_chain
from swarm.stages.services import Services
from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.postgres_queue import PostgresQueue
from swarm_assets.resources import process

SECRET = "a secret of tests"
HARMLESS = "Hello,\n\ncould you tell me the status of my order {number}?\n\nAnna Keller"
DANGEROUS = "Hello,\n\nmy lawyer will sue you over order {number}.\n\nAnna Keller"


@dataclass
class Installation:
    """Settings, database and mailbox of one installation, and the keys of what happened in it."""

    settings: Settings
    database: Database
    sandbox: RunningSandbox
    keys: dict[str, str]
    drafts: dict[str, str] = field(default_factory=dict)
    firsts: tuple[AuditReport, ...] = ()

    @property
    def stream(self) -> Path:
        return self.settings.core.swarm_home / "intake" / "work_orders.jsonl"

    def audit(self, scope: Scope = Scope.NEW) -> AuditReport:
        """As ``swarm audit`` does."""
        return audit_installation(self.settings, self.database, scope=scope)

    def beat(self) -> None:
        """The run that works on ``running`` says that it lives."""
        key = self.keys["running"]
        fence = Fence(work_order_key=key, run_id="run-of-running", attempt=1, token=1)
        assert PostgresQueue(self.database, self.settings.queue).heartbeat(fence)

    def tamper(self, *statements: str) -> None:
        """Write behind everybody's back, triggers asleep; ``:name`` is the key of that order."""
        with psycopg.connect(self.database.url) as connection:
            connection.execute("SET search_path = swarm; SET session_replication_role = replica")
            for statement in statements:
                for name, key in self.keys.items():
                    statement = statement.replace(f":{name}", f"'{key}'")  # noqa: PLW2901
                connection.execute(statement)


@contextmanager
def alive(server_url: str, folder: Path, name: str) -> Iterator[Installation]:
    """Found an installation, let everything happen, audit it; yield it with its mark."""
    url = embedded.create_database(server_url, name, template="template_swarm")
    home = folder / "home"
    (home / "intake").mkdir(parents=True)
    with (
        RunningSandbox(folder / "sandbox") as sandbox,
        pytest.MonkeyPatch.context() as environment,
    ):
        sandbox.load_samples()
        told = {"DATABASE_URL": url, "SWARM_KEY_SECRET": SECRET, "SWARM_HOME": str(home)}
        for variable, value in (sandbox.environment | told).items():
            environment.setenv(variable, value)
        with _wired_by_dagster() as built:
            founder = _Founder(sandbox, built, home)
            founder.let_everything_happen()
            founded = Installation(
                process.settings(), process.database(), sandbox, founder.keys, founder.drafts
            )
            founded.firsts = (founded.audit(), founded.audit())
            founded.database.close()  # a template has no visitors
            yield founded


@contextmanager
def copied(
    original: Installation, server_url: str, name: str, folder: Path
) -> Iterator[Installation]:
    """Yield a copy with a database and files of its own; the mailbox is the same."""
    template = original.database.url.partition("?")[0].rpartition("/")[2]
    url = embedded.create_database(server_url, name, template=template)
    home = folder / "copy"
    shutil.copytree(original.settings.core.swarm_home, home)
    core = original.settings.core.model_copy(update={"swarm_home": home})
    database = Database(url)
    copy = replace(original, settings=replace(original.settings, core=core), database=database)
    try:
        copy.beat()
        yield copy
    finally:
        database.close()
        shutil.rmtree(home)
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def with_mailbox_of_its_own(copy: Installation, folder: Path) -> Iterator[Installation]:
    """Yield the installation in front of a copy of its mailbox."""
    shutil.copytree(folder / "sandbox", folder / "mailbox")
    with RunningSandbox(folder / "mailbox") as sandbox:
        told = sandbox.environment
        update = {"base_url": told["GRAPH_BASE_URL"], "authority": told["GRAPH_AUTHORITY"]}
        graph = copy.settings.graph.model_copy(update=update)
        yield replace(copy, settings=replace(copy.settings, graph=graph), sandbox=sandbox)
    shutil.rmtree(folder / "mailbox")


class _Founder:
    """Lets everything happen once."""

    def __init__(self, sandbox: RunningSandbox, built: Any, home: Path) -> None:
        self.sandbox, self.built, self.home = sandbox, built, home
        self.settings = process.settings()
        self.keys: dict[str, str] = {}
        self.lines: dict[str, dict[str, Any]] = {}
        self.drafts: dict[str, str] = {}
        self.services = Services(
            store=built.store,
            specialist=RulesSpecialist(),
            outlook=built.outlook,
            monday=built.monday,
            mailbox=self.settings.graph.mailbox,
            approved_columns=self.settings.monday.approved_columns,
        )

    def let_everything_happen(self) -> None:
        self.appoint(PublisherName.SWARM)
        names = ["published", "other", "held", "shadowed", "fought", "lost", "waiting", "dead"]
        self.arrive([*names, "superseded", "queued", "running"], HARMLESS)
        self.arrive(["escalated"], DANGEROUS)
        self.write(self.lines["published"])  # a duplicate
        self.write(self.lines["superseded"] | {"body_text": "Never mind."})
        self.append("not a work order")
        self.read()
        self.answer("escalated")
        for name in ("published", "other"):
            self.answer(name)
        self.until_published("published", "other")
        self.give_up("dead")
        self.appoint(PublisherName.NONE)
        for name in ("held", "waiting"):
            self.answer(name)
        self.shadow("shadowed")
        self.appoint(PublisherName.SWARM)
        self.somebody_writes("held")
        self.round()
        self.until_published("waiting")
        self.sandbox.fault("zapier", "lose", times=1)
        self.answer("lost")
        self.appoint(PublisherName.NONE)
        self.answer("fought")
        self.built.queue.open(self.keys["running"], "run-of-running", None)

    def arrive(self, names: Sequence[str], text: str) -> None:
        for name in names:
            number = 10482
            received = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
            body, sender = text.format(number=number), f"{name}@example.org"
            subject = f"Where is order {number}, {name}?"
            mail = self.sandbox.seed_mail(
                sender, subject=subject, body_text=body, received_at=received
            )
            line = {
                "schema_version": "1",
                "id": f"mail-{name}",
                "mailbox": self.settings.graph.mailbox,
                "message_id": mail["id"],
                "internet_message_id": mail["internetMessageId"],
                "conversation_id": mail["conversationId"],
                "sender": {"address": sender, "name": "Anna Keller"},
                "to": [{"address": self.settings.graph.mailbox}],
                "subject": subject,
                "body_text": body,
                "received_at": received.isoformat().replace("+00:00", "Z"),
                "source": "graph",
            }
            self.lines[name] = line
            self.keys[name] = work_order_key(SECRET, str(line["id"]))
            self.write(line)

    @property
    def stream(self) -> Path:
        return self.home / "intake" / "work_orders.jsonl"

    def write(self, line: dict[str, Any]) -> None:
        self.append(json.dumps(line))

    def append(self, line: str) -> None:
        with self.stream.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def read(self) -> None:
        report = ingest(self.built.database, self.stream, SECRET)
        assert (report.duplicate, report.quarantined, report.revised) == (2, 1, 1), report

    def answer(self, name: str) -> None:
        key = self.keys[name]
        (asked,) = [
            each for each in self.built.queue.request_due(50) if each.work_order_key == key
        ] or [None]
        attempt = asked.attempt if asked else None
        fence = self.built.queue.open(key, f"run-of-{name}", attempt)
        order = self.built.store.work_order(key)
        run_chain(order, self.services, fence, self.built.publisher)

    def until_published(self, *names: str) -> None:
        for name in names:
            self.wait_until_published(name)

    def wait_until_published(self, name: str) -> None:
        order = self.built.store.work_order(self.keys[name])
        conversation = order.ref.conversation_id
        wait_for(lambda: self.draft_in(conversation), f"the draft of {name}")
        self.drafts[name] = self.draft_in(conversation)
        wait_for(lambda: self.published_by_now(order.key), f"the end of {name}")

    def draft_in(self, conversation: str | None) -> str:
        drafts = self.sandbox.drafts()
        return next((str(d["id"]) for d in drafts if d["conversationId"] == conversation), "")

    def published_by_now(self, key: str) -> bool:
        """A look that came before the draft puts off the next one by seconds."""
        self.round()
        return self.built.store.state(key) is WorkOrderState.PUBLISHED

    def give_up(self, name: str) -> None:
        fence = self.built.queue.open(self.keys[name], f"run-of-{name}", None)
        self.built.queue.fail(fence, "the stored mail is unreadable", retryable=False)

    def shadow(self, name: str) -> None:
        """Both paths handle it; today's is in office and publishes."""
        self.appoint(PublisherName.LEGACY)
        self.answer(name)
        order = self.built.store.work_order(self.keys[name])
        item = OutboxItem(
            schema_version="1",
            id=order.original_id,
            decision="draft",
            to=order.sender.address,
            subject=f"Re: {order.subject}",
            body_text="It is on its way.",
            mailbox=order.ref.mailbox,
            message_id=order.ref.message_id,
            internet_message_id=order.ref.internet_message_id,
            conversation_id=order.ref.conversation_id,
            line_sha256="f" * 64,
        )
        with self.built.database.transaction() as connection:
            store_payload(connection, order.key, item)
        deps = legacy_publisher(
            self.built.database,
            self.built.zapier,
            self.settings.publishing,
            "test",
            at_home=lambda _connection: True,
        )
        Dispatcher(deps).once(order.key)
        self.until_published(name)

    def somebody_writes(self, name: str) -> None:
        order = self.built.store.work_order(self.keys[name])
        self.sandbox.seed_mail(
            order.sender.address,
            subject=f"Re: {order.subject}",
            body_text="Never mind.",
            received_at=datetime.now(UTC),
            conversation_id=order.ref.conversation_id,
        )

    def appoint(self, to: PublisherName) -> None:
        if to is PublisherName.SWARM:
            certify(self.built.database)
        with self.built.database.transaction() as connection:
            flip(connection, to, actor="test", reason="test")

    def round(self) -> None:
        run_round(self.built.publishing_deps)
