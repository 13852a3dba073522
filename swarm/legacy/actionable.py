"""Does a mail need an answer at all? Today's decision; pure, it returns its reason."""

import re

from swarm.legacy.events import MailEvent

_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_BOUNCERS = re.compile(
    r"^(?:mailer-daemon|postmaster|bounces?|no-?reply-bounces?)(?:[+@-]|$)", re.IGNORECASE
)
_ANSWERING_MACHINES = ("x-autoreply", "x-autorespond")


def why_ignored(event: MailEvent) -> str | None:
    """Return why nobody needs to answer this mail; None when somebody does.

    Sources: RFC 3834 (Auto-Submitted), RFC 2919 (List-Id), RFC 3464 (delivery reports).
    """
    sender = event["sender"]
    if sender is None:
        return "no sender"
    if sender["address"].lower() == event["mailbox"].lower():
        return "own mail"
    if reason := _machine(event):
        return reason
    if not any((event["subject"].strip(), _something(event), event["attachments"])):
        return "empty"
    return None


def _machine(event: MailEvent) -> str | None:
    headers = event["headers"]
    address = event["sender"]["address"] if event["sender"] else ""
    if _BOUNCERS.match(address) or event["content_type"] == "multipart/report":
        return "bounce"
    if "x-failed-recipients" in headers or headers.get("return-path", "").strip() == "<>":
        return "bounce"
    if headers.get("auto-submitted", "no").split(";")[0].strip().lower() != "no":
        return "auto-submitted"
    if any(name in headers for name in _ANSWERING_MACHINES):
        return "auto-reply"
    if headers.get("precedence", "").strip().lower() in _BULK or "list-id" in headers:
        return "bulk or list mail"
    return None


def _something(event: MailEvent) -> bool:
    page = re.sub(r"<[^<>]{0,2000}>|&nbsp;|\s", "", event["body_html"])
    return bool(event["body_text"].strip() or page)
