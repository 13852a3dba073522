"""A Teams workflow that posts the card it is sent ("when a Teams webhook request is received").

Source: learn.microsoft.com, "Create incoming webhooks with Workflows": a message whose attachment
is an Adaptive Card; 202 means taken. Texts are ``TextRun``s, which know no markdown: a key with
underscores would else lose them. The old connectors (MessageCard) are gone and not spoken.
"""

from pydantic import JsonValue

from swarm.store.alert_kinds import Severity
from swarm.watchman.messages import Course, Notice

_CARD = "application/vnd.microsoft.card.adaptive"


def body_of(message: Notice) -> dict[str, JsonValue]:
    """Return the body of the POST."""
    run: dict[str, JsonValue] = {"weight": "Bolder", "size": "Medium", "color": _colour(message)}
    card: JsonValue = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [_text(message.headline, run), *(_text(line, {}) for line in message.lines)],
        "actions": [{"type": "Action.OpenUrl", "title": "Have a look", "url": message.link}],
    }
    attachment: JsonValue = {"contentType": _CARD, "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _text(text: str, look: dict[str, JsonValue]) -> JsonValue:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


def _colour(message: Notice) -> str:
    if message.course is Course.NEWS:
        return "Default"
    if message.course is not Course.FIRING:
        return "Good"
    return "Attention" if message.severity is Severity.PAGE else "Warning"
