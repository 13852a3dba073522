"""The shared mailbox through Microsoft Graph: conversations, our own drafts found again, new mail.

Writes nothing but our extended property onto our own drafts, and only while they are drafts. What
lives elsewhere: one request (``graph_http``), tokens (``graph_auth``), field names
(``outlook_messages``). Queries never order on the server: ``$orderby`` beside a filter is refused
as InefficientFilter unless the filter repeats it, and conversations are small.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx

from swarm.clients.graph_auth import ClientCredentials, TokenProvider
from swarm.clients.graph_http import GraphHttp, Page, prefer
from swarm.clients.outlook_messages import (
    DISPATCH_KEY_PROPERTY,
    DISPATCHED_FIELDS,
    DRAFT_FIELDS,
    INBOUND_FIELDS,
    MARKER_FIELDS,
    THREAD_FIELDS,
    GraphAttachment,
    GraphFolder,
    GraphMessage,
    TranslatedIds,
    attachment,
    carries,
    found_draft,
    graph_message,
    inbound_message,
    standing_draft,
    thread_message,
)
from swarm.clients.patience import Patience
from swarm.clients.protocol import DeltaPage, FoundDraft, StandingDraft
from swarm.errors import RemoteRefusedError
from swarm.models import Attachment, ThreadMessage
from swarm.settings import GraphSettings

_FOLDERS = ("inbox", "drafts", "sentitems", "deleteditems", "junkemail", "archive")
_NOT_CONVERSATION = ("drafts", "deleteditems", "junkemail")
_CLOCK_TOLERANCE = timedelta(minutes=2)
_PAGE = 50  # bigger pages with bodies answer 504
_DELTA_PAGE = 50


class GraphOutlook:
    """``protocol.Outlook`` over Microsoft Graph. Thread-safe; one per process is enough."""

    def __init__(
        self,
        settings: GraphSettings,
        *,
        transport: httpx.BaseTransport | None = None,
        tokens: TokenProvider | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._mailbox = settings.mailbox
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
            settings.base_url, self._tokens, transport=transport, patience=patience
        )
        self._folder_lock = threading.Lock()
        self._folders: dict[str, str] = {}

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        if isinstance(self._tokens, ClientCredentials):
            self._tokens.close()

    def conversation(self, conversation_id: str) -> Sequence[ThreadMessage]:
        """Return the conversation, oldest first, over all folders but drafts, deleted and junk."""
        folders = self._well_known()
        left_out = {folders.get(name) for name in _NOT_CONVERSATION}
        messages = [
            thread_message(message, mailbox=self._mailbox, sent_folder=folders.get("sentitems"))
            for message in self._conversation(
                conversation_id, THREAD_FIELDS, body="text", doing="reading the conversation"
            )
            if not message.is_draft and message.parent_folder_id not in left_out
        ]
        return tuple(sorted(messages, key=lambda each: (each.sent_at, each.message_id)))

    def find_dispatched(
        self, *, key: str, conversation_id: str | None, marker: str, since: datetime
    ) -> Sequence[FoundDraft]:
        """Return drafts or sent mails of a work order, oldest first, wherever they lie now.

        Both ways are always taken: by extended property, and by marker among what the mailbox wrote
        in the conversation from two minutes before ``since``. The second one still sees a duplicate
        that turned up after the first draft got its property.
        """
        found = {message.id: message for message in self._by_property(key)}
        if conversation_id:
            for message in self._by_marker(conversation_id, marker, since - _CLOCK_TOLERANCE):
                found.setdefault(message.id, message)
        names = {folder_id: name for name, folder_id in self._well_known().items()} if found else {}
        drafts = [
            found_draft(each, names.get(each.parent_folder_id or "", each.parent_folder_id or ""))
            for each in found.values()
        ]
        return tuple(sorted(drafts, key=lambda each: (each.created_at, each.message_id)))

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
        Raises ``DeltaExpiredError`` on 410.
        """
        ask, doing = prefer(body="html", page_size=_DELTA_PAGE), "reading new mail"
        if link is None:
            path = f"{self._root}/mailFolders/inbox/messages/delta"
            first = {
                "changeType": "created",
                "$select": INBOUND_FIELDS,
                "$filter": f"receivedDateTime ge {_graph_time(since)}",
            }
            page = self._http.get(path, first, Page, ask=ask, doing=doing)
        else:
            page = self._http.follow(link, ask=ask, doing=doing)
        return DeltaPage(
            messages=tuple(inbound_message(item) for item in page.value),
            next_link=page.next_link,
            delta_link=page.delta_link,
        )

    def attachments(self, message_id: str) -> Sequence[Attachment]:
        """Return the labels of a message's attachments, inline ones too; never their bytes."""
        path = f"{self._root}/messages/{quote(message_id, safe='')}/attachments"
        select = {"$select": "id,name,contentType,size,isInline", "$top": str(_PAGE)}
        items = self._pages(path, select, ask=prefer(), doing="listing attachments")
        return tuple(attachment(GraphAttachment.model_validate(item)) for item in items)

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

    def _by_property(self, key: str) -> list[GraphMessage]:
        condition = (
            "singleValueExtendedProperties/Any(ep: "
            f"ep/id eq '{DISPATCH_KEY_PROPERTY}' and ep/value eq '{_quoted(key)}')"
        )
        params = {"$filter": condition, "$top": str(_PAGE), "$select": DISPATCHED_FIELDS}
        doing = "searching a draft by its key"
        items = self._pages(f"{self._root}/messages", params, ask=prefer(), doing=doing)
        return [graph_message(item) for item in items]

    def _by_marker(self, conversation_id: str, marker: str, since: datetime) -> list[GraphMessage]:
        """Return our messages with the marker in their own part, else those that quote it."""
        ours = [
            message
            for message in self._conversation(
                conversation_id, MARKER_FIELDS, body="html", doing="searching a draft by its marker"
            )
            if (message.is_draft or message.author().address.lower() == self._mailbox.lower())
            and (message.created_date_time or message.at()) >= since
        ]
        own_part = [message for message in ours if carries(message.unique_body, marker)]
        return own_part or [message for message in ours if carries(message.body, marker)]

    def _conversation(
        self, conversation_id: str, fields: str, *, body: str, doing: str
    ) -> list[GraphMessage]:
        params = {
            "$filter": f"conversationId eq '{_quoted(conversation_id)}'",
            "$top": str(_PAGE),
            "$select": fields,
        }
        items = self._pages(f"{self._root}/messages", params, ask=prefer(body=body), doing=doing)
        return [graph_message(item) for item in items]

    def _pages(
        self, path: str, params: dict[str, str], *, ask: str, doing: str
    ) -> Iterator[Mapping[str, object]]:
        page = self._http.get(path, params, Page, ask=ask, doing=doing)
        yield from page.value
        while page.next_link:
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


def _quoted(value: str) -> str:
    """Return a value fit for an OData string literal; percent-encoding is httpx's work."""
    return value.replace("'", "''")


def _graph_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
