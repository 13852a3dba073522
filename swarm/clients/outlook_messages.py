"""Graph's message JSON and its way into our nouns: the one place that knows Graph's field names.

Lenient where Graph is (booleans as strings, missing senders, absent ``uniqueBody``), strict about
ids. How a new mail of a delta page is read stands in ``outlook_inbound``.
"""

import html
from datetime import UTC, datetime
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from selectolax.lexbor import LexborHTMLParser

from swarm.clients.http_failures import unreadable_failure
from swarm.clients.lenient import Gaps, Lenient, Moment, each
from swarm.clients.protocol import ConversationMessage, Enclosure, FoundDraft, StandingDraft
from swarm.markup import made_to_exhaust, tags_dropped
from swarm.models import Address, Attachment, ThreadMessage
from swarm.ourselves import Ourselves
from swarm.patterns import linear

DISPATCH_KEY_PROPERTY = "String {5b0c9c5e-2f6d-4c1b-9a57-3de1c0a7f4e2} Name SwarmDispatchKey"
"""Id of our extended property. Fixed for ever: name and GUID are how a draft is found again."""

THREAD_FIELDS = (
    "id,conversationId,internetMessageId,subject,from,sender,toRecipients,ccRecipients,"
    "receivedDateTime,sentDateTime,createdDateTime,isDraft,parentFolderId,body,uniqueBody"
)
DISPATCHED_FIELDS = "id,isDraft,parentFolderId,createdDateTime,webLink"
DRAFT_FIELDS = (
    "id,conversationId,subject,toRecipients,ccRecipients,createdDateTime,lastModifiedDateTime,"
    "isDraft,body,uniqueBody"
)
WHEREABOUTS_FIELDS = f"{THREAD_FIELDS},lastModifiedDateTime"
MARKER_FIELDS = f"{DISPATCHED_FIELDS},from,sender,body,uniqueBody"
INBOUND_FIELDS = (
    "id,conversationId,internetMessageId,internetMessageHeaders,subject,from,sender,replyTo,"
    "toRecipients,ccRecipients,receivedDateTime,sentDateTime,isDraft,isRead,hasAttachments,"
    "parentFolderId,body"
)
LABEL_FIELDS = "id,internetMessageId,subject,from,sender,receivedDateTime,isDraft"
_LINK = linear(r"https://[A-Za-z0-9.-]{1,253}(?::\d{1,5})?(?:[/?][!-~]{0,2000})?")
_LARGEST = 2**53  # a size beyond what JSON numbers hold exactly
_BLOCKS = "p, div, br, li, tr, h1, h2, h3, blockquote"


class _Graph(Lenient):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class _EmailAddress(_Graph):
    name: str | None = None
    address: str | None = None


class _Recipient(_Graph):
    email_address: _EmailAddress | None = None

    def address(self) -> Address:
        email = self.email_address or _EmailAddress()
        return Address(address=email.address or "", name=email.name or "")


_Recipients = Annotated[tuple[_Recipient, ...], each(_Recipient, "a recipient")]


class _Body(_Graph):
    content_type: str | None = None
    content: str | None = None

    def text(self) -> str:
        content = self.content or ""
        return html_to_text(content) if (self.content_type or "").lower() == "html" else content


class _Property(_Graph):
    id: str = ""
    value: str | None = None


_Properties = Annotated[tuple[_Property, ...], each(_Property, "an extended property")]


class GraphMessage(_Graph):
    """The fields of a Graph message that we ever select."""

    id: str = Field(min_length=1)
    conversation_id: str | None = None
    internet_message_id: str | None = None
    subject: str | None = None
    from_: _Recipient | None = Field(default=None, alias="from")
    sender: _Recipient | None = None
    to_recipients: _Recipients = ()
    cc_recipients: _Recipients = ()
    received_date_time: Moment = None
    sent_date_time: Moment = None
    created_date_time: Moment = None
    last_modified_date_time: Moment = None
    single_value_extended_properties: _Properties = ()
    is_draft: bool = False
    parent_folder_id: str | None = None
    web_link: str | None = None
    body: _Body | None = None
    unique_body: _Body | None = None

    def author(self) -> Address:
        """Return who wrote it: ``from``, else ``sender``, else nobody."""
        return (self.from_ or self.sender or _Recipient()).address()

    def own_text(self) -> str:
        """Return what this message adds: ``uniqueBody``, or the whole body when there is none."""
        unique = self.unique_body.text().strip() if self.unique_body else ""
        return unique or (self.body.text().strip() if self.body else "")

    def known_at(self) -> datetime | None:
        """Return when it was sent, received or created, whichever is known first."""
        return self.sent_date_time or self.received_date_time or self.created_date_time

    def at(self) -> datetime:
        """Return ``known_at``, or the beginning of time."""
        return self.known_at() or datetime.min.replace(tzinfo=UTC)


class GraphFolder(_Graph):
    """A mail folder's id; folder ids are constant."""

    id: str = Field(min_length=1)


class GraphAttachment(_Graph):
    """An attachment's label and id."""

    id: str = ""
    name: str | None = None
    content_type: str | None = None
    size: int = 0
    is_inline: bool = False  # unknown counts as attached: a picture nobody needs, seen once more


class _Translated(_Graph):
    target_id: str | None = None


class TranslatedIds(_Graph):
    """Answer of ``translateExchangeIds``."""

    value: tuple[_Translated, ...]


def graph_message(item: object, gaps: Gaps | None = None) -> GraphMessage:
    """Read one item; raises ``RemoteUnavailableError`` without a cause that quotes the mail."""
    try:
        return GraphMessage.model_validate(item, context=gaps)
    except ValidationError:
        raise unreadable_failure("reading a message") from None


def thread_message(
    message: GraphMessage, *, ours: Ourselves, sent_folder: str | None
) -> ThreadMessage:
    """Return the message as a noun; ours when an address of ours wrote it or it lies in Sent Items.

    Raises ``RemoteUnavailableError`` without any date: it might be the newest of all.
    """
    sent_at = message.known_at()
    if sent_at is None:
        raise unreadable_failure("reading a message without a date")
    author = message.author()
    in_sent = sent_folder is not None and message.parent_folder_id == sent_folder
    recipients = (*message.to_recipients, *message.cc_recipients)
    return ThreadMessage(
        message_id=message.id,
        internet_message_id=message.internet_message_id,
        sender=author,
        recipients=tuple(recipient.address() for recipient in recipients),
        sent_at=sent_at,
        subject=message.subject or "",
        text=message.own_text(),
        from_us=ours.wrote(author.address) or in_sent,
        is_draft=message.is_draft,
    )


def found_draft(message: GraphMessage, folder: str) -> FoundDraft:
    """Return the message as a finding; ``folder`` is a well-known name or an id."""
    return FoundDraft(
        message_id=message.id,
        folder=folder,
        is_draft=message.is_draft,
        created_at=message.created_date_time or message.at(),
        web_link=_link(message.web_link or ""),
    )


def _link(said: str) -> str:
    """Return an address a person may be sent to: https, a host, nothing in it that is no address.

    Documented of ``webLink``: "The URL to open the message in Outlook on the web."
    """
    return said if _LINK.fullmatch(said) else ""


def standing_draft(message: GraphMessage) -> StandingDraft:
    """Return a draft as a person sees it, with the work order our property names."""
    own = (
        each.value
        for each in message.single_value_extended_properties
        if each.id.lower() == DISPATCH_KEY_PROPERTY.lower()
    )
    created = message.created_date_time or message.at()
    recipients = (*message.to_recipients, *message.cc_recipients)
    return StandingDraft(
        message_id=message.id,
        conversation_id=message.conversation_id,
        key=next(own, None),
        subject=message.subject or "",
        recipients=tuple(recipient.address().address.lower() for recipient in recipients),
        text=message.own_text(),
        created_at=created,
        modified_at=message.last_modified_date_time or created,
    )


def conversation_message(
    message: GraphMessage, folder: str, *, ours: Ourselves
) -> ConversationMessage:
    """Return the message with where it lies; raises as ``thread_message`` does."""
    thread = thread_message(message, ours=ours, sent_folder=None)
    return ConversationMessage(
        message_id=thread.message_id,
        folder=folder,
        is_draft=thread.is_draft,
        from_us=thread.from_us or folder == "sentitems",
        recipients=tuple(address.address.lower() for address in thread.recipients),
        text=thread.text,
        at=thread.sent_at,
        modified_at=message.last_modified_date_time or thread.sent_at,
    )


def carries(body: _Body | None, marker: str) -> bool:
    """Tell whether the marker stands in this body, as is or HTML-escaped."""
    content = (body.content or "") if body else ""
    return marker in content or html.escape(marker) in content


def enclosure(item: GraphAttachment) -> Enclosure:
    """Return the attachment's label and id as a noun."""
    label = Attachment(
        name=item.name or "",
        content_type=item.content_type or "application/octet-stream",
        size=min(max(0, item.size), _LARGEST),
        inline=item.is_inline,
    )
    return Enclosure(attachment_id=item.id, label=label)


def html_to_text(markup: str) -> str:
    """Return the readable text of HTML, block elements on lines of their own."""
    if made_to_exhaust(markup):
        return tags_dropped(markup)
    tree = LexborHTMLParser(markup)
    for node in tree.css("script, style, head"):
        node.decompose()
    for node in tree.css(_BLOCKS):
        node.insert_before("\n")
    lines = (line.strip() for line in tree.text().splitlines())
    return "\n".join(line for line in lines if line)
