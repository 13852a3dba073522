"""The desk as an application: which page answers which address, and what it is handed.

Reads by ``swarm.observe.review``; nothing here knows SQL. What lives elsewhere: what is let in
(``doors``), how a page is made (``rendering``), one work order as a story (``story``).
"""

import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from swarm.desk.doors import Doors
from swarm.desk.person import person
from swarm.desk.rendering import STYLE, Pages
from swarm.desk.story import story
from swarm.errors import DatabaseUnavailableError, MalformedInputError, RefusedError, SwarmError
from swarm.observe.dossier.dossier import dossier
from swarm.observe.dossier.ui_links import partition_page
from swarm.observe.glossary import glossary
from swarm.observe.review.acknowledging import acknowledge
from swarm.observe.review.asked import LONGEST
from swarm.observe.review.drafts import waiting_drafts
from swarm.observe.review.escalations import escalations
from swarm.observe.review.reading import day_of, reading
from swarm.observe.review.search import MOST, search
from swarm.observe.review.today import day, waiting
from swarm.settings import CoreSettings
from swarm.store.alerts import open_alerts
from swarm.store.database import Database

log = logging.getLogger(__name__)

_DRAFTS, _ESCALATIONS, _FIRST = 50, 20, 5
_MOST_PAGES = 500
_SHOWN_ALERTS = 20


@dataclass(frozen=True, slots=True)
class Desk:
    """What the desk is made of: a login that reads, and the settings it needs."""

    database: Database
    secret: str
    desk_url: str
    ui_url: str
    zone: str
    user_header: str
    read_only: bool

    @classmethod
    def of(cls, core: CoreSettings, database: Database) -> "Desk":
        """Return the desk these settings describe."""
        return cls(
            database=database,
            secret=core.swarm_key_secret.get_secret_value(),
            desk_url=core.desk_url,
            ui_url=core.ui_url,
            zone=core.house_time_zone,
            user_header=core.desk_user_header,
            read_only=core.desk_read_only,
        )

    @property
    def prefix(self) -> str:
        """The path under which a front door shows it, without a slash at its end; mostly none."""
        return urlsplit(self.desk_url).path.rstrip("/")


def desk(the_desk: Desk) -> ASGIApp:
    """Return the application, behind its doors."""
    at = _Handlers(the_desk)
    routes = [
        Route("/", at.today),
        Route("/drafts", at.drafts),
        Route("/escalations", at.escalations),
        Route("/escalations/{key}/acknowledge", at.acknowledge, methods=["POST"]),
        Route("/search", at.search),
        Route("/work-orders/{key}", at.work_order),
        Route("/glossary", at.glossary),
        Route("/desk.css", at.style),
    ]
    handlers = {HTTPException: at.refused, SwarmError: at.failed, Exception: at.failed}
    mounted = [Mount(the_desk.prefix, routes=routes), *routes] if the_desk.prefix else routes
    inner = Starlette(routes=mounted, exception_handlers=handlers)
    parts = urlsplit(the_desk.desk_url)
    return Doors(inner, f"{parts.scheme}://{parts.netloc}", at.page_of_refusal)


class _Handlers:
    """One method a page."""

    def __init__(self, the_desk: Desk) -> None:
        self._desk = the_desk
        self._pages = Pages(zone=the_desk.zone, prefix=the_desk.prefix)

    def today(self, _request: Request) -> Response:
        with reading(self._desk.database) as connection:
            now = waiting(connection)
            days = [day(connection, *day_of(now.at, self._desk.zone, back=n)) for n in (0, 1)]
            first = escalations(connection, texts=False, limit=_FIRST)
            drafts = waiting_drafts(connection, limit=_FIRST)
            alerts = open_alerts(connection)
        return self._page(
            "today.html", now=now, today=days[0], yesterday=days[1], first=first, drafts=drafts,
            alerts=alerts[:_SHOWN_ALERTS], more_alerts=len(alerts) - _SHOWN_ALERTS,
        )  # fmt: skip

    def drafts(self, request: Request) -> Response:
        page = _page_number(request)
        with reading(self._desk.database) as connection:
            now = waiting(connection)
            skip = (page - 1) * _DRAFTS
            found = waiting_drafts(connection, limit=_DRAFTS + 1, skip=skip)
        more = len(found) > _DRAFTS
        return self._page("drafts.html", now=now, drafts=found[:_DRAFTS], page=page, more=more)

    def escalations(self, request: Request) -> Response:
        page = _page_number(request)
        with reading(self._desk.database) as connection:
            now = waiting(connection)
            skip = (page - 1) * _ESCALATIONS
            found = escalations(connection, limit=_ESCALATIONS + 1, skip=skip)
        return self._page(
            "escalations.html", now=now, items=found[:_ESCALATIONS], page=page,
            more=len(found) > _ESCALATIONS, who=self._who(request), read_only=self._desk.read_only,
        )  # fmt: skip

    def search(self, request: Request) -> Response:
        typed = request.query_params.get("q", "")[:LONGEST]
        with reading(self._desk.database) as connection:
            found = search(connection, typed, self._desk.zone)
        return self._page("search.html", typed=typed, found=found, most=MOST)

    def work_order(self, request: Request) -> Response:
        name = _plain(request.path_params["key"])
        found = dossier(
            self._desk.database, name, secret=self._desk.secret, ui_url=self._desk.ui_url
        )
        if found.key != name:
            return RedirectResponse(f"{self._desk.prefix}/work-orders/{found.key}", 303)
        return self._page(
            "work_order.html", it=found, story=story(found), who=self._who(request),
            ui=partition_page(self._desk.ui_url, found.key), read_only=self._desk.read_only,
        )  # fmt: skip

    def glossary(self, _request: Request) -> Response:
        return self._page("glossary.html", words=glossary())

    def style(self, _request: Request) -> Response:
        return Response(STYLE, media_type="text/css")

    def acknowledge(self, request: Request) -> Response:
        who, key = person(request, self._desk.user_header), _plain(request.path_params["key"])
        if self._desk.read_only:
            return self.page_of_refusal(403, "Read only", "This desk shows and changes nothing.")
        if who is None:
            said = "The front door does not say who you are, so nobody could be recorded."
            return self.page_of_refusal(403, "Who are you?", f"{said} Nothing changed.")
        taken = acknowledge(self._desk.database, key, who, secret=self._desk.secret)
        if taken.now:
            return RedirectResponse(f"{self._desk.prefix}/work-orders/{taken.key}#people", 303)
        status = 409 if taken.by else 404
        return self._page("taken.html", status=status, taken=taken)

    def refused(self, _request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 405:  # noqa: PLR2004 - "method not allowed"
            return self.page_of_refusal(405, "Not done here", "This page is read, not written to.")
        return self.page_of_refusal(status, "Not here", "The desk has no such page.")

    def failed(self, request: Request, error: Exception) -> Response:
        """Say what went wrong in words; the log gets its kind alone, for a message may quote."""
        match error:
            case DatabaseUnavailableError():
                said = "The database is away, or this took longer than five seconds."
                return self.page_of_refusal(503, "Not now", f"{said} Nothing is lost; try again.")
            case MalformedInputError():
                return self.page_of_refusal(404, "Not found", f"{error.message}.")
            case RefusedError():
                return self.page_of_refusal(410, "Gone", f"{error.message}.")
        page = getattr(request.scope.get("endpoint"), "__name__", "a page")
        log.error("%s of the desk failed: %s", page, type(error).__name__)
        said = "Something went wrong here. The log of the desk has its kind."
        return self.page_of_refusal(500, "A fault of ours", f"{said} Nothing changed.")

    def page_of_refusal(self, status: int, heading: str, sentence: str) -> Response:
        return self._page("refusal.html", status=status, heading=heading, sentence=sentence)

    def _who(self, request: Request) -> str | None:
        return None if self._desk.read_only else person(request, self._desk.user_header)

    def _page(self, template: str, *, status: int = 200, **values: object) -> Response:
        return HTMLResponse(self._pages.render(template, values | {"status": status}), status)


def _plain(name: str) -> str:
    """Return a name out of an address; raises ``MalformedInputError`` for what nobody types."""
    if not name.isprintable():
        raise MalformedInputError("no work order has this key or id")
    return name


def _page_number(request: Request) -> int:
    said = request.query_params.get("page", "1")[:6]
    return min(max(int(said), 1), _MOST_PAGES) if said.isascii() and said.isdigit() else 1
