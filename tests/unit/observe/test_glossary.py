"""Every word the system says to people is written down, and nothing else is."""

import re
from pathlib import Path

import pytest

from swarm.models import EscalationClass, WorkOrderState
from swarm.observe.glossary import glossary
from swarm.publishing.ledger.states import LedgerState
from swarm.safety.ruleset import RULES
from swarm.store.reply_outcomes import ANSWERED, REJECTED

SOURCES = [*Path("swarm").rglob("*.py"), *Path("swarm_assets").rglob("*.py")]


def test_every_rule_the_code_can_name_has_its_words() -> None:
    named = {rule.id for rule in RULES} | {"LEGACY-POLICY", "DECLINED"}
    named |= {f"review:{stage}" for stage in ("tone", "fact", "qa")}
    for path in SOURCES:
        named |= set(re.findall(r"\bES-\d\d\b", path.read_text("utf-8")))
    assert named <= glossary().rules.keys()
    assert {f"ES-{number:02}" for number in range(1, 27)} <= glossary().rules.keys()


def test_every_state_class_and_act_has_its_words() -> None:
    words = glossary()
    assert {state.value for state in WorkOrderState} == words.states.keys()
    assert {name.value for name in EscalationClass} == words.classes.keys()
    assert {state.value for state in LedgerState} == words.publications.keys()
    assert {*ANSWERED, *REJECTED, "open", "unknown"} == words.acts.keys()


@pytest.mark.parametrize(
    ("reason", "entry"),
    [
        ("accepted, and no draft appeared within the settling time", "no_draft_appeared"),
        ("revised after acceptance", "revised"),
        ("ES-20: the conversation went on since the context was taken", "conversation_went_on"),
        ("ES-20: a human has replied since, or it could not be told", "conversation_went_on"),
        ("ES-19: 1 drafts for this work order exist already", "a_draft_exists"),
        ("ES-08: 1 approved answers it cites expired or changed since", "answer_expired"),
        ("ES-10: 1 of 2 recipients took no part", "recipients"),
        ("ES-09: 1 identifiers are unknown to this customer's material", "foreign"),
        ("ES-17: the bytes are not the approved ones", "changed_bytes"),
        ("the stored payload is not the judged draft", "changed_bytes"),
        ("ES-15: the draft was judged on other evidence", "judged_on_other"),
        ("ES-06: AUTO_SEND_ENABLED is not known to be false", "auto_send"),
        ("ES-11: a link to evil.example, which is not on the allow-list", "links"),
        ("the swarm decided not to publish: escalated", "decided_not_to"),
        ("legacy's policy refuses a draft: too long", "todays_policy"),
        ("5 attempts used up; last: http 500", "attempts_used_up"),
        ("its sender lives and may not be ended by us", "sender_hangs"),
        ("publishable, but no publication ledger is attached", "no_ledger"),
        ("closed by ada: another mailbox", "moved_home"),
    ],
)
def test_a_recorded_reason_to_hold_finds_its_words(reason: str, entry: str) -> None:
    assert glossary().holding(reason) == glossary().held[entry]


def test_a_reason_to_hold_nobody_wrote_down_is_none() -> None:
    assert glossary().holding("something new") is None
    assert glossary().rule("ES-99").name == "ES-99"


def test_every_entry_says_what_it_is_what_it_means_and_what_to_do() -> None:
    words = glossary()
    for part in (words.rules, words.states, words.classes, words.publications, words.acts):
        for entry in part.values():
            assert entry.name
            assert entry.means.endswith(".")
            assert entry.do.endswith(".")
