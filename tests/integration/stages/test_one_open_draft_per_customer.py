"""A customer who writes again has one draft in the mailbox, by the real way of every mail."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from company import founded
from correspondence import Correspondence, corresponding

from swarm.models import Fence, PolicyDecision, WorkOrderState
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.handover import LedgerPublisher

pytestmark = pytest.mark.integration

NIA = "nia.acht@customer.example"
QUESTION = "Hello,\n\ncould you tell me the status of my order 20777?\n\nNia Acht"
CORRECTION = (
    "Hello,\n\nplease ignore my last mail, it is the date of 20777 I ask about.\n\nNia Acht"
)
T0 = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=20)


@pytest.fixture
def post(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Correspondence]:
    monkeypatch.setenv("SWARM_HOME", str(tmp_path))
    with founded(database_url, tmp_path / "sandbox", monkeypatch) as company:
        contact = company.sandbox.add_contact("Nia Acht", NIA)
        company.sandbox.add_deal("Order 20777", contact, status="Shipped")
        with corresponding(company, tmp_path) as made:
            yield made


def writes(post: Correspondence, number: int, text: str = QUESTION, **more: object) -> str:
    """Nia's ``number``-th mail, a minute after the one before, under a subject of its own."""
    given = {
        "subject": f"Order 20777, mail {number}",
        "received_at": T0 + timedelta(minutes=number),
        "internet_message_id": f"<nia-{number}@customer.example>",
        "sender_name": "Nia Acht",
        **more,
    }
    return post.arrives(NIA, text=text, **given)


def follows(number: int) -> dict[str, object]:
    before = f"<nia-{number - 1}@customer.example>"
    return {"headers": {"In-Reply-To": before, "References": f"<nia-1@customer.example> {before}"}}


def rounds(post: Correspondence, count: int = 3) -> None:
    for _ in range(count):
        post.company.round()


def test_three_tries_under_changed_subjects_make_one_draft(post: Correspondence) -> None:
    tries = [writes(post, 1), writes(post, 2, **follows(2)), writes(post, 3, **follows(3))]
    post.work()
    rounds(post)
    assert [post.rules_of(mail) for mail in tries] == [set(), {"ES-04"}, {"ES-04"}]
    assert [post.ledger_of(mail) for mail in tries] == ["CONFIRMED", None, None]
    assert len(post.drafts_to(NIA)) == 1


def test_a_correction_goes_to_a_person_whichever_run_is_first(post: Correspondence) -> None:
    asked, corrected = writes(post, 1), writes(post, 2, CORRECTION)
    for request in reversed(post.request()):
        assert post.run(request)
    rounds(post)
    assert (post.rules_of(asked), post.rules_of(corrected)) == (set(), {"ES-04"})
    assert len(post.drafts_to(NIA)) == 1


def test_the_order_of_the_stream_holds_over_a_rotation_within_one_tick(
    post: Correspondence,
) -> None:
    """Both files are read in one transaction, and one moment is the time of both."""
    asked = writes(post, 1)
    live = post.files.work_orders
    live.rename(f"{live}.1")
    corrected = [writes(post, n, CORRECTION) for n in (2, 3, 4)]
    post.work()
    assert [post.rules_of(mail) for mail in (asked, *corrected)] == [set(), *[{"ES-04"}] * 3]


# --- the intake reads them in another order than they came --------------------------------------


def _in_one_turn(post: Correspondence, *mails: dict[str, object]) -> list[str]:
    """Several mails lie in the mailbox, in this order, before the intake looks."""
    seeded = [str(post.company.sandbox.seed_mail(**each)["id"]) for each in mails]  # type: ignore[arg-type]
    post.write_stream()
    return seeded


def _seed(number: int, sender: str = NIA, **more: object) -> dict[str, object]:
    return {
        "sender": sender, "subject": f"Order 20777, mail {number}", "body_text": QUESTION,
        "received_at": T0 + timedelta(minutes=number),
        "internet_message_id": f"<nia-{number}@customer.example>", **more,
    }  # fmt: skip


OLE = "ole.neun@customer.example"


def _known(post: Correspondence, address: str) -> None:
    contact = post.company.sandbox.add_contact("Ole Neun", address)
    post.company.sandbox.add_deal("Order 20777", contact, status="Shipped")


@pytest.mark.parametrize("backwards", [False, True])
def test_a_mail_read_before_the_one_it_follows_makes_no_second_draft(
    post: Correspondence, *, backwards: bool
) -> None:
    _known(post, OLE)
    follows, asked = _in_one_turn(
        post,
        _seed(2, OLE, headers={"References": "<nia-1@customer.example>"}),
        _seed(1),
    )
    requests = post.request()
    for request in reversed(requests) if backwards else requests:
        assert post.run(request)
    rounds(post)
    assert (post.rules_of(asked), post.rules_of(follows)) == (set(), {"ES-04"})
    assert len([*post.drafts_to(NIA), *post.drafts_to(OLE)]) == 1


@pytest.mark.parametrize("backwards", [False, True])
def test_the_later_mail_goes_to_a_person_though_it_was_accepted_first(
    post: Correspondence, *, backwards: bool
) -> None:
    corrected, asked = _in_one_turn(post, _seed(2, body_text=CORRECTION), _seed(1))
    requests = post.request()
    for request in reversed(requests) if backwards else requests:
        assert post.run(request)
    rounds(post)
    assert (post.rules_of(asked), post.rules_of(corrected)) == (set(), {"ES-04"})
    assert len(post.drafts_to(NIA)) == 1


def test_an_earlier_mail_that_comes_in_after_the_later_ones_draft_goes_to_a_person(
    post: Correspondence,
) -> None:
    [later] = _in_one_turn(post, _seed(2))
    _confirmed(post)
    [earlier] = _in_one_turn(post, _seed(1))
    post.work()
    rounds(post)
    assert (post.rules_of(later), post.rules_of(earlier)) == (set(), {"ES-04"})
    assert len(post.drafts_to(NIA)) == 1


@pytest.mark.parametrize("follower", [NIA, OLE])
@pytest.mark.parametrize("confirmed_first", [False, True])
def test_two_that_were_judged_at_the_same_time_make_one_draft(
    post: Correspondence,
    monkeypatch: pytest.MonkeyPatch,
    follower: str,
    *,
    confirmed_first: bool,
) -> None:
    """Neither saw the other, and both passed: the second to be handed over finds the first."""
    _known(post, OLE)
    asked, follows = _in_one_turn(
        post, _seed(1), _seed(2, follower, headers={"In-Reply-To": "<nia-1@customer.example>"})
    )
    due = {request.partition_key: request for request in post.request()}
    first, second = due[post.key_of(asked)], due[post.key_of(follows)]
    blind = "swarm.stages.enrichment.gather.waiting_elsewhere"
    monkeypatch.setattr(blind, lambda *_: 0)
    original, between = LedgerPublisher.hand_over, [second]

    def hand_over(self: LedgerPublisher, fence: Fence, decision: PolicyDecision) -> WorkOrderState:
        """The other one is judged and handed over while this one stands before its hand-over."""
        if between and fence.work_order_key == first.partition_key:
            assert post.run(between.pop())
            if confirmed_first:
                rounds(post)
        return original(self, fence, decision)

    monkeypatch.setattr(LedgerPublisher, "hand_over", hand_over)
    assert post.run(first)
    rounds(post)
    assert (post.rules_of(asked), post.rules_of(follows)) == ({"ES-04"}, set())
    assert (post.ledger_of(asked), post.ledger_of(follows)) == (None, "CONFIRMED")
    assert len(post.drafts_to(follower)) == 1
    assert len([*post.drafts_to(NIA), *post.drafts_to(OLE)]) == 1


# --- the first mail's publication has come some way already ---------------------------------------


def _pending(post: Correspondence) -> None:
    post.company.appoint(PublisherName.NONE)
    post.work()


def _ready(post: Correspondence) -> None:
    post.company.sandbox.fault("zapier", "status", status=429)
    post.work()
    assert post.company.sandbox.deliveries() == []


def _in_office(post: Correspondence) -> None:
    post.company.sandbox.clear_faults()
    post.company.appoint(PublisherName.SWARM)
    post.company.sql("UPDATE publication_ledger SET not_before = NULL")


def _accepted(post: Correspondence) -> None:
    post.company.sandbox.configure(settle_seconds=3.0)
    post.work()


def _confirmed(post: Correspondence) -> None:
    post.work()
    rounds(post)


@pytest.mark.parametrize("until", [_pending, _ready, _accepted, _confirmed])
def test_a_correction_makes_no_second_draft_however_far_the_first_came(
    post: Correspondence, until: Callable[[Correspondence], None]
) -> None:
    asked = writes(post, 1)
    until(post)
    assert str(post.ledger_of(asked)).startswith(until.__name__.strip("_").upper())
    corrected = writes(post, 2, CORRECTION)
    post.work()
    _in_office(post)
    rounds(post)
    assert post.rules_of(corrected) == {"ES-04"}
    assert post.ledger_of(corrected) is None
    assert len(post.drafts_to(NIA)) == 1


def test_a_correction_in_the_conversation_of_a_waiting_draft_holds_it(post: Correspondence) -> None:
    asked = writes(post, 1)
    _pending(post)
    place = post.conversation_of(asked)
    corrected = writes(post, 2, CORRECTION, conversation_id=place)
    post.work()
    _in_office(post)
    rounds(post)
    assert (post.ledger_of(asked), post.rules_of(corrected)) == ("HELD", {"ES-04"})
    assert post.drafts_to(NIA) == []


def test_a_publication_that_waits_for_weeks_is_still_his_open_one(post: Correspondence) -> None:
    asked = writes(post, 1)
    _pending(post)
    post.company.sql("UPDATE work_orders SET accepted_at = accepted_at - interval '9 days'")
    later = writes(post, 2)
    post.work()
    _in_office(post)
    rounds(post)
    assert (post.rules_of(asked), post.rules_of(later)) == (set(), {"ES-04"})
    assert len(post.drafts_to(NIA)) == 1


# --- and when a person has acted ------------------------------------------------------------------


def test_once_the_draft_was_sent_the_next_mail_gets_its_own(post: Correspondence) -> None:
    writes(post, 1)
    _confirmed(post)
    [draft] = post.drafts_to(NIA)
    post.company.sandbox.human("send", draft["id"])
    later = writes(post, 2, received_at=datetime.now(UTC) + timedelta(seconds=2))
    post.work()
    rounds(post, 1)
    assert post.ledger_of(later) == "CONFIRMED"
    assert len(post.drafts_to(NIA)) == 1


def test_a_draft_left_beside_an_answer_by_hand_is_still_the_open_one(post: Correspondence) -> None:
    asked = writes(post, 1)
    _confirmed(post)
    post.company.sandbox.seed_mail(
        NIA, subject="Re: yours", body_text="By hand.", from_us=True,
        received_at=datetime.now(UTC), conversation_id=post.conversation_of(asked),
    )  # fmt: skip
    later = writes(post, 2, received_at=datetime.now(UTC) + timedelta(seconds=2))
    post.work()
    rounds(post)
    assert post.rules_of(later) == {"ES-04"}
    assert len(post.drafts_to(NIA)) == 1
