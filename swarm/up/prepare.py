"""What the database needs before the programs start: our tables, Dagster's tables, a publisher."""

from contextlib import closing

from swarm.errors import ConfigurationError, TransientError
from swarm.installation.adoption import adopt
from swarm.installation.membership import remember, require_database
from swarm.installation.urls import sqlalchemy_url
from swarm.publishing.control import PublisherName
from swarm.publishing.switch.commands import appoint_initial
from swarm.settings import Settings
from swarm.store.database import Database
from swarm.store.database_errors import in_our_words
from swarm.store.migrate import lay_down_rights, may_migrate, migrate, pending, require_known
from swarm.store.roles import Role
from swarm.up.connections import require_connections
from swarm.up.processes import Program, python
from swarm.up.session import Session

_ACTOR = "swarm up"
_TABLES_SECONDS = 300.0  # an index over a long event log may be among the changes


def require_one_world(session: Session, settings: Settings) -> None:
    """Refuse, before anything is changed in it, a database of another home or other services."""
    if session.options.adopt:
        return
    # A service may look into nothing yet in a database from before the roles.
    with closing(_alone(session, Role.OWNER)) as database:
        require_database(session.home, settings, database)


def settle_world(session: Session, settings: Settings) -> None:
    """Move to other services if that is asked for, and remember in which world we are."""
    with closing(_alone(session)) as database:
        if session.options.adopt:
            adopted = adopt(session.home, settings, database, actor=f"{_ACTOR} --adopt")
            session.screen.say(str(adopted or "nothing to adopt: these are this home's services"))
        for change in remember(session.home, settings, database, actor=_ACTOR):
            session.screen.say(change)


def _alone(session: Session, role: Role = Role.WORKER) -> Database:
    return Database(session.logins.url(role), max_connections=1)


def bring_up_to_date(session: Session) -> None:
    """Apply our migrations, once the server is known to have a connection for everybody.

    Raises a ``DatabaseError`` when Postgres is away or refuses, ``ConfigurationError`` when it is
    too small for the workers asked for, or when the login may not change its tables and must.
    """
    url = session.logins.url(Role.OWNER)
    with in_our_words():
        session.screen.say(require_connections(url, session.options.all_workers))
        if not may_migrate(url):
            _require_up_to_date(url)
            return
        applied = migrate(url)
    if applied:
        session.screen.say(f"database brought up to date: {', '.join(applied)}")


def _require_up_to_date(url: str) -> None:
    require_known(url)
    waiting = pending(url)
    if waiting:
        raise ConfigurationError(
            f"the database must be brought up to date ({', '.join(waiting)}), and the role of"
            " DATABASE_URL may not",
            hint="set OWNER_DATABASE_URL, see docs/database-roles.md",
        )


def appoint_publisher(session: Session) -> None:
    """Decide who publishes in a fresh database; later starts change nothing.

    With the sandbox's hook nothing can go wrong, so swarm publishes. With a real hook today's path
    keeps the right until a cutover, which needs a certificate.
    """
    doubled = "zapier" in session.doubles
    publisher = PublisherName.SWARM if doubled else PublisherName.LEGACY
    reason = "sandbox" if doubled else "a real hook: today's path publishes until the cutover"
    with closing(_alone(session)) as database:
        now = appoint_initial(database, publisher, actor=_ACTOR, reason=reason)
    session.screen.say(f"publisher: {now.active} ({now.reason})")


def prepare_dagster(session: Session) -> None:
    """Create or migrate Dagster's tables once, before several processes would race to do it."""
    owner = session.logins.url(Role.OWNER)
    with in_our_words():
        if not may_migrate(owner):
            return
    given = {**session.environment, "DAGSTER_POSTGRES_URL": sqlalchemy_url(owner)}
    program = session.forked(
        Program("dagster-tables", python("swarm_assets.runtime.dagster_tables"), given)
    )
    if session.supervisor.run(program, _TABLES_SECONDS, session.poll):
        log = session.home.logs / f"{program.name}.log"
        raise TransientError("Dagster's tables could not be prepared", hint=f"see {log}")
    with in_our_words():
        lay_down_rights(owner)
