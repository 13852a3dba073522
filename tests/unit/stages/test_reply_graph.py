"""The reply loop: judged in parallel, revised a bounded number of times, judged and paid once."""

import pytest
from replying import Told, accepted, brief, context, received, routine, services

from swarm.errors import DatabaseUnavailableError, MalformedInputError, RemoteUnavailableError
from swarm.models import Draft, Reason, Ruling, Stage, Tier
from swarm.stages.reply.draft import brief_of, write_draft
from swarm.stages.reply.review import REVIEW_STAGES, review
from swarm.stages.services import Services

DOUBLED = "Thank you!! All is well."
GOOD = "Thank you. All is well."


def write(who: Told, **changes: object) -> tuple[Draft, Services]:
    bundle = services(specialist=who, **changes)
    accepted(bundle)
    return write_draft(received(), context(), routine(), bundle), bundle


def test_a_good_draft_is_judged_once_by_each_reviewer() -> None:
    who = Told(bodies=[GOOD])
    draft, _ = write(who)
    assert draft.offered
    assert who.asked[0] == "propose"
    assert sorted(who.asked[1:]) == ["fact", "qa", "tone"]


def test_the_stages_share_the_verdicts_of_the_loop() -> None:
    who = Told(bodies=[GOOD])
    draft, bundle = write(who)
    asked = len(who.asked)
    reviews = [review(stage, brief(), draft, bundle) for stage in REVIEW_STAGES]
    assert [r.ruling for r in reviews] == [Ruling.PASS] * 3
    assert len(who.asked) == asked


def test_an_objection_leads_to_a_revision() -> None:
    who = Told(bodies=[DOUBLED, GOOD])
    draft, _ = write(who)
    assert (draft.revision, "!!" in draft.body_text) == (1, False)


def test_revisions_are_bounded() -> None:
    who = Told(bodies=[f"Thank you!! {'really ' * n}" for n in range(9)])
    draft, _ = write(who, max_revisions=2)
    assert who.asked.count("revise") == 2
    assert draft.revision == 2


def test_the_same_bytes_again_end_the_loop() -> None:
    who = Told(bodies=[DOUBLED] * 9)
    draft, _ = write(who, max_revisions=5)
    assert who.asked.count("revise") == 1
    assert draft.revision == 0


@pytest.mark.parametrize("error", [RemoteUnavailableError("late"), MalformedInputError("garbage")])
def test_a_reviewer_that_fails_is_an_error_and_never_revised_away(error: Exception) -> None:
    who = Told(bodies=[GOOD, GOOD], reviews={Stage.FACT: error})
    draft, bundle = write(who)
    judged = review(Stage.FACT, brief(), draft, bundle)
    assert judged.ruling is Ruling.ERROR
    assert "revise" not in who.asked


@pytest.mark.parametrize("error", [RemoteUnavailableError("late"), MalformedInputError("garbage")])
def test_a_specialist_that_fails_withholds_the_draft(error: Exception) -> None:
    draft, _ = write(Told(bodies=[error]))
    assert draft.withheld is not None
    assert draft.withheld == f"no reply could be had: {error}"


def test_our_own_database_failing_is_no_judgement() -> None:
    who = Told(bodies=[DatabaseUnavailableError("gone")] * 3)
    with pytest.raises(DatabaseUnavailableError):
        write(who)
    assert who.asked.count("propose") == 3


def test_an_escalated_tier_withholds_the_draft_and_asks_nobody() -> None:
    who = Told()
    tier = routine().model_copy(update={"tier": Tier.ESCALATE})
    draft = write_draft(received(), context(), tier, services(specialist=who))
    assert draft.withheld is not None
    assert who.asked == []


def test_a_draft_that_code_refuses_is_not_shown_to_a_reviewer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = (Reason(rule="ES-11", detail="a link outside the allow-list"),)
    monkeypatch.setattr(
        "swarm.stages.reply.review.reasons_at",
        lambda stage, *_: refused if stage is Stage.QA else (),
    )
    who = Told(bodies=[GOOD, GOOD])
    draft, bundle = write(who)
    judged = review(Stage.QA, brief_of(received(), context(), routine(), bundle), draft, bundle)
    assert judged.ruling is Ruling.FAIL
    assert judged.findings == ("a link outside the allow-list",)
    assert "qa" not in who.asked


def test_a_withheld_draft_is_not_applicable_to_reviewers() -> None:
    withheld = Draft(withheld="escalated", author="x")
    for stage in REVIEW_STAGES:
        judged = review(stage, brief(), withheld, services())
        assert not judged.applicable
        assert judged.ruling is not Ruling.PASS
