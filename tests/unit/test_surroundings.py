"""What the shell around a program does not decide."""

import pytest

from swarm.surroundings import SILENT, settle


def settled(**shell: str) -> dict[str, str]:
    environment = dict(shell)
    settle(environment)
    return environment


@pytest.mark.parametrize(
    "name",
    [
        "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGSMITH_ENDPOINT",
        "LANGSMITH_RUNS_ENDPOINTS",
        "LANGSMITH_OTEL_ENABLED", "LANGCHAIN_API_KEY", "OTEL_EXPORTER_OTLP_ENDPOINT", "SENTRY_DSN",
        "LANGFUSE_HOST", "DD_AGENT_HOST", "OPENAI_LOG", "GRPC_TRACE", "PGSERVICE", "PGHOST",
        "PGOPTIONS", "PGTARGETSESSIONATTRS", "PGSERVER_POSTGRES_VERSION",
    ],
)  # fmt: skip
def test_a_variable_that_would_trace_or_lead_elsewhere_is_gone(name: str) -> None:
    assert settled(**{name: "true"}).get(name) in (None, SILENT.get(name, "never"))


def test_tracing_is_off_under_every_name_whatever_the_shell_says() -> None:
    environment = settled(**dict.fromkeys(SILENT, "true"))
    assert {name: environment[name] for name in SILENT} == SILENT


def test_what_proves_who_one_is_stays() -> None:
    kept = {"PGPASSWORD": "p", "PGSSLROOTCERT": "/ca.pem", "PATH": "/bin"}
    assert kept.items() <= settled(**kept).items()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_loopback_is_never_asked_by_proxy(name: str) -> None:
    environment = settled(
        **{name: "http://proxy:3128", "NO_PROXY": "intra.example, fd00::/8,[::1]"}
    )
    assert environment[name] == "http://proxy:3128"
    for spared in ("NO_PROXY", "no_proxy"):
        assert environment[spared].split(",") == ["intra.example", "::1", "localhost", "127.0.0.1"]


@pytest.mark.parametrize("proxy", ["socks5://h:1080", "socks4a://h", "ftp://h", "junk://h"])
def test_a_proxy_no_client_of_ours_can_use_is_left_out(proxy: str) -> None:
    environment = settled(ALL_PROXY=proxy, all_proxy=proxy)
    assert "ALL_PROXY" not in environment
    assert "all_proxy" not in environment


def test_settling_twice_changes_nothing() -> None:
    once = settled(HTTP_PROXY="http://p", NO_PROXY="a", LANGSMITH_TRACING="true", PGHOST="h")
    twice = dict(once)
    settle(twice)
    assert twice == once


def test_a_library_of_numbers_works_in_one_thread_whatever_the_shell_says() -> None:
    environment = {"OPENBLAS_NUM_THREADS": "8"}
    settle(environment)
    assert environment["OPENBLAS_NUM_THREADS"] == environment["OMP_NUM_THREADS"] == "1"
