"""What helps against each breach, and what to make of each fact, in one sentence per name."""

from typing import Final

PROMISES: Final = {
    1: "nothing lost",
    2: "never twice",
    3: "never sent",
    4: "no unsafe draft",
    5: "a failed judgement escalates",
    6: "everything is explained",
}

_BY_HAND = "somebody wrote to the tables by hand: find out who, and restore the row from a backup"
_REVIVE = "see that `swarm up` runs, then `swarm show KEY`"
_OUTLOOK = "compare in Outlook before anybody sends it"

ADVICE: Final = {
    # 1: nothing lost
    "mail_unread": "answer it by hand; is the mailbox reader at work? `swarm status` shows it",
    "event_lost": "find it in events.jsonl by its id, and answer it by hand",
    "not_listed": "the mailbox did not answer; audit again when it does",
    "line_without_work_order": "read the stream again from this line, or restore a backup",
    "work_order_without_line": _BY_HAND,
    "legacy_outcome_lost": "`swarm legacy reread`; else today's path lost it: look into its outbox",
    "legacy_outcome_unreadable": "`swarm quarantine show PLACE`, then replay or discard it",
    "legacy_outcomes_unread": "the sensor `legacy_outcomes` does not run: is `swarm up` at work?",
    "quarantine_mismatch": "read the stream again from this line",
    "quarantine_without_alert": "look at the lines; somebody should have been told",
    "silent": "nothing drives it: answer the mail by hand, then find out who took its job",
    "publishing_without_ledger": "nothing publishes it: answer the mail by hand",
    "driven_though_final": _BY_HAND,
    "lease_forgotten": f"the reaper does not run: {_REVIVE}",
    "final_without_alert": "tell whoever answers for it; the alert was taken out",
    "publication_without_alert": "tell whoever answers for it; the alert was taken out",
    "escalation_without_owner": "name an owner and a time, and tell the owner",
    "escalation_without_page": f"call the owner; the alerts sensor does not run: {_REVIVE}",
    "published_without_confirmation": "look whether the mailbox holds the draft",
    "ended_but_not_settled": f"the publications sensor does not run: {_REVIVE}",
    "duplicate_of_nothing": "a mail may be lost: read the line in the stream, answer it by hand",
    "publication_of_nothing": "is the intake at work? `swarm status` shows its lag",
    "publication_waits": "`swarm publisher show` says who is in office and what waits",
    "never_due": "nobody will ever look at it: set a time in the present, or answer by hand",
    "publishing_too_long": "`swarm show KEY` says what its publication waits for",
    "open_too_long": "`swarm show KEY` says what it waits for; answer the mail by hand meanwhile",
    "job_without_times": "nothing can take it back: answer the mail by hand, restore the row",
    "request_forgotten": f"no run begins: {_REVIVE}",
    "job_waits": f"no run begins, or one never ends: {_REVIVE}",
    "state_without_job": _BY_HAND,
    "from_the_future": "set the clock of this machine right, or restore the row",
    "stream_count": "compare the file with the database; read it again from the start",
    "stream_changed": "restore the file: it is the original of what was mailed",
    "stream_unread": "give the audit the right to read it, and look again",
    # 2: never twice
    "sending_too_long": f"the publications sensor does not run: {_REVIVE}",
    "posted_too_often": "look for two drafts in the mailbox, delete one",
    "drafted_twice": "keep one in Outlook, delete the other",
    "confirmed_without_draft": "purged? then answer the mail by hand",
    "draft_without_claim": f"who made it? {_OUTLOOK}",
    "draft_not_confirmed": f"it came late; {_OUTLOOK}",
    "draft_without_ledger": f"who made it? {_OUTLOOK}",
    "not_searched": "the mailbox did not answer; audit again when it does",
    "impossible_move": _BY_HAND,
    "ledger_not_in_log": _BY_HAND,
    "log_without_row": _BY_HAND,
    "confirmed_twice": "look for two drafts in the mailbox, delete one",
    "same_draft_twice": f"one of them has no draft of its own: {_OUTLOOK}",
    "control_without_history": "`swarm publisher stop`, find out who wrote it, appoint again",
    "history_with_a_gap": "switches were taken out of the history: ask who had the database",
    "out_of_office": f"it was not theirs to publish: {_OUTLOOK}",
    "lease_of_the_future": "legacy could go on alone for too long: `swarm publisher stop`",
    # 3: never sent
    "of_another_world": f"a sandbox's draft, or a row changed by hand; {_OUTLOOK}",
    "would_be_sent": "`swarm publisher stop` at once; a payload asks to be sent",
    # 4: no unsafe draft
    "left_without_pass": f"delete or correct the draft: nobody approved it; {_OUTLOOK}",
    "payload_changed": f"not what was approved: {_OUTLOOK}",
    "payload_without_draft": f"not what was approved: {_OUTLOOK}",
    "verdict_without_event": _BY_HAND,
    "verdict_missing": _BY_HAND,
    "tier_not_in_chain": "treat the mail as an escalation until the row is restored",
    "other_draft": f"the Zap made something else of it: {_OUTLOOK}",
    # 5: a failed judgement escalates
    "left_against_a_ruling": f"delete or correct the draft: a rule spoke against it; {_OUTLOOK}",
    # 6: everything is explained
    "chain": _BY_HAND,
    "state_not_in_chain": _BY_HAND,
    "mail_changed": "restore the mail from the intake file or Outlook, and judge it again",
    "artifact_changed": _BY_HAND,
    "artifact_without_event": _BY_HAND,
    "artifact_missing": _BY_HAND,
    "release_not_on_record": _BY_HAND,
    "sorted_out_lost": "look in ignored.jsonl by its id whether it needed an answer",
    "tombstone_lost": "an erased mail could come back: restore the rows from a backup",
    "trigger": "stop everything, apply the migration's trigger again, audit with --full",
    "foreign_writer": "ask who that was; undo it, or `swarm audit --full --accept REASON`",
    "rights": "`swarm database roles` says more; a start of the owner lays them down again",
    "schema_changed": "meant? `swarm audit --full --accept REASON`; else undo it",
    "shortened": "rows were taken out: restore a backup, or `swarm audit --full --accept REASON`",
    "mark_broken": "the audit's own memory was changed: `swarm audit --full --accept REASON`",
    # facts
    "draft_edited": "a person at work; nothing to do",
    "draft_deleted": "nothing to do if a person answered otherwise",
    "draft_of_the_erased": "delete it there: whoever asked to be forgotten stands in it",
    "another_draft": "a colleague's? two answers to one mail help nobody",
    "drafted_though_escalated": "today's path drafted what the new one escalates: tell the owner",
}


def advice(name: str) -> str:
    """Return what helps."""
    return ADVICE.get(name, "`swarm show KEY` says more")
