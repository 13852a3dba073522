"""``messages/delta`` of a folder: pages, opaque tokens, removals, duplicates, expiry.

Query options count only on the first call; afterwards everything is in the token. Order is not
promised, and a message may come more than once.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from swarm.sandbox.faults import Faults
from swarm.sandbox.graph import odata
from swarm.sandbox.graph.mailbox import Mailboxes, Message
from swarm.sandbox.graph.rendering import Preferences, rendered
from swarm.sandbox.state import Json, State
from swarm.sandbox.wire import Reply, Request, json_reply

_DEFAULT_PAGE = 10
_MOST_FILTERED = 5000


class DeltaGoneError(Exception):
    """The token is too old: 410."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a delta token remembers. ``before`` set: still in the first sweep, newest first."""

    folder: str
    seq: int
    before: int | None
    since: str
    strict: bool
    select: tuple[str, ...]
    epoch: int
    seen: int = 0

    def token(self) -> str:
        """Return the opaque form."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode().rstrip("=")

    @classmethod
    def of(cls, token: str) -> "Place":
        """Read a token; raises ``QueryError`` for one we never gave."""
        try:
            values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            return cls(**{**values, "select": tuple(values["select"])})
        except (ValueError, TypeError, KeyError) as error:
            raise odata.QueryError("ErrorInvalidUrlQuery", "Bad delta token.") from error


class Delta:
    """Answers delta requests of any folder."""

    def __init__(self, state: State, mailboxes: Mailboxes, faults: Faults) -> None:
        self._state = state
        self._mailboxes = mailboxes
        self._faults = faults
        self.epoch = 0

    def handle(self, request: Request, mailbox: str, folder: str) -> Reply:
        """Return one page with a nextLink or a deltaLink."""
        given = request.query.get("$deltatoken") or request.query.get("$skiptoken")
        place = Place.of(given) if given else self._first(request, folder)
        if place.epoch != self.epoch or (given and self._faults.take("graph", "delta_expired")):
            raise DeltaGoneError
        preferences = Preferences.read(request.headers)
        size = preferences.page_size or _DEFAULT_PAGE

        def render(message: Message) -> Json:
            return rendered(message, preferences, place.select)

        page = self._sweep if place.before is not None else self._changes
        items, link, further = page(mailbox, place, size, render)
        address = request.url.partition("?")[0]
        body: Json = {"value": self._spoiled(items)}
        body[f"@odata.{link}"] = f"{address}?${_PARAMETER[link]}={further.token()}"
        return json_reply(200, body, preferences.applied())

    def _first(self, request: Request, folder: str) -> Place:
        odata.only(request.query, "changeType", "$select", "$filter", "$orderby")
        if request.query.get("changeType", "created") != "created":
            raise odata.QueryError("ErrorInvalidUrlQuery", "This double tells of new mail only.")
        order = request.query.get("$orderby", "receivedDateTime desc")
        if order != "receivedDateTime desc":
            raise odata.QueryError("ErrorInvalidUrlQuery", "Delta cannot be ordered by this.")
        query = odata.parse(
            {key: request.query[key] for key in ("$select", "$filter") if key in request.query}
        )
        text = request.query.get("$filter", "")
        if text and not text.startswith(("receivedDateTime ge ", "receivedDateTime gt ")):
            raise odata.QueryError("ErrorInvalidUrlQueryFilter", "Delta cannot filter by this.")
        newest = self._state.row("SELECT coalesce(max(seq), 0) AS seq FROM changes")
        return Place(
            folder=folder,
            seq=int(newest["seq"]) if newest else 0,
            before=2**62,
            since=str(query.values[0]) if query.values else "",
            strict=text.startswith("receivedDateTime gt "),
            select=query.select,
            epoch=self.epoch,
        )

    def _sweep(
        self, mailbox: str, place: Place, size: int, render: Callable[[Message], Json]
    ) -> tuple[list[Json], str, Place]:
        room = max(0, _MOST_FILTERED - place.seen) if place.since else size
        found = self._mailboxes.find(
            mailbox,
            f"folder = ? AND pk < ? AND received {'>' if place.strict else '>='} ?",
            [place.folder, place.before, place.since],
            min(size, room),
        )
        if len(found) == size:
            rest = replace(place, before=found[-1].pk, seen=place.seen + len(found))
            return [render(message) for message in found], "nextLink", rest
        return [render(message) for message in found], "deltaLink", replace(place, before=None)

    def _changes(
        self, mailbox: str, place: Place, size: int, render: Callable[[Message], Json]
    ) -> tuple[list[Json], str, Place]:
        logged = self._state.rows(
            "SELECT seq, immutable_id, kind FROM changes WHERE folder = ? AND seq > ?"
            " AND kind <> 'updated' ORDER BY seq LIMIT ?",
            place.folder,
            place.seq,
            size,
        )
        items = []
        for change in logged:
            message = self._mailboxes.get(mailbox, str(change["immutable_id"]))
            if message is not None and message.folder == place.folder:
                if message.received >= place.since:
                    items.append(render(message))
            elif change["kind"] in ("changed", "deleted"):
                gone = {"id": change["immutable_id"], "@removed": {"reason": change["kind"]}}
                items.append(gone)
        further = replace(place, seq=int(logged[-1]["seq"])) if logged else place
        return items, "nextLink" if len(logged) == size else "deltaLink", further

    def _spoiled(self, items: list[Json]) -> list[Json]:
        if items and self._faults.take("graph", "delta_duplicates"):
            items = [*items, items[0]]
        if self._faults.take("graph", "string_booleans"):
            items = [
                {**item, "isRead": str(item["isRead"]).lower()} if "isRead" in item else item
                for item in items
            ]
        return items


_PARAMETER = {"nextLink": "skiptoken", "deltaLink": "deltatoken"}
