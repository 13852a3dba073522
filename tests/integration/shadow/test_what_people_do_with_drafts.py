"""Each act of a person, done in the mailbox, is read as what it was; and never makes a draft."""

from datetime import timedelta

import pytest
from desk import CUSTOMER, LONG, Desk

from swarm.observe.dossier.dossier import dossier
from swarm.store.reply_outcomes import Pace, stop_looking

SHORT = timedelta(0)
OTHER_WORDS = "<p>I rang the depot: they will bring it on Friday evening, promised. Robin</p>"


def act(desk: Desk, key: str) -> str:
    """One round, then what is known; whatever was done, no second draft was ever asked for."""
    desk.look()
    known = str(desk.outcome(key)["act"])
    desk.rounds()
    assert desk.posted(key) == (1 if desk.outcome(key)["publisher"] else 0)
    return known


def markup(desk: Desk, draft_id: str) -> str:
    return str(next(d["uniqueHtml"] for d in desk.sandbox.drafts() if d["id"] == draft_id))


def test_a_draft_that_stands_is_open(desk: Desk) -> None:
    key, _ = desk.drafted()
    assert act(desk, key) == "open"
    assert desk.outcome(key)["look_at"] is not None
    assert desk.outcome(key)["publisher"] == "swarm"


def test_a_draft_sent_as_it_was(desk: Desk) -> None:
    key, draft = desk.drafted()
    sent = desk.sandbox.human("send", draft)
    assert sent["id"] == draft
    assert act(desk, key) == "sent_unchanged"
    row = desk.outcome(key)
    assert (row["similarity"], row["look_at"]) == (1.0, None)
    assert row["acted_at"] is not None
    assert LONG in " ".join(row["sent_text"].split())
    assert dossier(desk.database, key).next_step == (
        "a person has sent the draft; nothing more to do"
    )


def test_a_draft_wrapped_and_signed_by_a_person_is_unchanged(desk: Desk) -> None:
    key, draft = desk.drafted()
    wrapped = LONG.replace(". ", ".<br>\n   ")
    desk.sandbox.human(
        "send",
        draft,
        body_html=f"<p>Hello,</p><div>{wrapped}</div><p>Kind regards<br>Robin Miller</p>",
    )
    assert act(desk, key) == "sent_unchanged"


def test_a_draft_sent_with_edits(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human(
        "send", draft, body_html=markup(desk, draft).replace("two working days", "one day")
    )
    assert act(desk, key) == "sent_edited"
    assert 0.8 <= desk.outcome(key)["similarity"] < 1


def test_a_draft_edited_twice_before_it_was_sent(desk: Desk) -> None:
    key, draft = desk.drafted()
    first = markup(desk, draft).replace("Monday", "Tuesday")
    desk.sandbox.human("edit", draft, body_html=first)
    assert act(desk, key) == "open"
    desk.sandbox.human("edit", draft, body_html=first.replace("gladly", "always"))
    desk.sandbox.human("send", draft)
    assert act(desk, key) == "sent_edited"
    assert "always" in desk.outcome(key)["sent_text"]


def test_a_draft_edited_and_put_back_as_it_was(desk: Desk) -> None:
    key, draft = desk.drafted()
    before = markup(desk, draft)
    desk.sandbox.human("edit", draft, body_html=OTHER_WORDS)
    desk.sandbox.human("edit", draft, body_html=before)
    desk.sandbox.human("send", draft)
    assert act(desk, key) == "sent_unchanged"


def test_a_draft_written_anew(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("send", draft, body_html=OTHER_WORDS)
    assert act(desk, key) == "rewritten"
    assert desk.outcome(key)["similarity"] < 0.8


def test_a_draft_thrown_away_stays_discarded_when_the_bin_is_emptied(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("delete", draft)
    assert act(desk, key) == "discarded"
    desk.sandbox.human("purge", draft)
    assert act(desk, key) == "discarded"


def test_a_draft_thrown_away_and_answered_in_other_words(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("delete", draft)
    act(desk, key)
    desk.sandbox.human("answer", desk.mails[key]["id"], body_html=OTHER_WORDS)
    assert act(desk, key) == "discarded"
    row = desk.outcome(key)
    assert "Friday evening" in row["sent_text"]
    assert row["look_at"] is None


def test_another_answer_beside_the_draft_and_then_the_draft_after_all(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("answer", draft, body_html=OTHER_WORDS)
    assert act(desk, key) == "answered_otherwise"
    assert desk.outcome(key)["look_at"] is not None
    desk.sandbox.human("send", draft)
    assert act(desk, key) == "sent_unchanged"


def test_sent_from_another_client_with_the_text_of_the_draft(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("send_elsewhere", draft)
    assert act(desk, key) == "sent_unchanged"
    assert "another client" in desk.outcome(key)["detail"]


def test_sent_from_another_client_without_the_reference(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("send_elsewhere", draft, body_html=f"<p>Hello,</p><p>{LONG}</p>")
    assert act(desk, key) == "sent_unchanged"


def test_sent_from_another_client_in_other_words(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("send_elsewhere", draft, body_html=OTHER_WORDS)
    assert act(desk, key) == "answered_otherwise"


def test_a_copy_that_comes_late_is_waited_for(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("send", draft, copy_after=3600)
    assert act(desk, key) == "open"
    assert "no copy yet" in desk.outcome(key)["detail"]
    desk.sandbox.configure(arrive=True)
    assert act(desk, key) == "sent_unchanged"


def test_a_copy_that_comes_after_it_was_given_up(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("send", draft, copy_after=3600)
    desk.look(settling=SHORT)
    assert desk.outcome(key)["act"] == "unknown"
    desk.sandbox.configure(arrive=True)
    assert act(desk, key) == "sent_unchanged"


def test_sent_as_the_shared_mailbox_leaves_no_copy_and_is_unknown(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("send_as", draft)
    assert act(desk, key) == "open"
    desk.look(settling=SHORT)
    row = desk.outcome(key)
    assert row["act"] == "unknown"
    assert "sender's own Sent Items" in row["detail"]


@pytest.mark.parametrize("folder", ["archive", "inbox"])
def test_a_draft_that_was_moved_is_open_and_known_when_it_is_sent(desk: Desk, folder: str) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("move", draft, folder=folder)
    assert act(desk, key) == "open"
    desk.sandbox.human("send", draft)
    assert act(desk, key) == "sent_unchanged"


def test_a_sent_mail_that_was_filed_elsewhere_was_sent(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("send", draft)
    desk.sandbox.human("move", draft, folder="archive")
    assert act(desk, key) == "sent_unchanged"


def test_what_postgres_cannot_keep_is_left_out_of_what_was_sent(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("send", draft, body_html=OTHER_WORDS.replace("Friday", "Fri\x00day"))
    assert act(desk, key) == "rewritten"
    assert "evening" in desk.outcome(key)["sent_text"]


def test_a_forward_to_a_colleague_is_no_answer(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("answer", draft, body_html=OTHER_WORDS, to="robin@example.com")
    assert act(desk, key) == "open"


def test_the_draft_for_his_other_mail_is_no_answer_to_this_one(desk: Desk) -> None:
    first = desk.mail()
    conversation = desk.mails[first]["conversationId"]
    second = desk.mail(conversation_id=conversation)
    draft = desk.publish(second)
    desk.run("UPDATE work_orders SET state = 'escalated', final_at = now() WHERE key = %s", first)
    desk.sandbox.human("send", draft)
    desk.look()
    assert desk.outcome(second)["act"] == "sent_unchanged"
    assert desk.outcome(first)["act"] == "open"


@pytest.mark.parametrize("state", ["escalated", "declined", "held"])
def test_a_mail_without_a_draft_is_answered_by_a_person(desk: Desk, state: str) -> None:
    key = desk.mail(state=state)
    assert act(desk, key) == "open"
    desk.sandbox.human("answer", desk.mails[key]["id"], body_html=OTHER_WORDS)
    assert act(desk, key) == "answered_otherwise"
    row = desk.outcome(key)
    assert (row["publisher"], row["look_at"]) == (None, None)


def test_what_legacy_drafts_of_an_escalated_mail_is_looked_for_too(desk: Desk) -> None:
    key = desk.mail(state="escalated")
    desk.look()
    assert desk.outcome(key)["publisher"] is None
    draft = desk.publish(key, publisher="legacy")
    desk.sandbox.human("send", draft)
    assert act(desk, key) == "sent_unchanged"
    assert desk.outcome(key)["publisher"] == "legacy"


def test_after_fourteen_days_nobody_looks_any_more(desk: Desk) -> None:
    key, _ = desk.drafted()
    desk.look()
    desk.run(
        "UPDATE reply_outcomes SET offered_at = now() - interval '15 days',"
        " opened_at = now() - interval '15 days'"
    )
    assert act(desk, key) == "unknown"
    row = desk.outcome(key)
    assert (row["look_at"], "fourteen days" in row["detail"]) == (None, True)


def test_what_was_offered_in_another_world_is_not_looked_for_in_this_mailbox(desk: Desk) -> None:
    key, _ = desk.drafted()
    desk.look()
    alone = desk.mail(state="held")
    try:
        desk.run("UPDATE installation SET world = world + 1")
        with desk.database.transaction() as connection:
            assert stop_looking(connection, "the mailbox was left") == 1
        assert desk.lookout().due() == 0
        row = desk.outcome(key)
        assert (row["act"], row["detail"]) == ("unknown", "the mailbox was left")
        assert desk.rows_about(alone) == 0
    finally:
        desk.run("UPDATE installation SET world = world - 1")


def test_a_mailbox_that_is_away_changes_nothing_and_is_asked_again(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("send", draft)
    desk.sandbox.fault("graph", "status", status=403)
    report = desk.look()
    desk.sandbox.clear_faults()
    assert (report.unavailable, desk.outcome(key)["act"]) == (1, "open")
    assert act(desk, key) == "sent_unchanged"


def test_a_mailbox_that_asks_us_to_wait_is_left_alone_and_nobody_loses_a_turn(desk: Desk) -> None:
    for _ in range(3):
        desk.mail(state="held")
    desk.lookout().due()
    desk.sandbox.fault("graph", "status", status=429, retry_after="3600")
    report = desk.lookout(pace=Pace(per_minute=1000)).look()
    desk.sandbox.clear_faults()
    assert (report.looked, report.unavailable) == (1, 1)
    assert desk.lookout().due() == 2


def test_no_more_looks_a_minute_than_the_pace_allows(desk: Desk) -> None:
    for _ in range(3):
        desk.mail(state="held")
    pace = Pace(soonest=timedelta(0), latest=timedelta(0), per_minute=2)
    lookout = desk.lookout(pace=pace)
    assert lookout.due() == 2
    assert lookout.look().looked == 2
    assert lookout.look().looked == 0


def test_a_look_tells_what_it_learnt_by_numbers_and_names_only(desk: Desk) -> None:
    key, draft = desk.drafted()
    desk.sandbox.human("send", draft)
    (seen,) = desk.look().learnt
    assert (seen.work_order_key, seen.act, seen.similarity) == (key, "sent_unchanged", 1.0)
    assert CUSTOMER not in seen.model_dump_json()
    assert desk.look().learnt == ()
