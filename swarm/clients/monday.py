"""Contacts, deals and updates on monday.com. Read only; at most three calls per work order.

One call each: contacts by address (cached for five minutes), deals in both directions, updates.
What lives elsewhere: waits and errors (``monday_http``), field names (``monday_items``), the
texts of the queries (``queries/``).
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import httpx

from swarm.clients.bounded_http import Bounds
from swarm.clients.http_failures import unreadable_failure
from swarm.clients.lenient import Gaps, Listing, read_each
from swarm.clients.monday_http import CursorExpiredError, MondayHttp
from swarm.clients.monday_items import (
    AccountAnswer,
    Board,
    BoardsAnswer,
    Deals,
    FirstContacts,
    ItemsPage,
    MondayItem,
    NextItems,
    UpdatesAnswer,
    crm_item,
    crm_updates,
)
from swarm.clients.patience import Patience
from swarm.errors import ConfigurationError, RemoteUnavailableError
from swarm.models import CrmItem, CrmUpdate, Noun
from swarm.settings import MondaySettings

_PAGE = 100
_MOST_PAGES = 5
_MOST_IDS = 100  # items(ids:) takes no more
_NEWEST_UPDATES = 25
_CONTACT_TTL_SECONDS = 300.0
_CACHED_CONTACTS = 1000


class MondayHealth(Noun):
    """Who answered the health check."""

    account: str
    tier: str
    version: str
    version_kind: str


class MondayClient:
    """``protocol.Monday`` over monday's GraphQL API. Thread-safe; one per process is enough."""

    def __init__(
        self,
        settings: MondaySettings,
        *,
        transport: httpx.BaseTransport | None = None,
        patience: Patience | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        bounds: Bounds | None = None,
    ) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._contacts: dict[frozenset[str], tuple[float, Listing[CrmItem]]] = {}
        self._http = MondayHttp(
            settings.api_url,
            token=settings.token,
            api_version=settings.api_version,
            transport=transport,
            patience=patience,
            clock=clock,
            bounds=bounds,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def contacts_by_email(self, addresses: Sequence[str]) -> Sequence[CrmItem]:
        """Return active contacts with one of the addresses, case-insensitively; 0, 1 or many.

        monday's own case handling is undocumented: it is asked with the address as received and
        lower-cased, and the answer is compared again here. Remembered for five minutes, unless
        one of them could not be read or compared: that is a gap of the listing.
        """
        wanted = frozenset(address.strip().lower() for address in addresses if address.strip())
        if not wanted:
            return ()
        known = self._remembered(wanted)
        if known is None:
            items, gaps = self._restarting(lambda gaps: self._contacts_of(addresses, wanted, gaps))
            known = Listing((crm_item(item) for item in items if item.active), gaps)
            if not known.gaps:
                self._remember(wanted, known)
        return known

    def deals_of(self, contact_ids: Sequence[str]) -> Sequence[CrmItem]:
        """Return active deals linked from these contacts or linking to them, in one call."""
        contacts = list(dict.fromkeys(contact_ids))[:_MOST_IDS]
        if not contacts:
            return ()
        deals, gaps = self._restarting(lambda gaps: self._deals(contacts, gaps))
        return Listing((crm_item(item) for item in deals if item.active), gaps)

    def updates_of(self, item_ids: Sequence[str]) -> Sequence[CrmUpdate]:
        """Return the newest updates of these items with their replies, newest first."""
        items: list[str] = list(dict.fromkeys(item_ids))[:_MOST_IDS]
        if not items:
            return ()
        variables: dict[str, object] = {"items": items, "limit": _NEWEST_UPDATES}
        gaps, doing = Gaps(), "reading monday updates"
        answer = self._http.ask(
            "updates_of_items", variables, UpdatesAnswer, doing=doing, gaps=gaps
        )
        return Listing(crm_updates(answer), gaps)

    def health(self) -> MondayHealth:
        """Return who answers; raises ``ConfigurationError`` when another API version does.

        A deprecated version silently answers as maintenance, a non-existent one as current.
        """
        answer = self._http.ask("health", {}, AccountAnswer, doing="asking monday for its health")
        wanted = self._settings.api_version
        if answer.version.value != wanted:
            raise ConfigurationError(
                f"monday answers as version {answer.version.value} ({answer.version.kind}), "
                f"not {wanted}",
                hint="read monday's changes, refresh the queries, then set MONDAY_API_VERSION",
            )
        account = answer.me.account
        return MondayHealth(
            account=account.slug,
            tier=account.tier or "",
            version=answer.version.value,
            version_kind=answer.version.kind,
        )

    def check_boards(self) -> None:
        """Check that the configured boards and columns exist with the expected types.

        Raises ``ConfigurationError`` that names every mismatch, not just the first.
        """
        settings = self._settings
        ids: list[str] = [settings.contacts_board, settings.deals_board]
        answer = self._http.ask(
            "board_columns",
            {"boards": ids},
            BoardsAnswer,
            doing="reading monday's boards",
            gaps=Gaps(),  # a column that cannot be read is named as one that is not there
        )
        boards = {board.id: board for board in answer.boards}
        problems = _column_problems(settings, boards)
        if problems:
            raise ConfigurationError("monday does not fit: " + "; ".join(problems))

    def _contacts_of(
        self, addresses: Sequence[str], wanted: frozenset[str], gaps: Gaps
    ) -> list[MondayItem]:
        as_received = {address.strip() for address in addresses if address.strip()}
        emails: list[str] = [*sorted(as_received | wanted)]
        variables: dict[str, object] = {
            "board": self._settings.contacts_board,
            "emailColumn": self._settings.email_column,
            "emails": emails,
            "limit": _PAGE,
        }
        doing = "finding a monday contact"
        first = self._http.ask(
            "contacts_by_email", variables, FirstContacts, doing=doing, gaps=gaps
        )
        items = self._all_items(first.page, "contact", gaps)
        found = []
        for position, item in enumerate(items, 1):
            address = self._address(item)
            if not address:  # monday says it is one of ours, and nobody can check
                gaps.say("the address of contact", position)
            if address in wanted:
                found.append(item)
        return found

    def _deals(self, contacts: list[str], gaps: Gaps) -> list[MondayItem]:
        settings, doing = self._settings, "finding monday deals"
        variables = self._link_variables(contacts)
        answer = self._http.ask("deals_of_contacts", variables, Deals, doing=doing, gaps=gaps)
        if (variables["forward"] and answer.items is None) or (
            variables["reverse"] and not answer.boards
        ):
            # A direction that was asked for and is not there, or a board without access.
            raise unreadable_failure(doing)
        found = [
            item
            for contact in answer.items or ()
            for item in read_each(contact.linked_items, _item(gaps), "deal", gaps)
        ]
        for board in answer.boards:
            linking = self._all_items(board.page, "deal", gaps)
            # Whether the server compares ids as numbers or strings is unverified: compare here too.
            for position, item in enumerate(linking, 1):
                linked = item.linked_to(settings.deal_contact_column)
                if linked is None:
                    gaps.say("whose it is, of deal", position)
                elif linked & set(contacts):
                    found.append(item)
        return found

    def _link_variables(self, contacts: list[str]) -> dict[str, object]:
        settings = self._settings
        ids: list[str] = [*contacts]
        rule: dict[str, object] = {
            "column_id": settings.deal_contact_column,
            "operator": "any_of",
            "compare_value": ids,
        }
        return {
            "contacts": ids,
            "linkColumn": settings.contact_deals_column,
            "dealsBoard": settings.deals_board,
            "forward": bool(settings.contact_deals_column),
            "reverse": bool(settings.deal_contact_column),
            "boards": [settings.deals_board],
            "linkingHere": {"rules": [rule]} if settings.deal_contact_column else None,
            "limit": _PAGE,
        }

    def _all_items(self, page: ItemsPage, what: str, gaps: Gaps) -> list[MondayItem]:
        """Follow the cursor; raises when there is no end (half a list is not the list)."""
        items = read_each(page.items, _item(gaps), what, gaps)
        for _ in range(_MOST_PAGES):
            if page.cursor is None:
                return items
            variables: dict[str, object] = {"cursor": page.cursor, "limit": _PAGE}
            doing = "turning a monday page"
            page = self._http.ask("next_items", variables, NextItems, doing=doing, gaps=gaps).page
            items += read_each(page.items, _item(gaps), what, gaps)
        if page.cursor is None:
            return items
        raise RemoteUnavailableError(f"more than {_MOST_PAGES} further pages of monday items")

    def _restarting(
        self, read: Callable[[Gaps], list[MondayItem]]
    ) -> tuple[list[MondayItem], Gaps]:
        """Read each item once; again from page 1, once, when the cursor expired between pages."""
        for last in (False, True):
            gaps = Gaps()
            try:
                once = {item.id: item for item in reversed(read(gaps))}
            except CursorExpiredError as error:
                if last:
                    raise RemoteUnavailableError(str(error)) from error
            else:
                return [*reversed(once.values())], gaps
        raise AssertionError("unreachable")  # pragma: no cover

    def _address(self, item: MondayItem) -> str:
        cell = item.cell(self._settings.email_column)
        return ((cell.email or cell.text or "") if cell else "").strip().lower()

    def _remembered(self, wanted: frozenset[str]) -> Listing[CrmItem] | None:
        with self._lock:
            until, contacts = self._contacts.get(wanted, (0.0, Listing[CrmItem]()))
        return contacts if self._monotonic() < until else None

    def _remember(self, wanted: frozenset[str], contacts: Listing[CrmItem]) -> None:
        with self._lock:
            if len(self._contacts) >= _CACHED_CONTACTS:
                self._contacts.clear()
            self._contacts[wanted] = (self._monotonic() + _CONTACT_TTL_SECONDS, contacts)


def _item(gaps: Gaps) -> Callable[[object], MondayItem]:
    return lambda value: MondayItem.model_validate(value, context=gaps)


def _column_problems(settings: MondaySettings, boards: dict[str, Board]) -> list[str]:
    contacts = boards.get(settings.contacts_board)
    deals = boards.get(settings.deals_board)
    problems = [
        f"no access to board {board_id} ({variable})"
        for board_id, variable in (
            (settings.contacts_board, "MONDAY_CONTACTS_BOARD"),
            (settings.deals_board, "MONDAY_DEALS_BOARD"),
        )
        if board_id not in boards
    ]
    expected = [
        (contacts, settings.email_column, "email"),
        (contacts, settings.contact_deals_column, "board_relation"),
        (deals, settings.deal_contact_column, "board_relation"),
        *((deals, column, None) for column in settings.approved_columns),
    ]
    for board, column, kind in expected:
        if board is None or not column:
            continue
        actual = board.kind_of(column)
        if actual is None or kind not in (None, actual):
            wanted = f" of type {kind}" if kind else ""
            problems.append(f"board {board.id} has no column {column}{wanted} (it is {actual})")
    return problems
