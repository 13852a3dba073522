"""What a client sees of a message: selected fields, the id it asked for, text or HTML."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

from swarm.sandbox.graph.mailbox import Message
from swarm.sandbox.state import Json

ON_SELECT_ONLY = ("uniqueBody", "internetMessageHeaders")
_BLOCKS = frozenset({"p", "div", "br", "li", "tr", "blockquote", "h1", "h2", "h3"})


@dataclass(frozen=True, slots=True)
class Preferences:
    """The ``Prefer`` header, understood."""

    immutable: bool = False
    text: bool = False
    page_size: int | None = None

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> "Preferences":
        """Read the combined header value."""
        value = headers.get("prefer", "")
        size = re.search(r"odata\.maxpagesize=(\d+)", value)
        return cls(
            immutable=re.search(r'IdType\s*=\s*"?ImmutableId"?', value, re.IGNORECASE) is not None,
            text=re.search(r'outlook\.body-content-type="?text"?', value) is not None,
            page_size=int(size.group(1)) if size else None,
        )

    def applied(self) -> dict[str, str]:
        """Return the ``Preference-Applied`` header."""
        parts = ['IdType="ImmutableId"'] if self.immutable else []
        parts += ['outlook.body-content-type="text"'] if self.text else []
        parts += [f"odata.maxpagesize={self.page_size}"] if self.page_size else []
        return {"preference-applied": ", ".join(parts)} if parts else {}


def message_id(message: Message, preferences: Preferences) -> str:
    """Return the id in the form the client asked for."""
    return message.immutable_id if preferences.immutable else message.rest_id


def rendered(message: Message, preferences: Preferences, select: tuple[str, ...] = ()) -> Json:
    """Return the message as Graph JSON; ``id`` always, the rest as selected or by default."""
    whole = _whole(message, preferences)
    names = select or tuple(name for name in whole if name not in ON_SELECT_ONLY)
    chosen = {name: whole[name] for name in names if name in whole}
    return {"@odata.etag": f'W/"{whole["changeKey"]}"', **chosen, "id": whole["id"]}


def _whole(message: Message, preferences: Preferences) -> Json:
    content = message.content
    markup, unique = str(content.get("html", "")), str(content.get("uniqueHtml", ""))
    identifier = message_id(message, preferences)
    return {
        "id": identifier,
        "createdDateTime": content.get("createdDateTime"),
        "lastModifiedDateTime": content.get("lastModifiedDateTime"),
        "changeKey": content.get("changeKey"),
        "categories": [],
        "receivedDateTime": message.received,
        "sentDateTime": content.get("sentDateTime"),
        "hasAttachments": any(not each.get("isInline") for each in message.texts("attachments")),
        "internetMessageId": message.internet_message_id,
        "subject": content.get("subject", ""),
        "bodyPreview": html_to_text(unique or markup)[:255],
        "importance": "normal",
        "parentFolderId": message.folder,
        "conversationId": message.conversation_id,
        "isRead": bool(content.get("isRead")),
        "isDraft": message.is_draft,
        "webLink": f"https://outlook.office365.com/owa/?ItemID={identifier}",
        "sender": content.get("sender") or content.get("from"),
        "from": content.get("from"),
        "replyTo": message.texts("replyTo"),
        "toRecipients": message.texts("toRecipients"),
        "ccRecipients": message.texts("ccRecipients"),
        "bccRecipients": [],
        "body": _body(markup, preferences),
        "uniqueBody": _body(unique or markup, preferences),
        "internetMessageHeaders": message.texts("headers"),
    }


def _body(markup: str, preferences: Preferences) -> Json:
    if preferences.text:
        return {"contentType": "text", "content": html_to_text(markup)}
    return {"contentType": "html", "content": markup}


_LONGEST_PARSED = 50_000  # html.parser looks again and again for the end of what has none
_TAG = re.compile(r"<[^<>]{0,2000}>")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "head"):
            self._hidden += 1
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head"):
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def html_to_text(markup: str) -> str:
    """Return HTML as the plain text Exchange would give, more or less."""
    if len(markup) > _LONGEST_PARSED:
        return "\n".join(" ".join(line.split()) for line in _TAG.sub("\n", markup).split("\n"))
    parser = _Text()
    parser.feed(markup)
    parser.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(parser.parts)).strip()


def text_to_html(text: str) -> str:
    """Return plain text as simple HTML."""
    return "<div>" + html.escape(text, quote=False).replace("\n", "<br>") + "</div>"
