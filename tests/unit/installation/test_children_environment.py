"""What the children see: sandbox values below, the user's own on top, service by service."""

from pathlib import Path

import pytest

from swarm.installation.environment import (
    Addresses,
    children_environment,
    described,
    doubles,
    home_of,
    lone_worker_environment,
    sandbox_part,
)
from swarm.installation.home import Home

SANDBOX = {
    "GRAPH_BASE_URL": "http://127.0.0.1:9/graph",
    "MONDAY_API_URL": "http://127.0.0.1:9/monday",
    "ZAPIER_HOOK_URL": "http://127.0.0.1:9/hook",
}
HOME = Home(Path("/srv/swarm"))
ADDRESSES = Addresses("postgres://app:secret@db:5432/swarm", 3000, 3001, 3002)


def compute(user: dict[str, str]) -> dict[str, str]:
    return children_environment(
        user, HOME, ADDRESSES, "k" * 64, sandbox_part(SANDBOX, doubles(user))
    )


def test_without_credentials_every_service_is_doubled() -> None:
    assert doubles({"PATH": "/bin"}) == {"graph", "monday", "zapier"}


@pytest.mark.parametrize(
    ("variable", "left"),
    [
        ("GRAPH_TENANT_ID", {"monday", "zapier"}),
        ("MONDAY_TOKEN", {"graph", "zapier"}),
        ("ZAPIER_HOOK_URL", {"graph", "monday"}),
        ("MODEL_NAME", {"graph", "monday", "zapier"}),
    ],
)
def test_one_variable_switches_one_double_off(variable: str, left: set[str]) -> None:
    assert doubles({variable: "x"}) == left


def test_an_empty_variable_is_as_good_as_unset() -> None:
    assert doubles({"GRAPH_TENANT_ID": ""}) == {"graph", "monday", "zapier"}


def test_a_real_service_gets_nothing_of_its_double() -> None:
    environment = compute({"GRAPH_TENANT_ID": "t"})
    assert "GRAPH_BASE_URL" not in environment
    assert environment["MONDAY_API_URL"] == SANDBOX["MONDAY_API_URL"]


@pytest.mark.parametrize(
    "name",
    ["GRAPH_TENANT_ID", "MONDAY_EMAIL_COLUMN", "MODEL_NAME", "PUBLISH_SETTLE_SECONDS",
     "QUEUE_LEASE_SECONDS", "LINK_ALLOW_LIST", "REPLY_SIGNATURE", "UI_URL", "SWARM_KEY_SECRET",
     "AUTO_SEND_ENABLED", "PATH", "HOME", "SSL_CERT_FILE", "HTTPS_PROXY"],
)  # fmt: skip
def test_a_setting_of_ours_and_what_the_machine_needs_pass_as_the_user_set_them(name: str) -> None:
    assert compute({name: "the user's"})[name] == "the user's"


@pytest.mark.parametrize(
    "name",
    ["CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_CONFIG_MODULE", "DAGSTER_HOME",
     "DAGSTER_HOST", "DAGSTER_POSTGRES_URL", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONOPTIMIZE",
     "PYTHONWARNINGS", "PGSERVICE", "PGHOST", "PGOPTIONS", "LC_ALL", "LC_MESSAGES", "TZ",
     "LANGCHAIN_TRACING_V2", "SWARM_DOUBLES_URL", "DJANGO_SETTINGS_MODULE", "LD_PRELOAD"],
)  # fmt: skip
def test_another_projects_variable_stays_outside(name: str) -> None:
    assert compute({name: "another project's"}).get(name) != "another project's"


def test_the_broker_is_a_folder_unless_the_house_names_one() -> None:
    assert compute({})["CELERY_BROKER_URL"] == "filesystem://"
    assert compute({"SWARM_BROKER_URL": "redis://b/0"})["CELERY_BROKER_URL"] == "redis://b/0"


def test_a_lone_worker_needs_two_addresses_and_no_variable_of_dagsters_or_celerys() -> None:
    user = {"DATABASE_URL": "postgres://app:p@db/swarm", "SWARM_BROKER_URL": "redis://b/0"}
    given = lone_worker_environment(user, HOME)
    assert given["DATABASE_URL"] == "postgresql://app:p@db/swarm"
    assert given["DAGSTER_POSTGRES_URL"] == "postgresql+psycopg2://app:p@db/swarm"
    assert given["CELERY_BROKER_URL"] == "redis://b/0"
    assert given["DAGSTER_HOME"] == str(HOME.dagster)
    assert given["LANGSMITH_TRACING"] == "false"


def test_how_to_log_in_passes_only_to_a_server_the_user_names() -> None:
    assert "PGPASSWORD" not in compute({"PGPASSWORD": "p"})
    assert compute({"PGPASSWORD": "p", "DATABASE_URL": "x"})["PGPASSWORD"] == "p"


def test_tracing_and_telemetry_are_off_and_strict_mode_is_on() -> None:
    environment = compute({})
    assert environment["LANGSMITH_TRACING"] == "false"
    assert environment["LANGGRAPH_STRICT_MSGPACK"] == "true"
    assert environment["DAGSTER_DISABLE_TELEMETRY"] == "yes"
    assert environment["AUTO_SEND_ENABLED"] == "false"


def test_the_database_is_named_in_both_spellings() -> None:
    environment = compute({})
    assert environment["DATABASE_URL"] == "postgresql://app:secret@db:5432/swarm"
    assert environment["DAGSTER_POSTGRES_URL"] == "postgresql+psycopg2://app:secret@db:5432/swarm"


def test_the_description_keeps_settings_and_leaves_the_users_shell_out() -> None:
    user = {"PATH": "/bin", "AWS_TOKEN": "private", "MONDAY_TOKEN": "t", "DATABASE_URL": "x"}
    kept = described(compute(user), user)
    assert kept["MONDAY_TOKEN"] == "t"
    assert kept["SWARM_KEY_SECRET"] == "k" * 64
    assert "PATH" not in kept
    assert "AWS_TOKEN" not in kept


def test_home_is_absolute_and_defaults_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert home_of({}).root == tmp_path / ".swarm"
    assert home_of({"SWARM_HOME": "/srv/x"}).root == Path("/srv/x")


def test_no_other_login_of_the_database_reaches_a_service() -> None:
    """Who replays, judges, audits or migrates is handed its own, apart."""
    names = ("REPLAY_", "GATES_", "KEEPER_", "OWNER_")
    user = {f"{name}DATABASE_URL": "postgresql://x:y@db/swarm" for name in names}
    assert not any(name in compute({**user, "DATABASE_URL": "x"}) for name in user)
