"""Work orders, verdicts and publishers as rows, for tests of the publication ledger."""

from dataclasses import replace
from datetime import UTC, datetime

from postbox import Postbox, PostboxOutlook
from proven import certify
from psycopg.types.json import Jsonb
from pydantic import SecretStr

from swarm.clients.zapier import ZapierHook
from swarm.models import Address, Draft, Fence, MessageRef, Stage, WorkOrder
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.settling import settle_work_order
from swarm.publishing.ledger.enqueue import LedgerRow, enqueue
from swarm.publishing.ledger.marker import draft_marker
from swarm.publishing.ledger.payload import StoredPayload, build_payload
from swarm.publishing.switch.commands import flip
from swarm.settings import PublishingSettings, ZapierSettings
from swarm.store.database import Connection, Database, Row

RULES = ("ES-07", "ES-10")
RULESET = "rules-1"
EVIDENCE = "e" * 64
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

_AGE = """
UPDATE publication_ledger
   SET intent_at = intent_at - make_interval(secs => %(s)s),
       changed_at = changed_at - make_interval(secs => %(s)s),
       not_before = not_before - make_interval(secs => %(s)s),
       look_at = look_at - make_interval(secs => %(s)s)
"""


def key_of(number: int) -> str:
    """Return the n-th work-order key; what differs comes first, as the marker needs it."""
    digits = f"{number:08d}".translate(str.maketrans("0189", "abcd"))
    return "wo_" + digits.ljust(24, "z")


def work_order(key: str) -> WorkOrder:
    return WorkOrder(
        key=key,
        original_id=f"order-{key[3:11]}",
        ref=MessageRef(
            mailbox="service@example.org",
            message_id="AAMk=",
            internet_message_id="<1@example.com>",
            conversation_id=f"conversation-{key[3:11]}",
        ),
        sender=Address(address="customer@example.com"),
        subject="Where is my parcel?",
        received_at=NOON,
        source="test",
    )


def draft(key: str, text: str = "It is on its way.") -> Draft:
    marker = draft_marker(key)
    return Draft(
        subject="Re: Where is my parcel?",
        body_text=f"Hello,\n\n{text}\n\n{marker}",
        body_html=f"<p>Hello,</p><p>{text}</p><p>{marker}</p>",
        to=(Address(address="customer@example.com"),),
        author="rules 1",
    )


def payload(key: str, text: str = "It is on its way.") -> StoredPayload:
    return build_payload(work_order(key), draft(key, text), at=NOON)


class World:
    """A database with a ledger, and publishers in front of one postbox."""

    def __init__(self, database: Database, postbox: Postbox) -> None:
        self.database, self.postbox = database, postbox
        self._hook = ZapierHook(ZapierSettings(hook_url=SecretStr(postbox.hook_url)))

    def publisher(self, me: str = "swarm", **changes: object) -> PublishingDeps:
        deps = PublishingDeps(
            database=self.database,
            hook=self._hook,
            outlook=PostboxOutlook(self.postbox.url),
            me=PublisherName(me),
            required_rules=RULES,
            preflight=lambda _candidate: (),
            settle=settle_work_order,
            at_home=lambda _connection: True,
            timings=PublishingSettings(settle_seconds=1800),
        )
        return replace(deps, **changes)

    def appoint(self, to: str) -> int:
        """Switch at once; to 'swarm' with a certificate, as nobody gets there otherwise."""
        if to == PublisherName.SWARM:
            certify(self.database)
        with self.database.transaction() as connection:
            name = PublisherName(to)
            return flip(connection, name, actor="test", reason="test").after.epoch

    def order(self, number: int = 1, state: str = "publishing") -> str:
        """Insert a work order with a running job; its run holds token 1."""
        key = key_of(number)
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO work_orders (key, original_id, body, state) VALUES (%s, %s, %s, %s)",
                (key, f"o{number}", Jsonb(work_order(key).model_dump(mode="json")), state),
            )
            connection.execute(
                "INSERT INTO swarm_jobs (work_order_key, state, attempt, token, run_id)"
                " VALUES (%s, 'running', 1, 1, %s)",
                (key, f"run-{number}"),
            )
        return key

    def approve(self, key: str, text: str = "It is on its way.", ruling: str = "pass") -> None:
        with self.database.transaction() as connection:
            for rule in RULES:
                self._verdict(connection, key, rule, draft(key, text).content_sha256, ruling)

    def enqueue(
        self, key: str, publisher: str = "swarm", text: str = "It is on its way."
    ) -> LedgerRow:
        self.approve(key, text)
        with self.database.transaction() as connection:
            return enqueue(
                connection,
                PublisherName(publisher),
                payload(key, text),
                evidence_sha256=EVIDENCE,
                ruleset=RULESET,
                required_rules=RULES,
            )

    def ready(self, number: int = 1, publisher: str = "swarm") -> str:
        """A work order whose publication is due now."""
        key = self.order(number)
        self.enqueue(key, publisher)
        return key

    def row(self, key: str) -> Row:
        with self.database.transaction() as connection:
            found = connection.execute(
                "SELECT l.*, w.state AS order_state FROM publication_ledger l"
                " LEFT JOIN work_orders w ON w.key = l.work_order_key WHERE work_order_key = %s",
                (key,),
            ).fetchone()
        assert found is not None
        return found

    def log(self, key: str) -> list[str]:
        with self.database.transaction() as connection:
            rows = connection.execute(
                "SELECT event FROM publication_log WHERE work_order_key = %s ORDER BY id", (key,)
            )
            return [row["event"] for row in rows]

    def alerts(self, key: str) -> list[str]:
        with self.database.transaction() as connection:
            rows = connection.execute(
                "SELECT kind FROM alerts WHERE subject = %s AND resolved_at IS NULL ORDER BY kind",
                (key,),
            )
            return [row["kind"] for row in rows]

    def age(self, key: str, seconds: float) -> None:
        """Let time have passed for one row: it was written ``seconds`` earlier."""
        with self.database.transaction() as connection:
            connection.execute(_AGE + " WHERE work_order_key = %(key)s", {"s": seconds, "key": key})

    def age_all(self, seconds: float) -> None:
        """Let time have passed for every row."""
        with self.database.transaction() as connection:
            connection.execute(_AGE, {"s": seconds})

    def write(self, statement: str, *values: object) -> None:
        """Do what only a test may do to a row."""
        with self.database.transaction() as connection:
            connection.execute(statement.encode(), values)

    def draft_artifact(self, key: str) -> Fence:
        """Store the draft as its run did; returns that run's fence."""
        fence = Fence(work_order_key=key, run_id=self._run_of(key), attempt=1, token=1)
        body = draft(key)
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO artifacts"
                " (work_order_key, stage, token, attempt, run_id, body, sha256)"
                " VALUES (%s, %s, 1, 1, %s, %s, %s)",
                (
                    key,
                    Stage.DRAFT,
                    fence.run_id,
                    Jsonb(body.model_dump(mode="json")),
                    body.digest(),
                ),
            )
        return fence

    def _run_of(self, key: str) -> str:
        with self.database.transaction() as connection:
            row = connection.execute(
                "SELECT run_id FROM swarm_jobs WHERE work_order_key = %s", (key,)
            ).fetchone()
        assert row is not None
        return str(row["run_id"])

    @staticmethod
    def _verdict(
        connection: Connection, key: str, rule: str, draft_sha256: str, ruling: str
    ) -> None:
        connection.execute(
            "INSERT INTO verdicts (rule, version, draft_sha256, evidence_sha256, ruling,"
            " decided_by, work_order_key)"
            " VALUES (%s, %s, %s, %s, %s, 'test', %s) ON CONFLICT DO NOTHING",
            (rule, RULESET, draft_sha256, EVIDENCE, ruling, key),
        )
