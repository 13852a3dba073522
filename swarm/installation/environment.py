"""The environment of every child, computed once. Pure functions over the user's own environment.

The rule: of the user's shell our own settings and what the machine needs pass, and are never
overwritten. The double of a service is used as long as the user set none of its variables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swarm.installation.home import Home
from swarm.installation.logins import VARIABLES
from swarm.installation.urls import libpq_url, sqlalchemy_url
from swarm.settings import is_setting
from swarm.surroundings import LIBPQ_KEPT, ONE_THREAD, PROXIES, SILENT

PREFIXES: Mapping[str, str] = {"graph": "GRAPH_", "monday": "MONDAY_", "zapier": "ZAPIER_"}
"""Service -> prefix of its variables; each has a double in the sandbox."""

SANDBOX_URL = "SWARM_SANDBOX_URL"
"""Where the doubles are steered, for ``swarm submit``; absent where Graph is real."""

DOUBLES_URL = "SWARM_DOUBLES_URL"
"""Where whatever is doubled answers: how a program tells a double from the real service."""

_FIXED = {
    # Customer mail must not leave, whatever the user's shell says.
    **SILENT,
    **ONE_THREAD,
    # 50 events a write: 49 ms instead of 217 ms per partition.
    "DAGSTER_EVENT_BATCH_SIZE": "50",
    "PYTHONUNBUFFERED": "1",
    # Nothing that lies in a working folder may stand in for a module.
    "PYTHONSAFEPATH": "1",
    # Of the user's the locale may not be installed (initdb fails) and the zone may not exist.
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
}

KNOWLEDGE_DIR = "KNOWLEDGE_DIR"

_OTHER_LOGINS = frozenset(VARIABLES.values())
"""A service knows its own login to the database and no other; who needs one is handed it apart."""

_MACHINE = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH",
     "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NO_PROXY", "no_proxy"}
    | {each for proxy in PROXIES for each in (proxy, proxy.lower())}
)  # fmt: skip
"""What programs need of the user's shell beside our settings; everything else stays outside."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where this installation answers."""

    database_url: str
    ui_port: int
    desk_port: int
    metrics_port: int


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
    """Return the children's whole environment: what passes of the user's, our own, URLs converted.

    Of the user's only what the machine needs and our own settings pass: a shell is full of other
    projects' ``CELERY_BROKER_URL``, ``PGSERVICE``, ``DAGSTER_HOME`` and ``PYTHONPATH``.
    """
    url = libpq_url(addresses.database_url)
    ours = {
        **sandbox,
        "AUTO_SEND_ENABLED": "false",
        "SWARM_KEY_SECRET": secret,
        "UI_URL": f"http://127.0.0.1:{addresses.ui_port}",
        "DESK_URL": f"http://127.0.0.1:{addresses.desk_port}",
        "METRICS_URL": f"http://127.0.0.1:{addresses.metrics_port}",
    }
    forced = {
        **_FIXED,
        DOUBLES_URL: sandbox.get(DOUBLES_URL, ""),
        **_of_workers(user, home, url),
    }
    theirs = {name: v for name, v in user.items() if v and _passes(name, user)}
    if named := theirs.get(KNOWLEDGE_DIR):  # our programs have a working folder of their own
        theirs[KNOWLEDGE_DIR] = str(Path(named).absolute())
    return {**ours, **theirs, **forced}


def knowing_nothing(environment: Mapping[str, str]) -> dict[str, str]:
    """Keep of a child's environment what the machine needs: no login, no key, no setting."""
    return {n: v for n, v in environment.items() if n in _MACHINE or n in _FIXED}


def lone_worker_environment(user: Mapping[str, str], home: Home) -> dict[str, str]:
    """Return what a worker on a host without ``swarm up`` needs beside the user's settings.

    Raises ``ConfigurationError`` when ``DATABASE_URL`` is no Postgres URL.
    """
    return {**_FIXED, **_of_workers(user, home, libpq_url(user.get("DATABASE_URL", "")))}


def _of_workers(user: Mapping[str, str], home: Home, url: str) -> dict[str, str]:
    """How launcher and workers reach each other, the database and Dagster's settings."""
    return {
        "CELERY_BROKER_DIR": str(home.broker),
        "CELERY_BROKER_URL": user.get("SWARM_BROKER_URL") or "filesystem://",
        "SWARM_HOME": str(home.root),
        "DATABASE_URL": url,
        "DAGSTER_HOME": str(home.dagster),
        "DAGSTER_POSTGRES_URL": sqlalchemy_url(url),
    }


def _passes(name: str, user: Mapping[str, str]) -> bool:
    if name in _OTHER_LOGINS:
        return False
    if name in LIBPQ_KEPT:  # how to log in to a server the user names, not to the embedded one
        return bool(user.get("DATABASE_URL"))
    return name in _MACHINE or is_setting(name)


def described(environment: Mapping[str, str], user: Mapping[str, str]) -> dict[str, str]:
    """Return what another command of ours needs to find this installation: what ``up`` added, and
    the user's settings of ours; not the rest of the user's shell.
    """
    return {
        name: value
        for name, value in environment.items()
        if is_setting(name) or (user.get(name) != value and name not in _MACHINE | {*_FIXED})
    }


def home_of(user: Mapping[str, str]) -> Home:
    """Return the home the environment names (``SWARM_HOME``, default ``.swarm``), made absolute."""
    return Home(Path(user.get("SWARM_HOME") or ".swarm").absolute())
