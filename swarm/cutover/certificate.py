"""The certificate: asking whether it holds, having one issued, ending it.

The rules stand in the database (migration 0054): it composes a certificate from a report and its
gates by itself, and lets ``publisher_control`` become 'swarm' only while ``cutover_refusal()`` has
nothing against it. Here is nothing but the asking, so that a person reads the very reason the flip
would be refused for.
"""

from pydantic import AwareDatetime

from swarm.cutover.models import Certificate
from swarm.errors import RefusedError
from swarm.models import Noun
from swarm.store.database import Connection, Database

_NEWEST = """
SELECT c.body, v.reason AS void_because, v.actor AS void_by, v.at AS void_at
  FROM certificates c LEFT JOIN certificate_voids v ON v.certificate_id = c.id
 ORDER BY c.id DESC LIMIT 1
"""


class CertificateState(Noun):
    """The newest certificate and whether a cutover would be let through now.

    ``refusal`` None: it would.
    """

    certificate: Certificate | None
    void_because: str | None = None
    void_by: str | None = None
    void_at: AwareDatetime | None = None
    refusal: str | None


def refusal(connection: Connection) -> str | None:
    """Say why swarm may not become the publisher now; None: it may."""
    row = connection.execute("SELECT cutover_refusal() AS said").fetchone()
    if row is None:
        return "the database gave no answer about the certificate"
    said: str | None = row["said"]
    return said


def issue(connection: Connection, report_id: int) -> Certificate:
    """Have the certificate of a report issued; the database refuses it when it is not earned."""
    connection.execute("SELECT issue_certificate(%s)", (report_id,))
    row = connection.execute(
        "SELECT body FROM certificates WHERE report_id = %s", (report_id,)
    ).fetchone()
    return Certificate.model_validate(row["body"] if row else None)


def standing(connection: Connection) -> CertificateState:
    """Return the newest certificate and what would be said against a cutover."""
    row = connection.execute(_NEWEST).fetchone()
    against = refusal(connection)
    if row is None:
        return CertificateState(certificate=None, refusal=against)
    kept = Certificate.model_validate(row.pop("body"))
    return CertificateState(certificate=kept, refusal=against, **row)


def void(database: Database, *, actor: str, reason: str) -> int:
    """End every certificate that stands; returns how many. For people who know better."""
    if not actor.strip() or not reason.strip():
        raise RefusedError("ending a certificate must say who asks and why", hint="give both")
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT void_certificates(%s, %s) AS n", (reason, actor)
        ).fetchone()
        return int(row["n"]) if row else 0
