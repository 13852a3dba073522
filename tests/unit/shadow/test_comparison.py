"""One work order side by side: from the all-good record, one field spoiled per test."""

from datetime import timedelta

import pytest
from shadow_records import ARRIVED, BODY, draft, legacy, new, order, records, reply

from swarm.models import Attachment, EscalationClass, Evidence, EvidenceKind
from swarm.shadow.comparison import compare, legacy_classes, thread_of
from swarm.shadow.models import Act, Decision, OutcomePair

LEGAL, SAFETY, UNKNOWN = EscalationClass.LEGAL, EscalationClass.SAFETY, EscalationClass.UNKNOWN


def escalated(*reasons: str):
    return legacy(escalated=True, reasons=reasons)


def test_two_equal_drafts_agree_in_everything() -> None:
    told = compare(records())
    assert told.pair is OutcomePair.BOTH_DRAFT
    assert (told.needed, told.missed, told.extra, told.declined) == ((), (), False, False)
    assert (told.same_recipient, told.same_subject, told.same_thread) == (True, True, None)
    assert (told.new_legacy, told.new_sent, told.legacy_sent) == (1.0, None, None)
    assert (told.legacy_ms, told.new_ms) == (3000, 70)


@pytest.mark.parametrize(
    ("theirs", "mine", "pair"),
    [
        (False, Decision.DRAFT, OutcomePair.BOTH_DRAFT),
        (True, Decision.DRAFT, OutcomePair.ONLY_NEW_DRAFTS),
        (False, Decision.ESCALATED, OutcomePair.ONLY_LEGACY_DRAFTS),
        (False, Decision.DECLINED, OutcomePair.ONLY_LEGACY_DRAFTS),
        (True, Decision.ESCALATED, OutcomePair.BOTH_PERSON),
        (True, Decision.DECLINED, OutcomePair.BOTH_PERSON),
        (True, Decision.FAILED, OutcomePair.ONE_FAILED),
        (False, Decision.NOT_REPLAYABLE, OutcomePair.ONE_FAILED),
    ],
)
def test_what_the_two_came_to_is_one_of_five(
    theirs: bool, mine: Decision, pair: OutcomePair
) -> None:
    assert compare(records(legacy=legacy(escalated=theirs), new=new(decision=mine))).pair is pair


def test_a_class_of_legacys_that_is_drafted_is_missed() -> None:
    told = compare(records(legacy=escalated("legal", "safety")))
    assert told.missed == told.needed == (LEGAL, SAFETY)
    assert told.needed_because == "legacy"


@pytest.mark.parametrize("decision", [d for d in Decision if d is not Decision.DRAFT])
def test_what_is_not_drafted_is_never_missed(decision: Decision) -> None:
    told = compare(records(legacy=escalated("legal"), new=new(decision=decision)))
    assert (told.needed, told.missed) == ((LEGAL,), ())


@pytest.mark.parametrize(
    ("reasons", "classes"),
    [
        (("fact: number not in the mail", "qa: length", "policy: no recipient"), ()),
        (("legal", "fact: number not in the mail"), (LEGAL,)),
        ((" Legal ",), (LEGAL,)),
        (("angry customer",), (UNKNOWN,)),
        ((), (UNKNOWN,)),
    ],
)
def test_of_legacys_reasons_only_safety_classes_count(reasons, classes) -> None:  # type: ignore[no-untyped-def]
    assert legacy_classes(escalated(*reasons)) == classes


def test_a_draft_of_legacys_has_no_class_whatever_its_line_says() -> None:
    assert legacy_classes(legacy(reasons=("legal",))) == ()


def test_a_label_beats_what_a_person_did_and_what_legacy_said() -> None:
    acted = reply(act=Act.SENT_UNCHANGED, sent_text=BODY)
    told = compare(records(legacy=escalated("legal"), reply=acted, label=(SAFETY,)))
    assert (told.needed, told.needed_because, told.missed) == ((SAFETY,), "label", (SAFETY,))


def test_a_label_of_no_danger_makes_legacys_alarm_a_false_one() -> None:
    told = compare(records(legacy=escalated("legal"), label=()))
    assert (told.needed, told.needed_because, told.missed) == ((), "", ())


@pytest.mark.parametrize(
    "acted",
    [
        reply(act=Act.ANSWERED_OTHERWISE, sent_text="Something else."),
        reply(act=Act.DISCARDED, sent_text="Something else."),
    ],
)
def test_a_person_who_wrote_instead_of_the_draft_was_needed(acted) -> None:  # type: ignore[no-untyped-def]
    told = compare(records(reply=acted))
    assert (told.needed, told.needed_because, told.missed) == ((UNKNOWN,), "act", (UNKNOWN,))


@pytest.mark.parametrize("act", [Act.SENT_UNCHANGED, Act.SENT_EDITED])
def test_a_used_draft_says_that_nobody_was_needed(act: Act) -> None:
    told = compare(records(legacy=escalated("legal"), reply=reply(act=act, publisher="swarm")))
    assert told.needed == ()


@pytest.mark.parametrize(
    "acted",
    [
        reply(act=Act.DISCARDED),
        reply(act=Act.REWRITTEN, sent_text="x"),
        reply(act=Act.OPEN),
        reply(act=Act.UNKNOWN),
        reply(act=Act.ANSWERED_OTHERWISE, publisher=None, sent_text="x"),
    ],
)
def test_what_tells_nothing_of_danger_leaves_it_to_legacy(acted) -> None:  # type: ignore[no-untyped-def]
    told = compare(records(legacy=escalated("legal"), reply=acted))
    assert (told.needed, told.needed_because) == ((LEGAL,), "legacy")


def test_asking_for_a_person_who_was_not_needed_is_extra() -> None:
    assert compare(records(new=new(decision=Decision.ESCALATED, classes=(LEGAL,)))).extra
    needed = records(legacy=escalated("legal"), new=new(decision=Decision.ESCALATED))
    assert not compare(needed).extra


def test_declining_is_neither_missed_nor_extra() -> None:
    told = compare(records(legacy=escalated("legal"), new=new(decision=Decision.DECLINED)))
    assert (told.declined, told.missed, told.extra) == (True, (), False)
    assert not compare(records(new=new(decision=Decision.DECLINED))).extra


def test_a_failure_keeps_its_reason_and_has_no_latency() -> None:
    told = compare(records(new=new(decision=Decision.FAILED, detail="took too long", draft=None)))
    assert (told.failed, told.new_ms) == ("took too long", None)


def test_another_recipient_or_subject_shows() -> None:
    told = compare(records(legacy=legacy(recipient="bob@customer.example", subject="Re: Prices")))
    assert (told.same_recipient, told.same_subject) == (False, False)


def test_marks_of_an_answer_and_letter_case_make_no_other_subject_or_recipient() -> None:
    spelt = legacy(recipient=" Anna@Customer.example", subject="AW: RE:  opening Hours")
    told = compare(records(legacy=spelt))
    assert (told.same_recipient, told.same_subject) == (True, True)


def test_only_two_drafts_have_recipients_to_compare() -> None:
    told = compare(records(legacy=escalated("legal")))
    assert (told.same_recipient, told.same_subject, told.new_legacy) == (None, None, None)


def test_both_drafts_are_held_against_what_was_sent() -> None:
    other = "Hello,\n\nwe open at nine on Saturday.\n\nKind regards"
    acted = reply(act=Act.SENT_EDITED, sent_text=other)
    told = compare(records(new=new(draft=draft(body_text=other)), reply=acted))
    assert told.new_sent == 1.0
    assert told.legacy_sent is not None
    assert told.legacy_sent < 0.8


def test_the_same_detectors_count_in_both_texts() -> None:
    promise = "Hello,\n\nwe refund you 50 EUR.\n\nKind regards"
    told = compare(
        records(legacy=legacy(body_text=promise), new=new(draft=draft(body_text=promise)))
    )
    assert told.legacy_unbacked == told.new_unbacked > 0
    policy = Evidence(
        id="p", kind=EvidenceKind.POLICY, source="s", owner="o", text="We refund you 50 EUR."
    )
    backed = compare(
        records(
            legacy=legacy(body_text=promise),
            new=new(draft=draft(body_text=promise)),
            evidence=(policy,),
        )
    )
    assert backed.legacy_unbacked == backed.new_unbacked == 0


def test_the_customers_own_word_carries_no_promise() -> None:
    promise = "Hello,\n\nwe refund you 50 EUR.\n\nKind regards"
    said = Evidence(
        id="i", kind=EvidenceKind.INBOUND, source="s", owner="o", text="You refund you 50 EUR."
    )
    assert compare(records(legacy=legacy(body_text=promise), evidence=(said,))).legacy_unbacked > 0


def test_what_legacy_decided_before_the_mail_came_has_no_latency() -> None:
    early = legacy(decided_at=ARRIVED - timedelta(seconds=1))
    assert compare(records(legacy=early)).legacy_ms is None
    assert compare(records(legacy=legacy(decided_at=None))).legacy_ms is None


def test_a_live_run_brings_its_own_latency() -> None:
    assert compare(records(new_ms=4200)).new_ms == 4200


def test_mails_of_one_conversation_share_a_thread_that_is_no_id_of_the_mailbox() -> None:
    one, other = order("one"), order("two", ref=order("one").ref)
    assert thread_of(one) == thread_of(other) != thread_of(order("three"))
    assert "c-one" not in thread_of(one)


def test_without_a_conversation_the_first_mail_it_follows_names_the_thread() -> None:
    bare = order().ref.model_copy(update={"conversation_id": None})
    first = order("a", ref=bare.model_copy(update={"internet_message_id": "<1@x>"}))
    answer = order("b", ref=bare, references=("<1@x>", "<2@x>"))
    reply_to = order("c", ref=bare, in_reply_to="<1@x>")
    assert thread_of(first) == thread_of(answer) == thread_of(reply_to)
    assert thread_of(order("d", ref=bare)) != thread_of(order("e", ref=bare))


def test_the_kind_of_work_order_is_told() -> None:
    filed = order(attachments=(Attachment(name="a.pdf", content_type="application/pdf", size=1),))
    strata = compare(records(order=filed)).strata
    assert (strata.attachments, strata.language, strata.thread, strata.contact) == (
        True, "en", "hit", "miss",
    )  # fmt: skip
