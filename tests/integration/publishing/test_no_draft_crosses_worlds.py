"""What was made in one world is posted in that world or nowhere, whoever claims it.

Enters by the publisher as every program builds it (``swarm_publisher``, ``legacy_publisher``), on
real Postgres, in front of two hooks: the home's own and another.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postbox import Postbox
from publishing_world import World
from pydantic import SecretStr

from swarm.clients.zapier import ZapierHook
from swarm.errors import RefusedError
from swarm.installation.adoption import adopt
from swarm.installation.home import Home
from swarm.installation.membership import remember, require_database, require_home
from swarm.legacy.publishing.lease import LegacyLease
from swarm.legacy.publishing.shim import legacy_publisher
from swarm.publishing.dispatch.deps import PublishingDeps
from swarm.publishing.dispatch.dispatcher import Dispatched, dispatch_once
from swarm.publishing.dispatch.round import run_round
from swarm.publishing.dispatch.wiring import swarm_publisher
from swarm.sandbox import environment as sandbox_environment
from swarm.settings import Settings, load_settings
from swarm.store.alerts import open_alerts
from swarm.store.database import Connection
from swarm.store.postgres import PostgresStore
from swarm.store.world import Service, places
from swarm.store.world_rows import OTHER_WORLD, at_home, require_own, resolve_other_world

SANDBOX = "http://127.0.0.1:7001"


@pytest.fixture
def other() -> Iterator[Postbox]:
    with Postbox() as box:
        yield box


class Shell:
    """The environment of a program, and what it makes of it."""

    def __init__(self, environment: pytest.MonkeyPatch, world: World, home: Path) -> None:
        self.environment, self.world, self.home = environment, world, home
        for name, value in sandbox_environment(7001).items():
            environment.setenv(name, value)
        environment.setenv("DATABASE_URL", "postgresql:///unused")
        environment.setenv("SWARM_KEY_SECRET", "a secret of tests")
        environment.setenv("SWARM_HOME", str(home))

    def settings(self, **shell: str) -> Settings:
        for name, value in {"SWARM_DOUBLES_URL": SANDBOX, **shell}.items():
            self.environment.setenv(name, value)
        return load_settings()

    def swarm(self, settings: Settings, box: Postbox) -> PublishingDeps:
        """The swarm's own publisher, with the rules and mailbox of these tests."""
        built = swarm_publisher(
            settings,
            self.world.database,
            PostgresStore(self.world.database),
            ZapierHook(settings.zapier),
            self.world.publisher().outlook,  # type: ignore[arg-type]
        )
        hook = ZapierHook(settings.zapier.model_copy(update={"hook_url": SecretStr(box.hook_url)}))
        return self.world.publisher(at_home=built.at_home, hook=hook)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, world: World, tmp_path: Path) -> Shell:
    return Shell(monkeypatch, world, tmp_path / "home")


def test_a_payload_of_the_sandbox_never_reaches_a_real_hook(
    shell: Shell, world: World, postbox: Postbox, other: Postbox
) -> None:
    key = world.ready(1)
    doubled = shell.swarm(shell.settings(), postbox)
    assert world.publisher().at_home is not doubled.at_home
    with world.database.transaction() as connection:
        assert doubled.at_home(connection), "whoever comes first is remembered"
    real = shell.swarm(shell.settings(ZAPIER_HOOK_URL=other.hook_url), other)
    assert dispatch_once(real, key).outcome is Dispatched.IDLE
    assert run_round(real).dispatched == {}
    assert len(other.posts) == 0
    assert world.row(key)["state"] == "READY"
    with world.database.transaction() as connection:
        alert = connection.execute("SELECT detail FROM alerts WHERE kind = %s", (OTHER_WORLD,))
        detail = alert.fetchone()["detail"]  # type: ignore[index]
    assert "hook was the double" in detail
    assert "catch" not in detail
    assert dispatch_once(doubled, key).outcome is Dispatched.ACCEPTED
    assert len(postbox.posts) == 1


@pytest.mark.parametrize(
    "changed",
    [{"ZAPIER_HOOK_URL": "https://hooks.example.com/hooks/catch/1/b/"},
     {"GRAPH_MAILBOX": "other@example.com", "GRAPH_BASE_URL": "https://graph.example.com/v1.0"},
     {"SWARM_DOUBLES_URL": ""}],
)  # fmt: skip
def test_the_claim_itself_asks_for_the_world(
    shell: Shell, world: World, postbox: Postbox, changed: dict[str, str]
) -> None:
    world.ready(1)
    first = shell.swarm(shell.settings(), postbox)
    second = shell.swarm(shell.settings(**changed), postbox)
    with world.database.transaction() as connection:
        assert first.may_claim(connection)
        assert not second.may_claim(connection)


def test_each_foreign_world_is_told_of_and_counted(shell: Shell, world: World) -> None:
    """Two programs of two other worlds are two incidents; one of them goes on trying."""
    home = shell.settings()
    hooks = [f"https://hooks.example.com/hooks/catch/{n}/b/" for n in (1, 2)]
    first, second = (at_home(shell.settings(ZAPIER_HOOK_URL=hook)) for hook in hooks)

    def open_ones(*asking: Callable[[Connection], bool]) -> list[int]:
        with world.database.transaction() as connection:
            assert not any(ask(connection) for ask in asking)
            alerts = open_alerts(connection)
        assert {alert.kind for alert in alerts} <= {OTHER_WORLD}
        assert "catch" not in "".join(alert.subject + alert.detail for alert in alerts)
        return [alert.count for alert in alerts]

    with world.database.transaction() as connection:
        assert at_home(home)(connection)
    assert open_ones(first) == [1]
    assert open_ones(second, first) == [2, 1]
    with world.database.transaction() as connection:
        assert resolve_other_world(connection) == 2
    assert open_ones() == []


def test_todays_sender_gets_neither_claim_nor_lease_in_another_world(
    shell: Shell, world: World, other: Postbox, tmp_path: Path
) -> None:
    world.appoint("legacy")
    world.ready(1, "legacy")
    mine, theirs = shell.settings(), shell.settings(ZAPIER_HOOK_URL=other.hook_url)
    with world.database.transaction() as connection:
        assert at_home(mine)(connection)
    hook = ZapierHook(theirs.zapier)
    deps = legacy_publisher(
        world.database, hook, theirs.publishing, "holder", at_home=at_home(theirs)
    )
    assert dispatch_once(deps).outcome is Dispatched.IDLE
    assert len(other.posts) == 0
    before = LegacyLease(tmp_path, seconds=900, world=places(mine)[Service.HOOK].sha256 or "")
    assert before.keep(world.database)
    assert before.epoch_to_post() is not None
    restarted = LegacyLease(tmp_path, seconds=900, world=places(theirs)[Service.HOOK].sha256 or "")
    assert restarted.epoch_to_post() is None, "the lease was for another hook"


def test_a_program_started_alone_mixes_no_two_installations(shell: Shell, world: World) -> None:
    home, settings = Home(shell.home), shell.settings()
    home.prepare()
    remember(home, settings, world.database, actor="test")
    with world.database.transaction() as connection:
        require_own(connection, settings, None)
        for changed in ({"GRAPH_MAILBOX": "x@example.com", "SWARM_DOUBLES_URL": ""},
                        {"SWARM_KEY_SECRET": "another"}):  # fmt: skip
            with pytest.raises(RefusedError, match="another world"):
                require_own(connection, shell.settings(**changed), None)
        with pytest.raises(RefusedError, match="another database"):
            require_own(connection, settings, "the database of another home")


def test_adopting_closes_the_old_world_and_no_claim_sees_it_again(
    shell: Shell, world: World, postbox: Postbox, other: Postbox
) -> None:
    home, settings = Home(shell.home), shell.settings()
    home.prepare()
    home.work_orders.write_text("{}\n")
    remember(home, settings, world.database, actor="test")
    waiting, running = world.ready(1), world.order(2, "running")
    real = shell.settings(ZAPIER_HOOK_URL=other.hook_url)
    for refuse in (lambda: require_home(home, real),
                   lambda: require_database(home, real, world.database)):  # fmt: skip
        with pytest.raises(RefusedError, match="swarm home new"):
            refuse()
    done = adopt(home, real, world.database, actor="test")
    assert done is not None
    assert (done.publisher, done.closed) == ("legacy", 2)
    assert not home.work_orders.exists()
    remember(home, real, world.database, actor="test")
    require_home(home, real)
    require_database(home, real, world.database)
    assert world.row(waiting)["state"] == "HELD"
    with world.database.transaction() as connection:
        states = connection.execute("SELECT DISTINCT state FROM work_orders").fetchall()
        assert [row["state"] for row in states] == ["held"], running
    world.appoint("swarm")
    world.write("UPDATE publication_ledger SET state = 'READY', publisher = 'swarm'")
    publisher = shell.swarm(real, other)
    assert dispatch_once(publisher).outcome is Dispatched.IDLE
    assert (len(other.posts), len(postbox.posts)) == (0, 0)
    with pytest.raises(RefusedError, match="sandbox"):
        adopt(home, settings, world.database, actor="test")


def test_a_new_hook_for_the_same_mailbox_closes_nothing(
    shell: Shell, world: World, other: Postbox
) -> None:
    home = Home(shell.home)
    home.prepare()
    real = {"SWARM_DOUBLES_URL": ""}
    remember(home, shell.settings(**real), world.database, actor="test")
    key = world.ready(1)
    renewed = shell.settings(**real, ZAPIER_HOOK_URL=other.hook_url)
    done = adopt(home, renewed, world.database, actor="test")
    assert done is not None
    assert (done.publisher, done.closed, done.put_aside) == ("legacy", 0, "")
    assert world.row(key)["state"] == "PENDING_PAYLOAD", "it waits for today's path"
