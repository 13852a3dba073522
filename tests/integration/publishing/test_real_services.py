"""The last step with the real clients: Graph, the Catch Hook, the preflight and the chain.

The publisher is the one that Dagster builds (``company``): what is tested is what runs.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from company import KEY, Company, founded

from swarm.models import WorkOrderState
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.round import publications_due
from swarm.store.database import Database

pytestmark = pytest.mark.integration


@pytest.fixture
def company(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Company]:
    with founded(database.url, tmp_path, monkeypatch) as company:
        yield company


def test_a_mail_becomes_a_draft_that_is_found_again_and_marked(company: Company) -> None:
    publication = company.answer()
    assert publication.state is WorkOrderState.PUBLISHING, publication.detail
    (draft,) = company.sandbox.wait_for_drafts(1)
    assert draft["conversationId"] == company.order.ref.conversation_id
    assert publications_due(company.deps) == 1
    company.round()
    assert company.state() is WorkOrderState.PUBLISHED
    assert publications_due(company.deps) == 0
    found = company.deps.outlook.find_dispatched(
        key=KEY, conversation_id=None, marker="not asked", since=company.order.received_at
    )
    assert [each.message_id for each in found] == [draft["id"]]
    assert len(company.sandbox.deliveries()) == 1


@pytest.mark.parametrize("from_us", [True, False], ids=["a human reply", "another mail"])
def test_a_conversation_that_went_on_since_the_context_was_taken_holds_the_draft(
    company: Company, *, from_us: bool
) -> None:
    """ES-20, asked of the real mailbox right before the claim."""
    company.appoint(PublisherName.NONE)
    company.answer()
    company.writes(from_us=from_us)
    company.appoint(PublisherName.SWARM)
    assert company.round().dispatched == {"held": 1}
    assert company.state() is WorkOrderState.HELD
    assert company.sandbox.deliveries() == []


# --- enriched again while the publication waits ---------------------------------------------------


def _nobody_in_office(company: Company) -> None:
    company.appoint(PublisherName.NONE)
    company.answer()


def _hook_says_429(company: Company) -> None:
    company.sandbox.fault("zapier", "status", times=1, status=429)
    company.answer()
    company.sql("UPDATE publication_ledger SET not_before = NULL")


@pytest.mark.parametrize("why_it_waits", [_nobody_in_office, _hook_says_429])
def test_a_reply_of_ours_is_not_hidden_by_a_newer_context(
    company: Company, why_it_waits: Callable[[Company], None]
) -> None:
    """A colleague answers while the row waits, and somebody materializes the enrichment again.

    The newest context knows the reply, so nothing looks new to it; the draft was judged on the
    older one and may not leave.
    """
    why_it_waits(company)
    company.writes(from_us=True, text="It is on its way.")
    company.enrich_again()
    company.appoint(PublisherName.SWARM)
    assert company.round().dispatched == {"held": 1}
    assert company.state() is WorkOrderState.HELD
    assert company.sandbox.deliveries() == []


def test_any_newer_evidence_holds_a_draft_that_was_judged_on_older(company: Company) -> None:
    """The customer writes on, and the newer context knows it: the draft answers the first mail."""
    _nobody_in_office(company)
    company.writes(from_us=False, text="And please change the address, too.")
    company.enrich_again()
    company.appoint(PublisherName.SWARM)
    assert company.round().dispatched == {"held": 1}
    assert company.sandbox.deliveries() == []


def test_the_same_evidence_gathered_again_does_not_hold_the_draft(company: Company) -> None:
    _nobody_in_office(company)
    company.enrich_again()
    company.appoint(PublisherName.SWARM)
    assert company.round().dispatched == {"accepted": 1}
    assert len(company.sandbox.deliveries()) == 1


@pytest.mark.parametrize("stage", ["received", "thread", "context"])
def test_evidence_that_was_changed_behind_our_back_holds_the_draft(
    company: Company, stage: str
) -> None:
    _nobody_in_office(company)
    company.sql("UPDATE artifacts SET body = body || '{\"changed\": true}' WHERE stage = %s", stage)
    company.appoint(PublisherName.SWARM)
    assert company.round().dispatched == {"held": 1}
    assert company.sandbox.deliveries() == []


def test_a_mailbox_that_cannot_be_read_makes_the_draft_wait(company: Company) -> None:
    _nobody_in_office(company)
    company.sandbox.fault("graph", "status", times=9, status=403)
    company.appoint(PublisherName.SWARM)
    assert company.round().dispatched == {"deferred": 1}
    assert company.sandbox.deliveries() == []


# --- a reply in the very second of the mail -------------------------------------------------------


def test_a_reply_in_the_second_of_the_mail_leaves_nothing_to_draft(company: Company) -> None:
    """Graph's times end at the second: a tie counts as after."""
    company.writes(from_us=True, at=company.order.received_at)
    assert company.answer().state is WorkOrderState.ESCALATED
    assert company.sandbox.deliveries() == []


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=1)])
def test_a_reply_dated_at_the_second_of_the_mail_is_seen_by_the_last_look(
    company: Company, late: timedelta
) -> None:
    """It turned up after the context was taken, however early it is dated."""
    _nobody_in_office(company)
    company.writes(from_us=True, at=company.order.received_at + late)
    company.appoint(PublisherName.SWARM)
    assert company.round().dispatched == {"held": 1}
    assert company.sandbox.deliveries() == []


def test_a_mail_of_ours_before_the_customers_holds_nothing(company: Company) -> None:
    company.writes(from_us=True, at=company.order.received_at - timedelta(days=1))
    assert company.answer().state is WorkOrderState.PUBLISHING
    assert len(company.sandbox.deliveries()) == 1
