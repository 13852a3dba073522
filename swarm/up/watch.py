"""What ``swarm up`` does once everything runs: keep it so, show it, notice the end and tell it."""

import subprocess
import time

from swarm.errors import DatabaseError
from swarm.store.database import Database
from swarm.store.roles import Role
from swarm.up.idle import Idle
from swarm.up.logs import keep_bounded
from swarm.up.processes import python
from swarm.up.progress import Picture, look
from swarm.up.session import Session
from swarm.up.view import caption

_LOOK_SECONDS = 1.0


def watch(session: Session, mails_fed: int) -> bool:
    """Watch until interrupted, or with ``until_idle`` until all is done.

    Returns whether all was done; False: the time ran out. ``KeyboardInterrupt`` passes through.
    """
    database = Database(session.environment["DATABASE_URL"], max_connections=2, timeout=2.0)
    idle = Idle(session.home, database, mails_fed)
    deadline = time.monotonic() + session.options.timeout
    try:
        while True:
            session.poll()
            keep_bounded(session.home)
            done = _look(session, database, idle)
            if session.options.until_idle and done:
                return True
            if session.options.until_idle and time.monotonic() >= deadline:
                session.screen.say(
                    f"not idle after {session.options.timeout:g} s, waiting for {idle.waiting_for}"
                )
                return False
            session.sleep(_LOOK_SECONDS)
    finally:
        database.close()


def conclude(session: Session, *, all_final: bool) -> int:
    """Print what became of the work orders and audit them; returns the exit code.

    0: every work order is final and the audit is clean; 1: otherwise.
    """
    database = Database(session.logins.url(Role.KEEPER), max_connections=2)
    try:
        picture = look(database)
    finally:
        database.close()
    session.screen.say(caption(picture))
    for line in picture.lines:
        session.screen.say(f"  {line.key}  {line.state.value:<10}  {line.why}")
    clean = _audited(session)
    return 0 if all_final and clean else 1


def _audited(session: Session) -> bool:
    """Let the command audit: what it loads would lie in this process from its start on."""
    done = subprocess.run(  # noqa: S603 - argv is ours
        python("swarm.cli", "audit"),
        env=session.commands_environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    for sentence in done.stdout.splitlines():
        session.screen.say(sentence)
    return done.returncode == 0


def _look(session: Session, database: Database, idle: Idle) -> bool:
    """Show the present picture; True when nothing is left to do."""
    try:
        picture: Picture = look(database)
        session.screen.show(picture)
        return session.options.until_idle and idle.reached(picture)
    except DatabaseError:
        return False  # the supervisor is bringing it back; the table stays as it was
