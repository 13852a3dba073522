"""The environment of every child, computed once. Pure functions over the user's own environment.

The rule: a variable the user set is never overwritten. The double of a service is used as long as
the user set none of that service's variables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swarm.installation.home import Home
from swarm.installation.urls import libpq_url, sqlalchemy_url

PREFIXES: Mapping[str, str] = {"graph": "GRAPH_", "monday": "MONDAY_", "zapier": "ZAPIER_"}
"""Service -> prefix of its variables; each has a double in the sandbox."""

MODEL_PREFIX = "MODEL_"
"""Set any of these and a chat model does the thinking; unset means the ``rules`` specialist."""

SANDBOX_URL = "SWARM_SANDBOX_URL"
"""Where the doubles are steered, for ``swarm submit``; absent where Graph is real."""

DOUBLES_URL = "SWARM_DOUBLES_URL"
"""Where whatever is doubled answers: how a program tells a double from the real service."""

_FIXED = {
    # Customer mail must not leave; langsmith comes along and switches itself on by environment.
    "LANGSMITH_TRACING": "false",
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    # 50 events a write: 49 ms instead of 217 ms per partition.
    "DAGSTER_EVENT_BATCH_SIZE": "50",
    "AUTO_SEND_ENABLED": "false",
    "PYTHONUNBUFFERED": "1",
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where this installation answers."""

    database_url: str
    ui_port: int


def doubles(user: Mapping[str, str]) -> frozenset[str]:
    """Name the services whose double is used: those without a single variable of their own."""
    return frozenset(
        service
        for service, prefix in PREFIXES.items()
        if not any(name.startswith(prefix) and value for name, value in user.items())
    )


def sandbox_part(variables: Mapping[str, str], used: frozenset[str]) -> dict[str, str]:
    """Keep of the sandbox's variables those of the services whose double is used."""
    prefixes = tuple(PREFIXES[service] for service in used)
    return {name: value for name, value in variables.items() if name.startswith(prefixes)}


def children_environment(
    user: Mapping[str, str],
    home: Home,
    addresses: Addresses,
    secret: str,
    sandbox: Mapping[str, str],
) -> dict[str, str]:
    """Return the children's whole environment: ours below, the user's on top, URLs converted."""
    url = libpq_url(addresses.database_url)
    ours = {
        **_FIXED,
        **sandbox,
        "SWARM_KEY_SECRET": secret,
        "UI_URL": f"http://127.0.0.1:{addresses.ui_port}",
        "CELERY_BROKER_DIR": str(home.broker),
        "CELERY_BROKER_URL": "filesystem://",
    }
    forced = {
        "SWARM_HOME": str(home.root),
        "DATABASE_URL": url,
        "DAGSTER_HOME": str(home.dagster),
        "DAGSTER_POSTGRES_URL": sqlalchemy_url(url),
    }
    return {**ours, **{k: v for k, v in user.items() if v}, **forced}


def described(environment: Mapping[str, str], user: Mapping[str, str]) -> dict[str, str]:
    """Return what another command of ours needs to find this installation: what ``up`` added, and
    the user's settings of ours; not the rest of the user's shell.
    """
    names = (*PREFIXES.values(), MODEL_PREFIX, "PUBLISH_", "QUEUE_")
    return {
        name: value
        for name, value in environment.items()
        if user.get(name) != value or name.startswith(names) or name in _SETTINGS
    }


_SETTINGS = frozenset(
    {"SWARM_HOME", "DATABASE_URL", "SWARM_KEY_SECRET", "UI_URL", "LINK_ALLOW_LIST", *_FIXED}
    | {"REPLY_SIGNATURE"}
)


def home_of(user: Mapping[str, str]) -> Home:
    """Return the home the environment names (``SWARM_HOME``, default ``.swarm``), made absolute."""
    return Home(Path(user.get("SWARM_HOME") or ".swarm").absolute())
