"""The world as the database remembers it: the tables ``installation`` and ``installation_places``.

Asked before anything is enqueued, looked for or claimed, in the claim's own transaction too; so no
program, however it was started, takes what was made in one world into another. Whoever comes first
is remembered. What lives elsewhere: nouns (``world``), changing it (``installation.adoption``).
"""

import hashlib
import logging
from collections.abc import Callable, Iterable

from swarm.errors import RefusedError
from swarm.models import Noun
from swarm.settings import Settings
from swarm.store.alerts import raise_growing, resolve_kind
from swarm.store.database import Connection, table_exists
from swarm.store.world import (
    ACTED_ON,
    REMEDY,
    Change,
    Places,
    Service,
    ServicePlace,
    changes,
    key_sha256,
    places,
    sentence,
)

log = logging.getLogger(__name__)

OTHER_WORLD = "installation.other_world"

_READ = "SELECT service, kind, label, sha256 FROM installation_places"

_REMEMBER = """
INSERT INTO installation_places (service, kind, label, sha256, world)
VALUES (%(service)s, %(kind)s, %(label)s, %(sha256)s, swarm.current_world())
ON CONFLICT (service) DO NOTHING
"""

# An installation from before these tables knows a kind without an address.
_COMPLETE = """
UPDATE installation_places SET label = %(label)s, sha256 = %(sha256)s
 WHERE service = %(service)s AND kind = %(kind)s AND sha256 IS NULL
"""

_MOVE = """
UPDATE installation_places
   SET kind = %(kind)s, label = %(label)s, sha256 = %(sha256)s, since = now()
 WHERE service = %(service)s
"""

# The first home and the first secret stay until another is adopted.
_CLAIM_IDENTITY = """
UPDATE installation
   SET home_id = coalesce(home_id, %(home_id)s), key_sha256 = coalesce(key_sha256, %(key)s)
 WHERE id = 1 AND (home_id IS NULL OR key_sha256 IS NULL)
"""

_NOTE = """
INSERT INTO installation_history (world, what, actor) VALUES (swarm.current_world(), %s, %s)
"""

_IDENTITY = """
SELECT database_id::text AS database_id, home_id, key_sha256, world FROM installation WHERE id = 1
"""


class Identity(Noun):
    """Who this database is, and whose."""

    database_id: str
    home_id: str | None
    key_sha256: str | None
    world: int


def knows_worlds(connection: Connection) -> bool:
    """Whether this database is new enough to remember anything; asked before it is migrated."""
    return table_exists(connection, "swarm.installation")


def identity(connection: Connection) -> Identity:
    """Return who this database is, and whose."""
    return Identity.model_validate(connection.execute(_IDENTITY).fetchone())


def remembered(connection: Connection) -> dict[Service, ServicePlace]:
    """Return where each service was; one that was never used is missing."""
    rows = [ServicePlace.model_validate(row) for row in connection.execute(_READ)]
    return {place.service: place for place in rows}


def remember(connection: Connection, present: Places) -> None:
    """Remember each service that is not remembered yet; what is known already stays."""
    for place in present.values():
        row = place.model_dump()
        connection.execute(_REMEMBER, row)
        connection.execute(_COMPLETE, row)


def move(connection: Connection, found: Iterable[Change], *, actor: str) -> None:
    """Remember services where they are now, each with a line of history."""
    for change in found:
        connection.execute(_MOVE, change.after.model_dump())
        note(connection, str(change), actor=actor)


def claim_identity(connection: Connection, home_id: str, secret: str) -> None:
    """Remember the home and the secret of the keys, unless some are remembered already."""
    connection.execute(_CLAIM_IDENTITY, {"home_id": home_id, "key": key_sha256(secret)})


def note(connection: Connection, what: str, *, actor: str) -> None:
    """Append a line to the history of this installation."""
    connection.execute(_NOTE, (what, actor))


def other_mailbox(connection: Connection, present: Places) -> tuple[Change, ...]:
    """Return how the mailbox (and no more) differs: not every program is given the real hook."""
    known = remembered(connection)
    return changes({s: p for s, p in known.items() if s is Service.MAILBOX}, present)


def at_home(settings: Settings) -> Callable[[Connection], bool]:
    """Return the question every publisher asks in its transactions: is this still our world?

    False is logged and alerted, with the services by name: one alert for each foreign world, which
    counts its tries and so is told again while they go on.
    """
    here = {service: place for service, place in places(settings).items() if service in ACTED_ON}

    def ask(connection: Connection) -> bool:
        known = remembered(connection)
        if any(known.get(s) is None or known[s].sha256 is None for s in here):
            remember(connection, here)
            known = remembered(connection)
        different = changes(known, here)
        if different:
            why = f"a program with another world may not publish: {sentence(different)}"
            log.warning("%s", why)
            raise_growing(connection, OTHER_WORLD, _name_of(here), why)
        return not different

    return ask


def _name_of(here: Places) -> str:
    """Name a world that is not ours: by a hash, since a hook's address is a secret."""
    known = "".join(f"{place.service}{place.kind}{place.sha256}" for place in here.values())
    return f"publishing:{hashlib.sha256(known.encode()).hexdigest()[:8]}"


def resolve_other_world(connection: Connection) -> int:
    """Settle the alerts, returns how many: an installation started in its own world."""
    return resolve_kind(connection, OTHER_WORLD)


def require_own(connection: Connection, settings: Settings, home_database: str | None) -> None:
    """Raise ``RefusedError`` when a program would mix two installations.

    That is: another secret for the keys, another mailbox, or a home that belongs to another
    database (``home_database``: the one it remembers).
    """
    known = identity(connection)
    secret = key_sha256(settings.core.swarm_key_secret.get_secret_value())
    found: list[Change | str] = list(other_mailbox(connection, places(settings)))
    if known.key_sha256 not in (None, secret):
        found.append("SWARM_KEY_SECRET is not the one this database's work orders are named with")
    if home_database not in (None, known.database_id):
        found.append("SWARM_HOME belongs to another database than DATABASE_URL")
    if found:
        raise RefusedError(f"this is another world: {sentence(found)}", hint=REMEDY)
