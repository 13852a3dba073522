"""Alerts fire once, go with their transaction, and end (ES-22). Told: ``integration/watchman``."""

import pytest

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


def test_what_was_not_seen_at_a_look_is_over_and_what_was_not_looked_at_is_not(
    database: Database,
) -> None:
    for subject in ("seen", "gone"):
        raise_one(database, subject)
    with database.transaction() as connection:
        alerts.raise_alert(connection, "another.kind", "gone", "d")
        seen = [("component.silent", "seen")]
        assert alerts.resolve_others(connection, ["component.silent"], seen) == 1
    assert firing(database) == ["component.silent seen", "another.kind gone"]


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
