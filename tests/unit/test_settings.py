"""Settings name every missing or bad variable, and nothing starts that could send."""

from dataclasses import fields

import pytest

from swarm.errors import ConfigurationError
from swarm.settings import Settings, load_settings

GOOD = {
    "DATABASE_URL": "postgresql://localhost/swarm",
    "SWARM_KEY_SECRET": "canary-key-secret",
    "GRAPH_TENANT_ID": "tenant",
    "GRAPH_CLIENT_ID": "client",
    "GRAPH_CLIENT_SECRET": "canary-client-secret",
    "GRAPH_MAILBOX": "support@example.com",
    "MONDAY_TOKEN": "canary-token",
    "MONDAY_CONTACTS_BOARD": "11",
    "MONDAY_DEALS_BOARD": "22",
    "ZAPIER_HOOK_URL": "https://hooks.example.com/canary-hook",
}


@pytest.fixture(autouse=True)
def _good_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_a_complete_environment_loads_with_the_safe_defaults() -> None:
    settings = load_settings()
    assert settings.core.auto_send_enabled is False
    assert not settings.model.configured


def test_every_missing_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("GRAPH_MAILBOX")
    with pytest.raises(
        ConfigurationError, match=r"DATABASE_URL is not set.*GRAPH_MAILBOX is not set"
    ):
        load_settings()


def test_a_bad_number_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_LEASE_SECONDS", "soon")
    with pytest.raises(ConfigurationError, match="QUEUE_LEASE_SECONDS") as caught:
        load_settings()
    assert "soon" not in str(caught.value)


@pytest.mark.parametrize("value", ["true", "1", "yes", "on", "TRUE"])
def test_auto_send_refuses_to_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """ES-06: the flag may say false or be absent, nothing else."""
    monkeypatch.setenv("AUTO_SEND_ENABLED", value)
    with pytest.raises(ConfigurationError, match="AUTO_SEND_ENABLED must be false"):
        load_settings()


def test_an_unreadable_auto_send_flag_refuses_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTO_SEND_ENABLED", "maybe")
    with pytest.raises(ConfigurationError, match="AUTO_SEND_ENABLED"):
        load_settings()


def test_a_list_is_read_from_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINK_ALLOW_LIST", "example.com, help.example.com,")
    assert load_settings().core.link_allow_list == ("example.com", "help.example.com")


def test_no_secret_is_shown_by_repr() -> None:
    assert "canary" not in repr(load_settings())


def test_every_setting_says_what_it_is_for() -> None:
    silent = [
        f"{part.name}.{name}"
        for part in fields(Settings)
        for name, field in part.type.model_fields.items()
        if not field.description
    ]
    assert silent == []


def test_what_is_missing_or_refused_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTO_SEND_ENABLED", "true")
    monkeypatch.delenv("GRAPH_MAILBOX")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    told = str(caught.value)
    assert "GRAPH_MAILBOX is not set" in told
    assert "Value error" not in told
    assert told.count("AUTO_SEND_ENABLED") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODEL_TIMEOUT_SECONDS", "0"),
        ("MODEL_TIMEOUT_SECONDS", "nan"),
        ("MODEL_BUDGET_PER_WORK_ORDER", "nan"),
        ("MODEL_OUTPUT_PRICE_PER_MILLION", "-1"),
        ("MODEL_BASE_URL", "models.example/v1"),
        ("MODEL_BASE_URL", "http://[::1/v1"),
        ("MODEL_API_KEY", "se\ncret"),
        ("MODEL_API_KEY", "schl\u00fcssel"),
    ],
)
def test_a_model_that_could_never_be_asked_is_named_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name) as caught:
        load_settings()
    assert value == "0" or value not in str(caught.value)


def test_an_empty_name_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_NAME", " ")
    monkeypatch.setenv("MODEL_BASE_URL", "")
    monkeypatch.setenv("MODEL_API_KEY", " key-from-a-file\n")
    settings = load_settings().model
    assert not settings.configured
    assert settings.base_url is None
    assert settings.api_key.get_secret_value() == "key-from-a-file"
