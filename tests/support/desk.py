"""Drafts in the sandbox's mailbox, published as production does, for a person to act on."""

import itertools
import time
from datetime import UTC, datetime, timedelta

from psycopg.types.json import Jsonb
from publishing_world import EVIDENCE, RULES, RULESET, draft, key_of
from pydantic import SecretStr

from swarm.clients.outlook import GraphOutlook
from swarm.clients.zapier import ZapierHook
from swarm.models import DECLINED, Address, Fence, MessageRef, Reason, WorkOrder
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.round import run_round
from swarm.publishing.dispatch.settling import settle_work_order
from swarm.publishing.ledger.enqueue import enqueue
from swarm.publishing.ledger.payload import build_payload
from swarm.publishing.switch.commands import flip
from swarm.sandbox.remote import SandboxControl
from swarm.sandbox.server import RunningSandbox
from swarm.settings import GraphSettings, PublishingSettings, ZapierSettings
from swarm.shadow.outcomes.looking import Lookout, LookReport
from swarm.store.database import Database, Row
from swarm.store.postgres import PostgresStore
from swarm.store.reply_outcomes import Pace

CUSTOMER = "jane@customer.example"
SIGNATURE = "Customer Service"
LONG = (
    "your parcel left our warehouse on Monday and should reach you within two working days. You can"
    " follow it with the number on your invoice, and we will gladly help if it does not arrive."
)


def graph_settings(environment: dict[str, str]) -> GraphSettings:
    """The settings of a sandbox's Graph double."""
    return GraphSettings(
        tenant_id=environment["GRAPH_TENANT_ID"],
        client_id=environment["GRAPH_CLIENT_ID"],
        client_secret=SecretStr(environment["GRAPH_CLIENT_SECRET"]),
        mailbox=environment["GRAPH_MAILBOX"],
        base_url=environment["GRAPH_BASE_URL"],
        authority=environment["GRAPH_AUTHORITY"],
    )


_NUMBERS = itertools.count(1)  # a mailbox outlives its test, and finds drafts by their work order


class Desk:
    """A mailbox with mails of one customer each, and the drafts made for them."""

    def __init__(self, database: Database, sandbox: RunningSandbox, outlook: GraphOutlook) -> None:
        self.database, self.outlook = database, outlook
        self.sandbox: SandboxControl = sandbox
        self.mailbox = sandbox.environment["GRAPH_MAILBOX"]
        self.hook = ZapierHook(
            ZapierSettings(hook_url=SecretStr(sandbox.environment["ZAPIER_HOOK_URL"]))
        )
        self.store = PostgresStore(database)
        self.mails: dict[str, dict[str, object]] = {}

    def mail(self, *, state: str = "publishing", **more: object) -> str:
        """A mail of a customer's, and its work order."""
        number = next(_NUMBERS)
        sender = str(more.pop("sender", CUSTOMER))
        seen = self.sandbox.seed_mail(
            sender, subject="Where is my parcel?", body_text="Where is it? Jane", **more
        )
        key = key_of(number)
        order = WorkOrder(
            key=key,
            original_id=f"o-{number}",
            ref=MessageRef(
                mailbox=self.mailbox,
                message_id=str(seen["id"]),
                internet_message_id=str(seen["internetMessageId"]),
                conversation_id=str(seen["conversationId"]),
            ),
            sender=Address(address=sender),
            subject="Where is my parcel?",
            received_at=datetime.fromisoformat(str(seen["receivedDateTime"])),
            source="test",
        )
        self.mails[key] = seen
        body = Jsonb(order.model_dump(mode="json"))
        final = state not in {"publishing", "running"}
        self.run(
            "INSERT INTO work_orders (key, original_id, body, state, final_at)"
            " VALUES (%s, %s, %s, %s, CASE WHEN %s THEN now() END)",
            key, order.original_id, body, state, final,
        )  # fmt: skip
        return key

    def escalated(self, *, declined: bool = False, **more: object) -> str:
        """A mail that was escalated by its run, or declined."""
        key = self.mail(state="running", **more)
        self.run(
            "INSERT INTO swarm_jobs (work_order_key, state, attempt, token, run_id)"
            " VALUES (%s, 'running', 1, 1, %s)",
            key, f"run-{key}",
        )  # fmt: skip
        fence = Fence(work_order_key=key, run_id=f"run-{key}", attempt=1, token=1)
        if declined:
            assert self.store.decline(fence, [Reason(rule=DECLINED, detail="he asks nothing")])
        else:
            assert self.store.escalate(fence, [Reason(rule="ES-03", detail="asks for a human")])
        return key

    def publish(self, key: str, *, publisher: str = "swarm", text: str = LONG) -> str:
        """Let the publisher make the draft and confirm it; returns the draft's immutable id."""
        made = draft(key, text).model_copy(update={"to": (Address(address=CUSTOMER),)})
        me = PublisherName(publisher)
        with self.database.transaction() as connection:
            flip(connection, me, actor="test", reason="test")
        for rule in RULES:
            self.run(
                "INSERT INTO verdicts (work_order_key, rule, version, draft_sha256,"
                " evidence_sha256, ruling, reasons, decided_by)"
                " VALUES (%s, %s, %s, %s, %s, 'pass', '[]', 'test')",
                key, rule, RULESET, made.content_sha256, EVIDENCE,
            )  # fmt: skip
        with self.database.transaction() as connection:
            enqueue(
                connection,
                me,
                build_payload(self.store.work_order(key), made, at=datetime.now(UTC)),
                evidence_sha256=EVIDENCE,
                ruleset=RULESET,
                required_rules=RULES,
            )
        run_round(self._deps(me))
        deadline = time.monotonic() + 10
        while self.ledger(key)["state"] != "CONFIRMED" and time.monotonic() < deadline:
            self.run("UPDATE publication_ledger SET look_at = now() WHERE work_order_key = %s", key)
            run_round(self._deps(me))
        assert self.ledger(key)["state"] == "CONFIRMED"
        return str(self.ledger(key)["draft_id"])

    def drafted(self, **more: object) -> tuple[str, str]:
        """A mail with its draft."""
        key = self.mail()
        return key, self.publish(key, **more)

    def rounds(self) -> None:
        """Let both publishers do a round in which everything is due."""
        self.run("UPDATE publication_ledger SET look_at = now() WHERE look_at IS NOT NULL")
        for me in (PublisherName.SWARM, PublisherName.LEGACY):
            run_round(self._deps(me))

    def posted(self, key: str) -> int:
        """How often a draft was asked for."""
        payloads = [each["payload"] for each in self.sandbox.deliveries()]
        return sum(isinstance(p, dict) and p.get("idempotency_key") == key for p in payloads)

    def lookout(self, **changes: object) -> Lookout:
        pace = Pace(soonest=timedelta(0), latest=timedelta(0), per_minute=1000)
        settings = {"pace": pace, **changes}
        return Lookout(self.database, self.outlook, SIGNATURE, lambda _c: True, **settings)

    def look(self, **changes: object) -> LookReport:
        """One round in which everything unsettled is due once."""
        self.run("UPDATE reply_outcomes SET look_at = now() WHERE look_at IS NOT NULL")
        pace = Pace(per_minute=1000)
        return self.lookout(pace=pace, **changes).look()

    def outcome(self, key: str) -> Row:
        return self._one("SELECT * FROM reply_outcomes WHERE work_order_key = %s", key)

    def rows_about(self, key: str) -> int:
        counted = "SELECT count(*)::int AS n FROM reply_outcomes WHERE work_order_key = %s"
        return int(self._one(counted, key)["n"])

    def ledger(self, key: str) -> Row:
        return self._one("SELECT * FROM publication_ledger WHERE work_order_key = %s", key)

    def escalation(self, key: str) -> Row:
        return self._one("SELECT * FROM escalations WHERE work_order_key = %s", key)

    def run(self, sql: str, *values: object) -> None:
        with self.database.transaction() as connection:
            connection.execute(sql.encode(), values)

    def _one(self, sql: str, *values: object) -> Row:
        with self.database.transaction() as connection:
            found = connection.execute(sql.encode(), values).fetchone()
        assert found is not None
        return found

    def _deps(self, me: PublisherName) -> PublishingDeps:
        return PublishingDeps(
            database=self.database,
            hook=self.hook,
            outlook=self.outlook,
            me=me,
            required_rules=RULES,
            preflight=lambda _candidate: (),
            settle=settle_work_order,
            at_home=lambda _connection: True,
            timings=PublishingSettings(),
        )
