"""The shared mailbox through Microsoft Graph: conversations, our own drafts found again, new mail.

Writes nothing but our extended property onto our own drafts, and only while they are drafts. What
lives elsewhere: one request (``graph_http``), tokens (``graph_auth``), field names
(``outlook_messages``). Queries never order on the server: ``$orderby`` beside a filter is refused
as InefficientFilter unless the filter repeats it, and conversations are small.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from swarm.clients.bounded_http import AnswerTooLargeError, Bounds
from swarm.clients.graph_auth import ClientCredentials, TokenProvider
from swarm.clients.graph_http import AT_ONCE, GraphHttp, Page, prefer
from swarm.clients.lenient import Gaps, Listing, read_each, told
from swarm.clients.outlook_inbound import inbound_message
from swarm.clients.outlook_messages import (
    DISPATCH_KEY_PROPERTY,
    DISPATCHED_FIELDS,
    DRAFT_FIELDS,
    INBOUND_FIELDS,
    LABEL_FIELDS,
    MARKER_FIELDS,
    THREAD_FIELDS,
    WHEREABOUTS_FIELDS,
    GraphAttachment,
    GraphFolder,
    GraphMessage,
    TranslatedIds,
    carries,
    conversation_message,
    enclosure,
    found_draft,
    graph_message,
    standing_draft,
    thread_message,
)
from swarm.clients.patience import Patience
from swarm.clients.protocol import (
    AttachmentsUnknownError,
    ConversationMessage,
    DeltaExpiredError,
    DeltaPage,
    Enclosure,
    FoundDraft,
    InboundMessage,
    StandingDraft,
)
from swarm.errors import (
    RateLimitedError,
    RemoteRefusedError,
    RemoteUnavailableError,
    SwarmError,
)
from swarm.host_slots import HostSlots, Slots
from swarm.models import Attachment, ThreadMessage
from swarm.settings import GraphSettings, Settings

_FOLDERS = ("inbox", "drafts", "sentitems", "deleteditems", "junkemail", "archive")
_NOT_CONVERSATION = ("drafts", "deleteditems", "junkemail")
_CLOCK_TOLERANCE = timedelta(minutes=2)
_PAGE = 50  # bigger pages with bodies answer 504
_DELTA_PAGE = 50
_INBOX_PAGE = 500  # labels only: Graph gives up to 1,000
_MOST_PAGES = 100  # of one listing; 5,000 messages
_LISTING_SECONDS = 120.0
_OF_THE_CALLER = frozenset({401, 403, 429})  # what these refuse is us, not the link
_ABOUT_THE_LINK = range(300, 500)
_TOO_MANY_REQUESTS = 429
_NOT_FOUND = 404


def outlook_of(settings: Settings) -> "GraphOutlook":
    """Return the mailbox of an installation; all its programs on a host share four requests."""
    slots = HostSlots.of_home(settings.core.swarm_home, "graph", AT_ONCE)
    return GraphOutlook(settings.graph, slots=slots)


class GraphOutlook:
    """``protocol.Outlook`` over Microsoft Graph. Thread-safe; one per process is enough."""

    def __init__(
        self,
        settings: GraphSettings,
        *,
        transport: httpx.BaseTransport | None = None,
        tokens: TokenProvider | None = None,
        patience: Patience | None = None,
        bounds: Bounds | None = None,
        listing_seconds: float = _LISTING_SECONDS,
        slots: Slots | None = None,
    ) -> None:
        self._ours = settings.ourselves
        self._root = f"/users/{quote(settings.mailbox, safe='@')}"
        self._tokens = tokens or ClientCredentials(
            authority=settings.authority,
            tenant_id=settings.tenant_id,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            transport=transport,
            patience=patience,
        )
        self._http = GraphHttp(
            settings.base_url,
            self._tokens,
            transport=transport,
            patience=patience,
            bounds=bounds,
            slots=slots,
        )
        self._listing_seconds = listing_seconds
        self._folder_lock = threading.Lock()
        self._folders: dict[str, str] = {}

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        if isinstance(self._tokens, ClientCredentials):
            self._tokens.close()

    def conversation(self, conversation_id: str) -> Sequence[ThreadMessage]:
        """Return the conversation, oldest first, over all folders but drafts, deleted and junk.

        A message that cannot be read is a gap of the listing: it may be the newest, or ours.
        """
        folders, gaps = self._well_known(), Gaps()
        left_out = {folders.get(name) for name in _NOT_CONVERSATION}
        found = [
            message
            for message in self._conversation(
                conversation_id, THREAD_FIELDS, gaps, body="text", doing="reading the conversation"
            )
            if not message.is_draft and message.parent_folder_id not in left_out
        ]

        def noun(message: GraphMessage) -> ThreadMessage:
            sent = folders.get("sentitems")
            return thread_message(message, ours=self._ours, sent_folder=sent)

        messages = read_each(found, noun, "the date of message", gaps)
        in_order = sorted(messages, key=lambda each: (each.sent_at, each.message_id))
        return Listing(in_order, gaps)

    def find_dispatched(
        self, *, key: str, conversation_id: str | None, marker: str, since: datetime
    ) -> Sequence[FoundDraft]:
        """Return drafts or sent mails of a work order, oldest first, wherever they lie now.

        Both ways are always taken: by extended property, and by marker among what the mailbox wrote
        in the conversation from two minutes before ``since``. The second one still sees a duplicate
        that turned up after the first draft got its property. A mail that came without its
        conversation is answered in one of its own: its draft is looked for among the drafts.

        Finding nothing while a message could not be read is no finding: that raises
        ``RemoteUnavailableError``.
        """
        gaps = Gaps()
        found = {message.id: message for message in self._by_property(key, gaps)}
        for message in self._by_marker(conversation_id, marker, since - _CLOCK_TOLERANCE, gaps):
            found.setdefault(message.id, message)
        if gaps.items and not found:
            raise RemoteUnavailableError(f"searching a draft: {told(gaps.items)}")
        names = {folder_id: name for name, folder_id in self._well_known().items()} if found else {}
        drafts = [
            found_draft(each, names.get(each.parent_folder_id or "", each.parent_folder_id or ""))
            for each in found.values()
        ]
        in_order = sorted(drafts, key=lambda each: (each.created_at, each.message_id))
        return Listing(in_order, gaps)

    def whereabouts(
        self, conversation_id: str | None, draft_id: str | None
    ) -> Sequence[ConversationMessage]:
        """Return the conversation over all folders, drafts and what was thrown away too, oldest
        first; with the message ``draft_id`` wherever it is, as long as it is.

        Raises ``RemoteUnavailableError`` when a message could not be read: it might be the one.
        """
        doing, gaps = "looking what became of a draft", Gaps()
        found: list[GraphMessage] = []
        if conversation_id:
            found = self._conversation(
                conversation_id, WHEREABOUTS_FIELDS, gaps, body="html", doing=doing
            )
        if draft_id and draft_id not in {message.id for message in found}:
            found.extend(self._one(draft_id, WHEREABOUTS_FIELDS, doing=doing))
        names = {folder_id: name for name, folder_id in self._well_known().items()} if found else {}

        def noun(message: GraphMessage) -> ConversationMessage:
            folder = message.parent_folder_id or ""
            return conversation_message(message, names.get(folder, folder), ours=self._ours)

        messages = read_each(found, noun, "the date of message", gaps)
        if gaps.items:
            raise RemoteUnavailableError(f"{doing}: {told(gaps.items)}")
        return tuple(sorted(messages, key=lambda each: (each.at, each.message_id)))

    def drafts(self) -> Sequence[StandingDraft]:
        """Return every draft in the Drafts folder, ours or not."""
        params = {
            "$select": DRAFT_FIELDS,
            "$expand": f"singleValueExtendedProperties($filter=id eq '{DISPATCH_KEY_PROPERTY}')",
            "$top": str(_PAGE),
        }
        path, ask = f"{self._root}/mailFolders/drafts/messages", prefer(body="html")
        items = self._pages(path, params, ask=ask, doing="listing the drafts")
        return tuple(standing_draft(graph_message(item)) for item in items)

    def mark_dispatched(self, message_id: str, key: str) -> None:
        """Put the extended property onto a draft; what a person has sent meanwhile is left alone.

        Changing messages that are no drafts needs another permission from 2026-12-31 on.
        """
        doing = "marking a draft of ours"
        path = f"{self._root}/messages/{quote(message_id, safe='')}"
        select = {"$select": "id,isDraft"}
        message = self._http.get(path, select, GraphMessage, ask=prefer(), doing=doing)
        if not message.is_draft:
            return
        own = {"id": DISPATCH_KEY_PROPERTY, "value": key}
        self._http.patch(path, {"singleValueExtendedProperties": [own]}, doing=doing)

    def delta(self, link: str | None, *, since: datetime) -> DeltaPage:
        """Return the next page of new inbox messages, bodies as HTML (hidden text must be seen).

        ``link`` is the whole nextLink or deltaLink of the page before; None starts at ``since``.
        Raises ``DeltaExpiredError`` when the link leads nowhere any more: whatever is said against
        it that is not said against us (401, 403, 429), it would be said again for ever.
        """
        try:
            return self._delta_page(link, since, _DELTA_PAGE)
        except AnswerTooLargeError:
            return self._delta_page(link, since, 1)

    def _delta_page(self, link: str | None, since: datetime, size: int) -> DeltaPage:
        ask, doing = prefer(body="html", page_size=size), "reading new mail"
        if link is None:
            path = f"{self._root}/mailFolders/inbox/messages/delta"
            first = {
                "changeType": "created",
                "$select": INBOUND_FIELDS,
                "$filter": f"receivedDateTime ge {_graph_time(since)}",
            }
            page = self._http.get(path, first, Page, ask=ask, doing=doing)
        else:
            page = self._followed(link, ask, doing)
        return DeltaPage(
            messages=tuple(inbound_message(item) for item in page.value),
            next_link=page.next_link or None,
            delta_link=page.delta_link or None,
        )

    def _followed(self, link: str, ask: str, doing: str) -> Page:
        try:
            return self._http.follow(link, ask=ask, doing=doing)
        except SwarmError as error:
            if _is_about_the_link(error):
                raise DeltaExpiredError(error.message) from error
            raise

    def inbox(self, since: datetime, until: datetime) -> Sequence[InboundMessage]:
        """Return what lies in the inbox and was received in this span, without bodies."""
        span = f"receivedDateTime ge {_graph_time(since)} and receivedDateTime lt "
        params = {
            "$filter": f"{span}{_graph_time(until)}",
            "$top": str(_INBOX_PAGE),
            "$select": LABEL_FIELDS,
        }
        path = f"{self._root}/mailFolders/inbox/messages"
        items = self._pages(path, params, ask=prefer(), doing="listing the inbox")
        return tuple(inbound_message(item) for item in items)

    def attachments(self, message_id: str) -> Sequence[Attachment]:
        """Return the labels of a message's attachments, inline ones too; never their bytes.

        Raises as ``enclosures`` does.
        """
        return tuple(each.label for each in self.enclosures(message_id))

    def enclosures(self, message_id: str) -> Sequence[Enclosure]:
        """Return the attachments of a message, inline ones too, without their bytes.

        Raises ``AttachmentsUnknownError`` when this one list cannot be had or read, except when
        Graph asks us to wait.
        """
        path = f"{self._root}/messages/{quote(message_id, safe='')}/attachments"
        select = {"$select": "id,name,contentType,size,isInline", "$top": str(_PAGE)}
        doing = "listing attachments"
        try:
            items = list(self._pages(path, select, ask=prefer(), doing=doing))
            return tuple(enclosure(GraphAttachment.model_validate(item)) for item in items)
        except RateLimitedError as error:
            if error.http_status == _TOO_MANY_REQUESTS:
                raise
            raise AttachmentsUnknownError(error.message, message_id=message_id) from error
        except (RemoteRefusedError, RemoteUnavailableError) as error:
            raise AttachmentsUnknownError(error.message, message_id=message_id) from error
        except ValidationError:  # its text quotes the names: no cause is attached
            unread = f"{doing}: the answer could not be read"
            raise AttachmentsUnknownError(unread, message_id=message_id) from None

    def attachment_bytes(self, message_id: str, attachment_id: str, *, most_bytes: int) -> bytes:
        """Return what an attached file holds.

        Raises ``AnswerTooLargeError`` (transient by name, hopeless in fact) beyond ``most_bytes``.
        """
        message, attached = quote(message_id, safe=""), quote(attachment_id, safe="")
        path = f"{self._root}/messages/{message}/attachments/{attached}/$value"
        return self._http.content(path, most_bytes=most_bytes, doing="reading an attachment")

    def rest_id(self, message_id: str) -> str | None:
        """Return the ordinary id of an immutable one: Zapier's classic action may want it."""
        body = {
            "inputIds": [message_id],
            "sourceIdType": "restImmutableEntryId",
            "targetIdType": "restId",
        }
        doing = "translating a message id"
        path = f"{self._root}/translateExchangeIds"
        answer = self._http.post(path, body, TranslatedIds, doing=doing)
        return answer.value[0].target_id if answer.value else None

    def _by_property(self, key: str, gaps: Gaps) -> list[GraphMessage]:
        condition = (
            "singleValueExtendedProperties/Any(ep: "
            f"ep/id eq '{DISPATCH_KEY_PROPERTY}' and ep/value eq '{_quoted(key)}')"
        )
        params = {"$filter": condition, "$top": str(_PAGE), "$select": DISPATCHED_FIELDS}
        doing = "searching a draft by its key"
        items = self._pages(f"{self._root}/messages", params, ask=prefer(), doing=doing)
        return _messages(items, gaps)

    def _by_marker(
        self, conversation_id: str | None, marker: str, since: datetime, gaps: Gaps
    ) -> list[GraphMessage]:
        """Return our messages with the marker in their own part, else those that quote it."""
        doing = "searching a draft by its marker"
        if conversation_id:
            listed = self._conversation(
                conversation_id, MARKER_FIELDS, gaps, body="html", doing=doing
            )
        else:
            listed = self._drafts_since(since, MARKER_FIELDS, gaps, doing=doing)
        ours = [
            message
            for message in listed
            if (message.is_draft or self._ours.wrote(message.author().address))
            # A date that nobody can read excludes nothing.
            and (message.created_date_time or message.known_at() or since) >= since
        ]
        own_part = [message for message in ours if carries(message.unique_body, marker)]
        return own_part or [message for message in ours if carries(message.body, marker)]

    def _drafts_since(
        self, since: datetime, fields: str, gaps: Gaps, *, doing: str
    ) -> list[GraphMessage]:
        written = f"createdDateTime ge {_graph_time(since)}"
        params = {"$top": str(_PAGE), "$select": fields, "$filter": written}
        path = f"{self._root}/mailFolders/drafts/messages"
        return _messages(self._pages(path, params, ask=prefer(body="html"), doing=doing), gaps)

    def _conversation(
        self, conversation_id: str, fields: str, gaps: Gaps, *, body: str, doing: str
    ) -> list[GraphMessage]:
        params = {
            "$filter": f"conversationId eq '{_quoted(conversation_id)}'",
            "$top": str(_PAGE),
            "$select": fields,
        }
        items = self._pages(f"{self._root}/messages", params, ask=prefer(body=body), doing=doing)
        return _messages(items, gaps)

    def _one(self, message_id: str, fields: str, *, doing: str) -> list[GraphMessage]:
        """Return the message, or nothing when the mailbox has none of this id any more."""
        path = f"{self._root}/messages/{quote(message_id, safe='')}"
        ask, select = prefer(body="html"), {"$select": fields}
        try:
            message = self._http.get(path, select, GraphMessage, ask=ask, doing=doing)
        except RemoteRefusedError as error:
            if error.http_status == _NOT_FOUND:
                return []
            raise
        return [message]

    def _pages(
        self, path: str, params: dict[str, str], *, ask: str, doing: str
    ) -> Iterator[object]:
        """Follow the pages of a listing to its end; raises when there is none (half is no list)."""
        deadline = time.monotonic() + self._listing_seconds
        page = self._http.get(path, params, Page, ask=ask, doing=doing)
        yield from page.value
        seen = set[str]()
        while page.next_link is not None:
            endless = page.next_link in seen or len(seen) >= _MOST_PAGES
            if endless or time.monotonic() > deadline:
                raise RemoteUnavailableError(f"{doing}: the pages do not come to an end")
            seen.add(page.next_link)
            page = self._http.follow(page.next_link, ask=ask, doing=doing)
            yield from page.value

    def _well_known(self) -> dict[str, str]:
        """Return well-known folder name -> id, asked once per process: folder ids are constant."""
        with self._folder_lock:
            if not self._folders:
                self._folders = {
                    name: folder for name in _FOLDERS if (folder := self._folder_id(name))
                }
            return self._folders

    def _folder_id(self, name: str) -> str | None:
        path, doing = f"{self._root}/mailFolders/{name}", "reading the folder ids"
        try:
            folder = self._http.get(path, {"$select": "id"}, GraphFolder, ask=prefer(), doing=doing)
        except RemoteRefusedError:
            # Only the archive may be missing (it is made on first use); the others are vital.
            if name == "archive":
                return None
            raise
        return folder.id


def _is_about_the_link(error: SwarmError) -> bool:
    """Whether an error belongs to the link itself, also one that trying again did not cure."""
    if error.http_status is None:
        return isinstance(error, RemoteRefusedError)
    return error.http_status in _ABOUT_THE_LINK and error.http_status not in _OF_THE_CALLER


def _messages(items: Iterator[object], gaps: Gaps) -> list[GraphMessage]:
    """Return each message once; what cannot be read is a gap."""
    read = read_each(items, lambda item: graph_message(item, gaps), "message", gaps)
    return list({message.id: message for message in read}.values())


def _quoted(value: str) -> str:
    """Return a value fit for an OData string literal; percent-encoding is httpx's work."""
    return value.replace("'", "''")


def _graph_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
