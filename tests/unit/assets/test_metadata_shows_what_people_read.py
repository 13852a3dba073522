"""Materialization metadata: readable, and unable to load anything from elsewhere."""

import dagster as dg

from swarm.models import Address, Draft, PolicyDecision, Reason, Ruling, Verdict
from swarm_assets.assets import shown


def test_a_draft_is_rendered_with_its_subject_and_claims() -> None:
    draft = Draft(
        subject="Re: order 4711",
        body_text="Dear Ada,\n\nyour order is on its way.",
        to=(Address(address="ada@example.net"),),
        author="rules@1",
    )
    display = shown.draft(draft)
    assert isinstance(display["draft"], dg.MarkdownMetadataValue)
    assert "order is on its way" in (display["draft"].value or "")


def test_a_withheld_draft_says_why() -> None:
    display = shown.draft(Draft(withheld="a human answers", author="rules@1"))
    assert set(display) == {"withheld", "declined"}
    assert display["declined"].value is False


def test_a_draft_cannot_draw_a_remote_image_on_the_screen_of_who_reads_it() -> None:
    hostile = "![x](https://example.net/p.png) <img src=x> `code` | cell"
    display = shown.draft(Draft(subject=hostile, body_text=hostile, author="rules@1"))
    text = str(display["draft"].value)
    assert "![" not in text.replace("\\!", "").replace("\\[", "")
    assert " <img" not in text


def test_of_rules_that_nobody_asked_none_is_counted() -> None:
    """A declined work order once showed "0 of 0" passed."""
    declined = PolicyDecision(
        publishable=False, declined=True, ruleset="1", draft_sha256="d", evidence_sha256="e"
    )
    assert shown.policy(declined)["passed"].value == "not asked: declined"
    escalated = declined.model_copy(update={"declined": False})
    assert shown.policy(escalated)["passed"].value == "not asked: escalated"


def test_a_verdict_is_shown_rule_by_rule_with_reasons() -> None:
    decision = PolicyDecision(
        publishable=False,
        reasons=(Reason(rule="ES-07", detail="claim 1 cites nothing"),),
        verdicts=(
            Verdict(
                rule="ES-07",
                version="1",
                draft_sha256="d",
                evidence_sha256="e",
                ruling=Ruling.FAIL,
                reasons=("claim 1 cites nothing",),
                decided_by="ruleset",
            ),
        ),
        ruleset="1",
        draft_sha256="d",
        evidence_sha256="e",
    )
    table = str(shown.policy(decision)["verdicts"].value)
    assert "| ES-07 | fail | claim 1 cites nothing | ruleset |" in table
