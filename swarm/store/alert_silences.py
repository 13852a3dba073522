"""Kinds of alert that a person keeps quiet for a while. They are raised and listed all the same.

A silence ends by itself; the newest word about a kind holds, so one may be shortened. What pages
cannot be silenced for more than a day: whoever did it may have gone home.
"""

from datetime import datetime, timedelta
from typing import Final

from swarm.errors import RefusedError
from swarm.models import Noun
from swarm.store.alert_kinds import KINDS, known_kind
from swarm.store.database import Connection

LONGEST_FOR_PAGES: Final = timedelta(hours=24)

_INSERT = """
INSERT INTO alert_silences (kind, until, reason, actor)
VALUES (%(kind)s, %(until)s, %(reason)s, %(actor)s)
"""

_STANDING = """
SELECT * FROM (
    SELECT DISTINCT ON (kind) kind, until, reason, actor, at FROM alert_silences
     ORDER BY kind, id DESC) newest
 WHERE until > %s ORDER BY kind
"""


class Silence(Noun):
    """A kind that is kept quiet, until when, why and by whom."""

    kind: str
    until: datetime
    reason: str
    actor: str
    at: datetime


def silence(
    connection: Connection, kind: str, *, until: datetime, reason: str, actor: str, now: datetime
) -> None:
    """Keep a kind quiet until a moment; one that is past ends the silence that stands.

    Raises ``RefusedError``: no such kind, no reason, or a kind that pages for more than 24 hours.
    """
    if kind not in KINDS:
        raise RefusedError(f"there is no kind {kind!r}", hint="`swarm alerts list --kinds`")
    if not reason.strip() or not actor.strip():
        raise RefusedError("a silence needs a reason and somebody who answers for it")
    if known_kind(kind).pages and until - now > LONGEST_FOR_PAGES:
        raise RefusedError(f"{kind} pages, and can be silenced for 24 hours at most")
    values = {"kind": kind, "until": until, "reason": reason.strip(), "actor": actor.strip()}
    connection.execute(_INSERT, values)


def standing(connection: Connection, now: datetime) -> tuple[Silence, ...]:
    """Return the silences that hold now."""
    return tuple(Silence.model_validate(row) for row in connection.execute(_STANDING, (now,)))
