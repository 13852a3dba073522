"""What the database needs before the programs start: our tables, Dagster's tables, a publisher."""

import subprocess

from swarm.errors import TransientError
from swarm.publishing.control import PublisherName
from swarm.publishing.switch.commands import appoint_initial
from swarm.store.database import Database
from swarm.store.database_errors import in_our_words
from swarm.store.migrate import migrate
from swarm.up.processes import python
from swarm.up.session import Session

_ACTOR = "swarm up"


def bring_up_to_date(session: Session) -> None:
    """Apply our migrations; raises a ``DatabaseError`` when Postgres is away or refuses."""
    with in_our_words():
        applied = migrate(session.environment["DATABASE_URL"])
    if applied:
        session.screen.say(f"database brought up to date: {', '.join(applied)}")


def appoint_publisher(session: Session) -> None:
    """Decide who publishes in a fresh database; later starts change nothing.

    With the sandbox's hook nothing can go wrong, so swarm publishes. With a real hook today's path
    keeps the right until a cutover, which needs a certificate.
    """
    doubled = "zapier" in session.doubles
    publisher = PublisherName.SWARM if doubled else PublisherName.LEGACY
    reason = "sandbox" if doubled else "a real hook: today's path publishes until the cutover"
    database = Database(session.environment["DATABASE_URL"], max_connections=1)
    try:
        now = appoint_initial(database, publisher, actor=_ACTOR, reason=reason)
    finally:
        database.close()
    session.screen.say(f"publisher: {now.active} ({now.reason})")


def prepare_dagster(session: Session) -> None:
    """Create or migrate Dagster's tables once, before several processes would race to do it."""
    log = session.home.logs / "dagster-migrate.log"
    with log.open("ab") as output:
        done = subprocess.run(  # noqa: S603 - argv is ours
            python("dagster", "instance", "migrate"),
            env=session.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise TransientError("Dagster's tables could not be prepared", hint=f"see {log}")
