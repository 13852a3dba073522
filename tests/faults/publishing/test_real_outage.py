"""Postgres really goes away while today's sender owns publishing: the server crashes.

The sender is the program production runs. Shorter than its lease it goes on; longer, it holds;
after the return the ledger knows everything, the audit is clean, no mail was drafted twice.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from legacy_programs import READERS, SECRET, SENDER, LegacyHome, mail
from postbox import Postbox, PostboxOutlook
from publishing_world import World
from waiting import wait_for

from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.tick import ingest
from swarm.legacy.publishing.lease import HeldLease
from swarm.observe.audit.promises import audit
from swarm.observe.audit.report import AuditReport
from swarm.process_identity import since_boot
from swarm.publishing.dispatch.round import run_round
from swarm.publishing.switch.commands import show
from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.migrate import migrate

pytestmark = [pytest.mark.faults, pytest.mark.integration]

QUESTION = "Hello,\n\nwhen does my parcel arrive?\n"


class Server:
    """An embedded Postgres of this file's own, which may crash."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.url = embedded.create_database(embedded.start(data), "outage")
        migrate(self.url)

    def crash(self) -> None:
        embedded.stop(self._data, immediate=True)

    def start(self) -> None:
        embedded.start(self._data)


@pytest.fixture
def server() -> Iterator[Server]:
    data = Path(tempfile.mkdtemp(prefix="swarm-outage-"))
    server = Server(data)
    yield server
    server.crash()
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def outage_world(server: Server, postbox: Postbox) -> Iterator[World]:
    database = Database(server.url, timeout=5.0)
    world = World(database, postbox)
    world.appoint("legacy")
    yield world
    database.close()


def home(folder: Path, world: World, lease_seconds: int) -> LegacyHome:
    """Today's programs; a POST of theirs may take 2 s, so they stop 2 s before their lease ends."""
    return LegacyHome(
        folder,
        world.postbox,
        world.database.url,
        PUBLISH_LEGACY_LEASE_SECONDS=str(lease_seconds),
        PUBLISH_SEND_DEADLINE_SECONDS="2",
    )


def post_of(legacy: LegacyHome, number: int) -> dict[str, str] | None:
    name = f"<golden-{number}@example.org>"
    found = [post for post in legacy.box.posts if post["internet_message_id"] == name]
    assert len(found) <= 1
    return found[0] if found else None


def settled(world: World) -> bool:
    """The sender has told the ledger everything and the mailbox was looked into."""
    run_round(world.publisher())
    return not world_unsettled(world)


def world_unsettled(world: World) -> list[str]:
    with world.database.transaction() as connection:
        rows = connection.execute(
            "SELECT work_order_key FROM publication_ledger WHERE state <> 'CONFIRMED'"
        ).fetchall()
    return [row["work_order_key"] for row in rows]


def audited(world: World, legacy: LegacyHome) -> AuditReport:
    ingest(world.database, legacy.stream, SECRET)
    outlook = PostboxOutlook(legacy.box.url)
    return audit(world.database, outlook, [legacy.stream])  # type: ignore[arg-type]


def assert_each_drafted_once(world: World, legacy: LegacyHome, count: int) -> None:
    """The promises after the return."""
    assert len(legacy.box.drafts) == count
    assert len({draft["idempotency_key"] for draft in legacy.box.drafts}) == count
    assert (legacy.files.outbox.parent / "journal.jsonl").read_bytes() == b""
    report = audited(world, legacy)
    assert report.breaches == ()
    assert report.totals.publications == count


def ledger_has(world: World, post: dict[str, str] | None) -> bool:
    assert post is not None
    key = work_order_key(SECRET, post["work_order_id"])
    with world.database.transaction() as connection:
        query = "SELECT 1 FROM publication_ledger WHERE work_order_key = %s"
        return connection.execute(query, (key,)).fetchone() is not None


def test_an_outage_shorter_than_the_lease_does_not_stop_production(
    server: Server, outage_world: World, tmp_path: Path
) -> None:
    legacy = home(tmp_path, outage_world, lease_seconds=60)
    with legacy.running(*READERS, SENDER):
        legacy.hand_in(mail(1, "Parcel 1", QUESTION))
        wait_for(lambda: post_of(legacy, 1), "the post with Postgres")
        server.crash()
        legacy.hand_in(mail(2, "Parcel 2", QUESTION), mail(3, "Parcel 3", QUESTION))
        wait_for(lambda: post_of(legacy, 2) and post_of(legacy, 3), "the posts without Postgres")
        server.start()
        wait_for(lambda: ledger_has(outage_world, post_of(legacy, 3)), "the sender to settle")
        wait_for(lambda: settled(outage_world), "all to be found in the mailbox")
        legacy.hand_in(mail(4, "Parcel 4", QUESTION))
        wait_for(lambda: post_of(legacy, 4), "the post after the return")
        wait_for(lambda: settled(outage_world), "that one too")
    assert_each_drafted_once(outage_world, legacy, 4)


def test_an_outage_longer_than_the_lease_makes_mails_late_and_never_twice(
    server: Server, outage_world: World, tmp_path: Path
) -> None:
    """The lease is 6 s, and after it the mail waits for Postgres."""
    legacy = home(tmp_path, outage_world, lease_seconds=6)
    with legacy.running(*READERS, SENDER):
        wait_for(lambda: show(outage_world.database).lease, "the lease")
        server.crash()
        wait_for(lambda: legacy.beat().get("connected") is False, "the sender to notice")
        wait_for(lambda: lease_is_over(legacy), "the lease to end")
        legacy.hand_in(mail(1, "Parcel 1", QUESTION))
        wait_for(lambda: waits(legacy), "a turn that found the line and did not post it")
        assert legacy.box.posts == []
        server.start()
        wait_for(lambda: post_of(legacy, 1), "the post after the return")
        wait_for(lambda: settled(outage_world), "it to be found in the mailbox")
    assert_each_drafted_once(outage_world, legacy, 1)


def lease_is_over(legacy: LegacyHome) -> bool:
    """On the sender's own clock, by the file it trusts."""
    held = HeldLease.model_validate_json((legacy.files.outbox.parent / "lease.json").read_bytes())
    return since_boot() >= held.until


def waits(legacy: LegacyHome) -> bool:
    beat = legacy.beat()
    return beat.get("connected") is False and int(str(beat["lag_bytes"])) > 0
