"""Reply drafts: what ``createReply`` makes, and Zapier's "Create Draft Reply" through it."""

import html

from swarm.sandbox.graph.mailbox import Mailboxes, Message, address_of, graph_time, recipient
from swarm.sandbox.state import Json

_QUOTED_CHARACTERS = 20_000


def reply_draft(
    mailboxes: Mailboxes,
    original: Message,
    own_html: str,
    *,
    reply_all: bool = False,
    subject: str | None = None,
    quote: bool = True,
) -> Message:
    """Store a reply draft in Drafts: recipients by Reply-To or sender, quoted body, threading."""
    content = original.content
    to = original.texts("replyTo") or [_as_recipient(content.get("from"))]
    cc = _others(original, to) if reply_all else []
    own = str(content.get("subject", ""))
    reference = original.internet_message_id
    return mailboxes.add(
        original.mailbox,
        "drafts",
        {
            "subject": subject or (own if own.lower().startswith("re:") else f"RE: {own}"),
            "from": recipient(original.mailbox),
            "sender": recipient(original.mailbox),
            "toRecipients": to,
            "ccRecipients": cc,
            "isRead": True,
            "html": own_html + (_quotation(original) if quote else ""),
            "uniqueHtml": own_html,
            "headers": [
                {"name": "In-Reply-To", "value": reference},
                {"name": "References", "value": reference},
            ],
        },
        is_draft=True,
        conversation_id=original.conversation_id,
        received=graph_time(),
    )


def _others(original: Message, to: list[Json]) -> list[Json]:
    known = {original.mailbox, *(address_of(each) for each in to)}
    everybody = [*original.texts("toRecipients"), *original.texts("ccRecipients")]
    return [each for each in everybody if address_of(each) not in known]


def _as_recipient(value: object) -> Json:
    return value if isinstance(value, dict) else recipient("unknown@example.com")


def _quotation(original: Message) -> str:
    sender = html.escape(address_of(original.content.get("from")))
    body = str(original.content.get("html", ""))[:_QUOTED_CHARACTERS]
    head = f"<b>From:</b> {sender}<br><b>Sent:</b> {original.received}"
    return f'<hr><div id="divRplyFwdMsg">{head}</div><blockquote>{body}</blockquote>'
