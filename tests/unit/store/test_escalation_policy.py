"""Every escalation has an owner and a time (ES-22)."""

from datetime import timedelta

import pytest
from pydantic import SecretStr, ValidationError

from swarm.models import EscalationClass, Reason
from swarm.settings import CoreSettings
from swarm.store.escalation_policy import EscalationPolicy, classes_of, policy_of, rules_of


@pytest.mark.parametrize("escalation_class", EscalationClass)
def test_every_class_has_an_owner_and_a_time(escalation_class: EscalationClass) -> None:
    assert EscalationPolicy().owner_of([escalation_class])
    assert timedelta(0) < EscalationPolicy().due([escalation_class]) <= timedelta(hours=8)


def test_the_most_pressing_class_decides_time_and_owner() -> None:
    both = [EscalationClass.COMPLAINT, EscalationClass.FRAUD]
    assert EscalationPolicy().due(both) == timedelta(minutes=30)
    assert EscalationPolicy().owner_of(both) == "fraud-desk"
    assert EscalationPolicy().urgent(both)
    assert not EscalationPolicy().urgent([EscalationClass.COMPLAINT])


def test_a_class_nobody_configured_gets_the_shortest_time() -> None:
    desk = EscalationPolicy(minutes={EscalationClass.LEGAL: 20, EscalationClass.PRESS: 90})
    assert desk.due([EscalationClass.PRIVACY]) == timedelta(minutes=20)
    assert EscalationPolicy(minutes={}).due([EscalationClass.PRIVACY]) == timedelta(minutes=15)


def test_reasons_without_a_class_count_as_unknown() -> None:
    assert classes_of([Reason(rule="ES-05", detail="time-out")]) == (EscalationClass.UNKNOWN,)
    assert classes_of([]) == (EscalationClass.UNKNOWN,)


def test_the_reason_of_the_state_names_each_rule_once() -> None:
    reasons = [Reason(rule=rule, detail="") for rule in ("ES-07", "ES-01", "ES-07")]
    assert rules_of(reasons) == "ES-01, ES-07"


def test_the_house_says_who_has_which_class_and_by_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESCALATION_OWNERS", '{"press": "the-boss"}')
    monkeypatch.setenv("ESCALATION_MINUTES", '{"press": 5}')
    monkeypatch.setenv("ESCALATION_OWNER", "duty-desk")
    policy = policy_of(core())
    assert policy.owner_of([EscalationClass.PRESS]) == "the-boss"
    assert policy.due([EscalationClass.PRESS]) == timedelta(minutes=5)
    assert policy.urgent([EscalationClass.PRESS])
    assert policy.owner_of([EscalationClass.COMPLAINT]) == "duty-desk"
    assert policy.owner_of([EscalationClass.LEGAL]) == "legal", "what it does not name stays"


def test_a_house_that_says_nothing_has_the_usual_policy() -> None:
    assert policy_of(core()) == EscalationPolicy()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ESCALATION_OWNERS", '{"pres": "x"}'),
        ("ESCALATION_MINUTES", '{"press": 0}'),
        ("ESCALATION_OWNERS", "legal=me"),
        ("ESCALATION_OWNER", ""),
    ],
)
def test_a_class_nobody_knows_or_no_time_at_all_does_not_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        core()


def core() -> CoreSettings:
    return CoreSettings(database_url=SecretStr("postgresql:///x"), swarm_key_secret=SecretStr("s"))
