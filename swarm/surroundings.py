"""What the shell around a program must not decide, put right before anything else is imported.

Called by ``swarm/__init__.py``, hence by every program of ours and by Dagster's and Celery's as
soon as they load anything of ours; nothing of langchain, langgraph or libpq has looked by then.
The children of ``swarm up`` get an allow-list besides (``swarm.installation.environment``).

- Tracers would post whole mails to whoever the shell names. langsmith comes with langchain and
  switches itself on by environment, under two families of names; the others are here because a
  plug-in or a ``sitecustomize`` may read them. Loggers of whole requests are of the same kind.
- libpq fills in whatever a URL leaves open: ``PGSERVICE``, ``PGPORT`` or ``PGOPTIONS`` of another
  project would lead to another database. Passwords and certificates stay.
- A proxy between two programs of one machine answers for neither.
- Libraries of numbers would start a thread a core in every worker.
"""

from collections.abc import MutableMapping
from importlib.util import find_spec
from typing import Final

TRACERS: Final = (
    "LANGSMITH_", "LANGCHAIN_", "LANGFUSE_", "OTEL_", "SENTRY_", "DD_", "DATADOG_", "NEW_RELIC_",
    "HONEYCOMB_", "PHOENIX_", "ARIZE_", "WANDB_", "OPIK_", "COMET_", "HELICONE_", "TRACELOOP_",
    "MLFLOW_", "BRAINTRUST_", "LOGFIRE_", "ELASTIC_APM_", "LANGTRACE_", "AGENTOPS_", "LUNARY_",
    "LITERAL_", "TRULENS_", "WEAVE_", "HOSTED_LANGSERVE_",
)  # fmt: skip
"""Prefixes of variables that switch a tracer on, or tell it where to."""

TALKERS: Final = ("OPENAI_LOG", "ANTHROPIC_LOG", "GRPC_TRACE", "GRPC_VERBOSITY")
"""Variables that make a library log whole requests."""

SILENT: Final = {
    "LANGSMITH_TRACING": "false",
    "LANGSMITH_TRACING_V2": "false",
    "LANGCHAIN_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "OTEL_SDK_DISABLED": "true",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "DO_NOT_TRACK": "1",
    "ORT_DISABLE_TELEMETRY": "1",  # the pinned version has none; later ones post to Microsoft
    "LANGGRAPH_STRICT_MSGPACK": "true",  # a checkpoint is data, never code
}

ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Workers share the cores already: threads of a library spin against theirs (a mail through all
stages took 264 ms of CPU on two cores, and takes 32)."""

LIBPQ_KEPT: Final = frozenset(
    {"PGPASSWORD", "PGPASSFILE", "PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGSSLCRL"}
)
"""What says how to prove who one is, not where to go."""

PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def settle(environment: MutableMapping[str, str]) -> None:
    """Put the environment right; calling it again changes nothing."""
    for name in [name for name in environment if _unwanted(name)]:
        del environment[name]
    environment.update(SILENT | ONE_THREAD)
    _settle_proxies(environment)


def _unwanted(name: str) -> bool:
    if name in SILENT:
        return False
    libpq = name.startswith("PG") and name.isupper() and name not in LIBPQ_KEPT
    return libpq or name in TALKERS or name.startswith(TRACERS)


def _settle_proxies(environment: MutableMapping[str, str]) -> None:
    """Keep the company's proxy for the outside; one that httpx cannot use would end the program."""
    names = [each for proxy in PROXIES for each in (proxy, proxy.lower()) if each in environment]
    for name in names:
        environment[name] = environment[name].strip()
        if not _usable(environment[name]):
            del environment[name]
    if any(environment.get(name) for name in names):
        environment["NO_PROXY"] = environment["no_proxy"] = ",".join(_spared(environment))


def _usable(proxy: str) -> bool:
    """SOCKS needs a package that is not part of this one."""
    scheme, separator, _ = proxy.lower().partition("://")
    socks = scheme in ("socks5", "socks5h") and find_spec("socksio") is not None
    return not separator or scheme in ("http", "https") or socks


def _spared(environment: MutableMapping[str, str]) -> list[str]:
    """Return who is spared the proxy. httpx dies of networks (``fd00::/8``) and of brackets."""
    given = f"{environment.get('no_proxy', '')},{environment.get('NO_PROXY', '')}".split(",")
    names = (name.strip().strip("[]") for name in given)
    return list(dict.fromkeys((*(n for n in names if n and "/" not in n), *_LOOPBACK)))
