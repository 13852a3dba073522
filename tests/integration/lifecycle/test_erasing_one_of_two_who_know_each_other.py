"""Somebody else's mail names the one who is erased: it stays, with its draft, and is audited."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from company import KEY, founded
from correspondence import Correspondence, corresponding

from swarm.clients.outlook import GraphOutlook
from swarm.lifecycle.erasure import Eraser
from swarm.observe.audit.arrivals import Arrivals
from swarm.observe.audit.promises import audit
from swarm.safety.ruleset import required_rules

pytestmark = pytest.mark.integration

HIM, HER = "zeno.quirk@customer.example", "ida.berg@customer.example"
T0 = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=20)


@pytest.fixture
def post(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Correspondence]:
    monkeypatch.setenv("SWARM_HOME", str(tmp_path))
    with (
        founded(database_url, tmp_path / "sandbox", monkeypatch) as company,
        corresponding(company, tmp_path) as made,
    ):
        for address, name, order in ((HIM, "Zeno Quirk", 20801), (HER, "Ida Berg", 20802)):
            contact = company.sandbox.add_contact(name, address)
            company.sandbox.add_deal(f"Order {order}", contact, status="Shipped")
        yield made


def test_only_what_is_his_goes_from_the_doubles_and_the_audit_stays_clean(
    post: Correspondence, tmp_path: Path
) -> None:
    asks = "Hello,\n\ncould you tell me the status of my order {}?\n\n{}"
    his = post.arrives(HIM, "Order 20801", asks.format(20801, "Zeno Quirk"), received_at=T0)
    hers = post.arrives(
        HER, "Order 20802", asks.format(20802, f"Ida Berg\n\nMy neighbour is {HIM}."),
        received_at=T0, sender_name="Ida Berg",
    )  # fmt: skip
    away = post.arrives(
        HER, f"Away, ask {HIM}", "Away.", received_at=T0, headers={"Auto-Submitted": "auto-replied"}
    )
    post.work()
    for _ in range(3):
        post.company.round()
    company = post.company
    assert (post.ledger_of(his), post.ledger_of(hers)) == ("CONFIRMED", "CONFIRMED")
    key = post.key_of(hers)
    company.sql("UPDATE publication_ledger SET changed_at = now() - interval '1 hour'")
    before = breaches(post)
    eraser = Eraser(company.database, tmp_path, "a secret of tests", forget=company.sandbox.forget)
    done = eraser.erase(HIM, actor="ada", reason="request 12")
    assert done.left == {}
    assert key in done.mentioned_in
    there = {str(message["id"]) for message in company.sandbox.messages()}
    assert his not in there
    assert {hers, away} <= there
    assert (post.drafts_to(HIM), len(post.drafts_to(HER))) == ([], 1)
    assert breaches(post) == before == ()


def breaches(post: Correspondence) -> tuple[object, ...]:
    """What a whole audit finds, the inbox and the drafts looked at."""
    outlook, secret = post.company.services.outlook, "a secret of tests"
    assert isinstance(outlook, GraphOutlook)
    arrivals = Arrivals(post.files, outlook, post.company.services.mailbox, secret)
    said = audit(
        post.company.database, outlook, [post.files.work_orders],
        required_rules=required_rules(), secret=secret, arrivals=arrivals,
    )  # fmt: skip
    return tuple(b for b in said.breaches if b.subject != KEY)  # that one came by no stream
