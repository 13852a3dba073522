"""How ``swarm up --until-idle`` ends: a table of what became of every mail, and the audit."""

from swarm.observe.audit.installation import audit_installation, sentences
from swarm.settings import load_settings
from swarm.store.database import Database
from swarm.up.progress import look
from swarm.up.session import Session
from swarm.up.view import caption


def conclude(session: Session, *, all_final: bool) -> int:
    """Print what became of the work orders and audit them; returns the exit code.

    0: every work order is final and the audit is clean; 1: otherwise.
    """
    settings = load_settings()
    database = Database(settings.core.database_url.get_secret_value(), max_connections=2)
    try:
        picture = look(database)
        session.screen.say(caption(picture))
        for line in picture.lines:
            session.screen.say(f"  {line.key}  {line.state.value:<10}  {line.why}")
        report = audit_installation(settings, database)
    finally:
        database.close()
    for sentence in sentences(report):
        session.screen.say(sentence)
    return 0 if all_final and report.holds else 1
