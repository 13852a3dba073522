"""What `swarm doctor` says about settings, and that it says no secret."""

import pytest

from swarm.cli import doctor
from swarm.cli.diagnosis import machine, variables
from swarm.cli.findings import AREAS, Area, Finding, Health

UP = {"GRAPH_TENANT_ID": "sandbox-tenant", "DATABASE_URL": "postgresql:///x", "UI_URL": "u"}


def detail(name: str, user: dict[str, str], described: dict[str, str]) -> tuple[Health, str]:
    found = next(f for f in variables(user, described) if f.name == name)
    state, words = found.detail.split(": ", 1)
    assert words, "a variable says what it is for"
    return found.health, state


def test_this_machine_is_good_enough_to_run_its_own_tests() -> None:
    assert {finding.health for finding in machine()} == {Health.GOOD}


def test_a_variable_of_the_users_is_set() -> None:
    assert detail("GRAPH_TENANT_ID", {"GRAPH_TENANT_ID": "t"}, UP) == (Health.GOOD, "set")


def test_a_variable_from_the_double_is_sandbox() -> None:
    assert detail("GRAPH_TENANT_ID", {}, UP) == (Health.GOOD, "sandbox")


def test_a_required_variable_nobody_set_is_bad() -> None:
    health, words = detail("MONDAY_TOKEN", {"MONDAY_CONTACTS_BOARD": "1"}, {})
    assert (health, words) == (Health.BAD, "missing")


def test_an_optional_variable_shows_that_its_default_holds() -> None:
    health, words = detail("QUEUE_LEASE_SECONDS", {}, UP)
    assert (health, words) == (Health.GOOD, "default")


def test_no_value_is_ever_shown() -> None:
    user = {"ZAPIER_HOOK_URL": "https://hooks/canary", "GRAPH_CLIENT_SECRET": "canary"}
    assert "canary" not in " ".join(f.detail for f in variables(user, UP))


def test_without_a_model_the_rules_do_the_thinking() -> None:
    found = next(f for f in variables({}, UP) if f.name == "specialist")
    assert found.health is Health.NOTE


@pytest.mark.parametrize("area", AREAS)
def test_a_finding_of_every_area_is_printed(
    area: Area, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Finding(area=area, name="told", health=Health.NOTE, detail="something")
    monkeypatch.setattr(doctor, "diagnose", lambda *_, **__: [found])
    doctor.doctor(port=3000, other_mailbox="", timeout=5.0, as_json=False)
    said = capsys.readouterr().out
    assert area in said
    assert "something" in said
