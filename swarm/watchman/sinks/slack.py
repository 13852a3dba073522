"""A Slack incoming webhook, or whatever takes the same body (Mattermost, Discord's /slack).

Source: docs.slack.dev, "Sending messages using incoming webhooks" and "Block Kit": ``text`` is
mrkdwn, in which &, < and > are control signs; ``plain_text`` objects know none. 200 means taken;
400 the payload, 403/404/410 the webhook; 429 with Retry-After after about one message a second.
"""

from pydantic import JsonValue

from swarm.store.alert_kinds import Severity
from swarm.watchman.messages import Course, Notice

_LONGEST_HEADER = 150  # Block Kit's own limit
_CONTROL = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def body_of(message: Notice) -> dict[str, JsonValue]:
    """Return the body of the POST."""
    headline = f"{_sign(message)} {message.headline}"
    link = f"<{message.link.translate(_CONTROL)}|Have a look>"
    return {
        "text": headline.translate(_CONTROL),
        "blocks": [
            {"type": "header", "text": _plain(headline[:_LONGEST_HEADER])},
            {"type": "section", "text": _plain("\n".join(message.lines))},
            {"type": "section", "text": {"type": "mrkdwn", "text": link}},
        ],
    }


def _plain(text: str) -> dict[str, JsonValue]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _sign(message: Notice) -> str:
    if message.course is Course.NEWS:
        return "\N{MEMO}"
    if message.course is not Course.FIRING:
        return "\N{WHITE HEAVY CHECK MARK}"
    pages = message.severity is Severity.PAGE
    return "\N{POLICE CARS REVOLVING LIGHT}" if pages else "\N{WARNING SIGN}"
