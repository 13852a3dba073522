"""Do this home, this database and these services belong together? Asked by every ``swarm up``.

The home is asked before anything is started, the database before anything is changed in it. What
differs refuses to start, with what helps; what may differ (a model, other boards) is said and
remembered. What lives elsewhere: moving on purpose (``adoption``), the same question in programs
started alone (``swarm.store.world_rows``, ``swarm.store.home_world``).
"""

from collections.abc import Iterator, Sequence

from swarm.errors import RefusedError
from swarm.installation.home import Home
from swarm.settings import Settings
from swarm.store import home_world, world_rows
from swarm.store.database import Connection, Database
from swarm.store.home_world import HomeWorld
from swarm.store.world import Change, Service, changes, key_sha256, places, sentence

OTHER_HOME = "this database belongs to another SWARM_HOME"
OTHER_DATABASE = "this SWARM_HOME belongs to another database"
OTHER_SECRET = "its work orders are named with another SWARM_KEY_SECRET"  # noqa: S105 - a sentence

_HINT = (
    "give the new services a home (and database) of their own: `swarm home new DIR`, then"
    " SWARM_HOME=DIR; or unset what changed to go on as before; or, if this home is to move there"
    " for good, `swarm up --adopt`: it closes what is open here and gives publishing to today's"
    " path"
)


def require_home(home: Home, settings: Settings) -> None:
    """Raise ``RefusedError`` when the services are not those this home has lived with."""
    _refuse(home, home_differences(home, settings))


def home_differences(home: Home, settings: Settings) -> tuple[Change, ...]:
    """Return what forbids to go on, as far as the home remembers."""
    known = home_world.read(home.root)
    found = changes(known.by_service, places(settings)) if known else ()
    return tuple(change for change in found if change.refused)


def require_database(home: Home, settings: Settings, database: Database) -> None:
    """Raise ``RefusedError`` when the database belongs to another home, secret or services."""
    with database.transaction() as connection:
        found = tuple(database_differences(connection, home, settings))
    _refuse(home, found)


def database_differences(
    connection: Connection, home: Home, settings: Settings
) -> Iterator[Change | str]:
    """Yield what forbids to go on, as far as the database remembers; it may be an old one."""
    if not world_rows.knows_worlds(connection):
        return
    known, ours = world_rows.identity(connection), home_world.read_or_new(home.root)
    if known.key_sha256 not in (
        None,
        key_sha256(settings.core.swarm_key_secret.get_secret_value()),
    ):
        yield OTHER_SECRET
    if known.home_id not in (None, ours.home_id):
        yield OTHER_HOME
    if ours.database_id not in (None, known.database_id):
        yield OTHER_DATABASE
    found = changes(world_rows.remembered(connection), places(settings))
    yield from (change for change in found if change.refused)


def remember(home: Home, settings: Settings, database: Database, *, actor: str) -> Sequence[str]:
    """Keep in database and home where everything is now; returns what changed harmlessly, in words.

    Call it after both were asked: what is remembered otherwise and forbids to go on stays.
    """
    here = places(settings)
    world = home_world.read_or_new(home.root)
    with database.transaction() as connection:
        world_rows.claim_identity(
            connection, world.home_id, settings.core.swarm_key_secret.get_secret_value()
        )
        world_rows.remember(connection, here)
        moved = changes(world_rows.remembered(connection), here)
        world_rows.move(connection, (c for c in moved if not c.refused), actor=actor)
        world_rows.resolve_other_world(connection)
        identity = world_rows.identity(connection)
    kept = tuple(here[service] for service in Service)
    home_world.write(
        home.root,
        HomeWorld(home_id=world.home_id, database_id=identity.database_id, places=kept),
    )
    return [str(change) for change in moved if not change.refused]


def _refuse(home: Home, found: Sequence[Change | str]) -> None:
    if found:
        raise RefusedError(f"{home.root} lives in another world: {sentence(found)}", hint=_HINT)
