"""The morning summary: yesterday and what is open, in numbers, keys and owners.

No mail text, no address: it leaves the house through the alert sinks. It is handed to them as an
alert of its own kind (``send``), one a day. What lives elsewhere: the sinks and their hours
(``swarm.watchman``), the numbers (``swarm.observe.review.today``).
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from pydantic import Field

from swarm.models import Noun
from swarm.observe.gaps import gaps
from swarm.observe.review.escalations import escalations
from swarm.observe.review.reading import day_of, reading
from swarm.observe.review.today import Day, WaitingNow, day, waiting
from swarm.observe.review.words import age_in_words
from swarm.store.alerts import DIGEST, open_alerts, raise_alert, resolve_kind
from swarm.store.database import Connection, Database

_MOST_NAMED = 10
_GAP_DAYS = 7


class OverdueKey(Noun):
    """An escalation past its time, by what may leave the house."""

    key: str
    owner: str
    seconds_over: float


class Digest(Noun):
    """The summary of one morning."""

    day: date = Field(description="The morning it is for; its numbers are the day's before")
    zone: str
    yesterday: Day
    now: WaitingNow
    overdue: tuple[OverdueKey, ...] = Field(description="The longest over first; ten at most")
    alerts: tuple[str, ...] = Field(description="Kinds of the open alerts, each with its count")
    unanswered_questions: int = Field(description="That no approved answer had, in seven days")


def read_digest(database: Database, zone: str) -> Digest:
    """Return the summary as of now; days are those of the time zone."""
    with reading(database) as connection:
        now = waiting(connection)
        late = [e for e in escalations(connection, texts=False, limit=_MOST_NAMED) if e.overdue]
        alerts = open_alerts(connection)
        yesterday = day(connection, *day_of(now.at, zone, back=1))
    kinds = sorted({alert.kind for alert in alerts})
    return Digest(
        day=now.at.astimezone(ZoneInfo(zone)).date(),
        zone=zone,
        yesterday=yesterday,
        now=now,
        overdue=tuple(
            OverdueKey(key=each.key, owner=each.owner, seconds_over=-each.seconds_left)
            for each in late
        ),
        alerts=tuple(f"{kind}: {sum(a.kind == kind for a in alerts)}" for kind in kinds),
        unanswered_questions=sum(gap.count for gap in gaps(database, days=_GAP_DAYS)),
    )


def text_of(digest: Digest) -> str:
    """Say it in plain lines."""
    return "\n".join(_lines(digest))


def send(database: Database, digest: Digest) -> bool:
    """Hand it to the alert sinks, once a day; False: this morning's was handed over before.

    The one of the day before is settled first: a summary is read, not mended.
    """
    subject = digest.day.isoformat()
    with database.transaction() as connection:
        sent = "SELECT 1 FROM alerts WHERE kind = %s AND subject = %s"
        if connection.execute(sent, (DIGEST, subject)).fetchone():
            return False
        resolve_kind(connection, DIGEST)
        return raise_alert(connection, DIGEST, subject, text_of(digest))


def last_sent(connection: Connection) -> datetime | None:
    """Return when the newest summary was handed over."""
    newest = "SELECT max(at) AS at FROM alerts WHERE kind = %s"
    row = connection.execute(newest, (DIGEST,)).fetchone()
    return None if row is None else cast("datetime | None", row["at"])


def due(now: datetime, last: datetime | None, at: str, zone: str) -> bool:
    """Whether the summary is to be sent now: its time has come, and none was sent that day.

    ``at`` is ``HH:MM`` in ``zone``, empty for never; ``last`` is when one was sent. Pure.
    """
    if not at:
        return False
    here, clock = now.astimezone(ZoneInfo(zone)), time.fromisoformat(at)
    today = datetime.combine(here.date(), clock, here.tzinfo)
    newest = today if here >= today else today - timedelta(days=1)
    told = last is not None and last.astimezone(here.tzinfo).date() >= newest.date()
    return now >= newest and not told and now - newest < timedelta(hours=12)


def _lines(it: Digest) -> Iterator[str]:
    then, now = it.yesterday, it.now
    yield f"Summary of {it.day:%Y-%m-%d} ({it.zone})"
    yield (
        f"Yesterday: {then.came_in} came in, {then.drafted} drafted, {then.escalated} escalated,"
        f" {then.declined} declined, {then.held} held, {then.dead} gave up."
    )
    share = then.share_sent_unchanged
    yield (
        "Sent by people yesterday: none of the drafts."
        if share is None
        else f"Sent by people yesterday: {then.sent} drafts, {share:.0%} of them unchanged."
    )
    if then.seconds_to_draft is not None:
        yield f"From arrival to draft: {age_in_words(then.seconds_to_draft)} (median)."
    yield (
        f"Open now: {now.drafts_waiting} drafts wait, {now.people_wait} mails wait for a person,"
        f" {now.overdue} of them overdue, {now.stuck} held or given up, {now.in_work} in work."
    )
    for each in it.overdue:
        yield f"  overdue by {age_in_words(each.seconds_over)}: {each.key}, owner {each.owner}"
    if now.overdue > len(it.overdue):
        yield f"  and {now.overdue - len(it.overdue)} more"
    yield f"Open alerts: {', '.join(it.alerts) or 'none'}."
    yield f"Questions without an approved answer, seven days: {it.unanswered_questions}."
