"""Declined work orders wait at a desk of their own; what was asked and not answered is counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from company import KEY, Company, founded

from swarm.lifecycle.erasure import Eraser
from swarm.models import WorkOrderState
from swarm.observe.audit.promises import audit
from swarm.observe.dossier.dossier import dossier
from swarm.observe.gaps import gaps
from swarm.observe.status import status
from swarm.safety.ruleset import required_rules
from swarm.stages.pipeline import run_chain
from swarm.store.alerts import open_alerts, raise_overdue_escalations
from swarm.store.database import Database

pytestmark = pytest.mark.integration

JAZZ = "Do you like jazz number 4711?"


@pytest.fixture
def company(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Company]:
    with founded(database.url, tmp_path, monkeypatch) as built:
        yield built


def declined(company: Company) -> None:
    """The mail at hand asks what nobody here knows."""
    order = company.order.model_copy(update={"body_text": f"Hello,\n\n{JAZZ}\n\nAnna"})
    result = run_chain(order, company.services, company.fence, company.publisher)
    assert result.publication.state is WorkOrderState.DECLINED


def test_it_is_shown_as_declined_everywhere_and_alerts_nobody_at_once(company: Company) -> None:
    declined(company)
    now = status(company.database)
    assert now.states[WorkOrderState.DECLINED] == 1
    assert (now.escalations.open, now.escalations.declined) == (0, 1)
    found = dossier(company.database, KEY)
    assert found.state is WorkOrderState.DECLINED
    assert found.why == "no approved answer to 1 question (another topic)"
    assert "customer-service acknowledges it by" in found.next_step
    assert "swarm release" in found.next_step
    with company.database.transaction() as connection:
        assert open_alerts(connection) == ()


def test_it_is_told_when_nobody_looked_in_time(company: Company) -> None:
    declined(company)
    company.sql("UPDATE escalations SET acknowledge_by = now() - interval '1 minute'")
    with company.database.transaction() as connection:
        assert raise_overdue_escalations(connection) == 1


def test_the_audit_finds_no_fault_in_it_and_one_when_its_owner_is_gone(company: Company) -> None:
    declined(company)
    assert "escalation_without_owner" not in checks(company)
    company.sql("DELETE FROM escalations")
    assert "escalation_without_owner" in checks(company)


def checks(company: Company) -> set[str]:
    found = audit(company.database, None, [], required_rules=required_rules())
    return {breach.check for breach in found.breaches}


def test_what_was_not_answered_is_counted_alike_and_gone_once_erased(
    company: Company, tmp_path: Path
) -> None:
    declined(company)
    (gap,) = gaps(company.database, days=30)
    assert (gap.asked, gap.language, gap.count) == (JAZZ, "en", 1)
    Eraser(company.database, tmp_path / "home", "a secret of tests").erase(
        KEY, actor="ada", reason="request 12"
    )
    assert gaps(company.database, days=30) == ()
