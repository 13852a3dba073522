"""Alerts fire once, wait while the sink is down, and none is lost (T58, ES-22)."""

import pytest

from swarm.errors import RemoteUnavailableError
from swarm.store import alerts
from swarm.store.database import Database

pytestmark = pytest.mark.integration


def raise_one(database: Database, subject: str = "intake") -> bool:
    with database.transaction() as connection:
        return alerts.raise_alert(connection, "component.silent", subject, "no tick for 2 minutes")


def resolve(database: Database) -> bool:
    with database.transaction() as connection:
        return alerts.resolve(connection, "component.silent", "intake")


def firing(database: Database) -> list[str]:
    with database.transaction() as connection:
        return [f"{alert.kind} {alert.subject}" for alert in alerts.open_alerts(connection)]


class Pager:
    """A sink that can be down, and remembers what it took."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.down_after: int | None = None

    def __call__(self, alert: alerts.Alert) -> None:
        if self.down_after is not None and len(self.taken) >= self.down_after:
            raise RemoteUnavailableError("the pager does not answer")
        self.taken.append(alert.subject)


def test_an_alert_fires_once_while_unresolved(database: Database) -> None:
    assert raise_one(database) is True
    assert raise_one(database) is False
    assert resolve(database) is True
    assert resolve(database) is False
    assert firing(database) == []
    assert raise_one(database) is True


def test_an_alert_goes_with_the_transaction_that_raised_it(database: Database) -> None:
    def doomed() -> None:
        with database.transaction() as connection:
            alerts.raise_alert(connection, "k", "s", "d")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        doomed()
    assert firing(database) == []


def test_alerts_are_delivered_oldest_first_and_once(database: Database) -> None:
    pager = Pager()
    for subject in ("a", "b", "c"):
        raise_one(database, subject)
    assert alerts.deliver(database, pager, limit=2) == 2
    assert alerts.deliver(database, pager) == 1
    assert alerts.deliver(database, pager) == 0
    assert pager.taken == ["a", "b", "c"]


@pytest.mark.fault("T58")
def test_while_the_sink_is_down_alerts_wait_and_none_is_lost(database: Database) -> None:
    pager = Pager()
    for subject in ("a", "b", "c"):
        raise_one(database, subject)
    pager.down_after = 1
    assert alerts.deliver(database, pager) == 1
    assert alerts.deliver(database, pager) == 0
    pager.down_after = None
    assert alerts.deliver(database, pager) == 2
    assert pager.taken == ["a", "b", "c"]


def test_an_overdue_escalation_pages_once_until_somebody_takes_it(world) -> None:
    world.run("UPDATE escalations SET acknowledge_by = now() - interval '1 minute'")
    with world.database.transaction() as connection:
        assert alerts.raise_overdue_escalations(connection) == 1
        assert alerts.raise_overdue_escalations(connection) == 0
    assert firing(world.database) == [f"escalation.overdue {world.escalated}"]
    with world.database.transaction() as connection:
        assert alerts.acknowledge_escalation(connection, world.escalated, "Jo") is True
        assert alerts.acknowledge_escalation(connection, world.escalated, "Al") is False
    assert firing(world.database) == []
