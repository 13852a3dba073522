"""ES-22: who was answered by a person waits for nobody; who was not is still paged for."""

import pytest
from desk import Desk

from swarm.observe.dossier.dossier import dossier
from swarm.store.alerts import raise_overdue_escalations
from swarm.store.reply_outcomes import ANSWERED_BY

ANSWER = "<p>I rang her: it is settled. Robin</p>"


def overdue(desk: Desk, key: str) -> list[str]:
    """Let its time run out, ask who is overdue, and say which alerts are open."""
    desk.run(
        "UPDATE escalations SET acknowledge_by = now() - interval '1 minute'"
        " WHERE work_order_key = %s",
        key,
    )
    with desk.database.transaction() as connection:
        raise_overdue_escalations(connection)
        found = connection.execute(
            "SELECT kind FROM alerts WHERE subject = %s AND resolved_at IS NULL", (key,)
        )
        return [row["kind"] for row in found]


def test_an_escalation_that_was_answered_is_acknowledged_by_its_answer(desk: Desk) -> None:
    key = desk.escalated()
    answer = desk.sandbox.human("answer", desk.mails[key]["id"], body_html=ANSWER)
    assert desk.look().clocks_ended == 1
    row = desk.escalation(key)
    assert row["acknowledged_by"] == ANSWERED_BY
    assert f"{row['acknowledged_at']:%Y-%m-%dT%H:%M:%SZ}" == answer["sentDateTime"]
    assert overdue(desk, key) == []
    said = dossier(desk.database, key).next_step
    assert said.startswith("it was answered in the mailbox; nothing more to do")


def test_an_overdue_escalation_pages_until_somebody_answers(desk: Desk) -> None:
    key = desk.escalated()
    desk.look()
    assert overdue(desk, key) == ["escalation.overdue"]
    desk.sandbox.human("answer", desk.mails[key]["id"], body_html=ANSWER)
    desk.look()
    assert overdue(desk, key) == []


def test_a_declined_mail_that_was_answered_is_acknowledged_too(desk: Desk) -> None:
    key = desk.escalated(declined=True)
    desk.sandbox.human("answer", desk.mails[key]["id"], body_html=ANSWER)
    desk.look()
    assert desk.escalation(key)["acknowledged_by"] == ANSWERED_BY


def test_a_draft_of_todays_path_that_a_person_sent_is_an_answer(desk: Desk) -> None:
    key = desk.escalated()
    draft = desk.publish(key, publisher="legacy")
    desk.sandbox.human("send", draft)
    desk.look()
    assert desk.escalation(key)["acknowledged_by"] == ANSWERED_BY


def test_an_escalation_made_after_the_answer_was_seen_ends_by_itself(desk: Desk) -> None:
    key = desk.mail(state="held")
    desk.sandbox.human("answer", desk.mails[key]["id"], body_html=ANSWER)
    desk.look()
    assert desk.outcome(key)["look_at"] is None
    desk.run(
        "INSERT INTO escalations (work_order_key, classes, reasons, owner, received_at,"
        " acknowledge_by) VALUES (%s, '[]', '[]', 'lead', now(), now())",
        key,
    )
    desk.lookout().due()
    assert desk.escalation(key)["acknowledged_by"] == ANSWERED_BY


@pytest.mark.parametrize("doing", ["forward", "draft", "discard", "send_as"])
def test_what_is_no_answer_ends_no_clock(desk: Desk, doing: str) -> None:
    key = desk.escalated()
    if doing == "forward":
        mail = desk.mails[key]["id"]
        desk.sandbox.human("answer", mail, body_html=ANSWER, to="robin@example.com")
    else:
        draft = desk.publish(key, publisher="legacy")
        if doing == "discard":
            desk.sandbox.human("delete", draft)
        elif doing == "send_as":
            desk.sandbox.human("send_as", draft)
    desk.look()
    assert overdue(desk, key) == ["escalation.overdue"]


def test_who_acknowledged_before_stays_on_record(desk: Desk) -> None:
    key = desk.escalated()
    desk.run("UPDATE escalations SET acknowledged_at = now(), acknowledged_by = 'robin'")
    desk.sandbox.human("answer", desk.mails[key]["id"], body_html=ANSWER)
    desk.look()
    assert desk.escalation(key)["acknowledged_by"] == "robin"
