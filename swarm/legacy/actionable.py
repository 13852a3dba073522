"""An event as the classifier sees it: what the intake writes down about a mail that goes nowhere.

The decision itself is ``sorting.classifier``; here is only the way from our line to its question.
"""

from swarm.legacy.events import MailEvent
from swarm.ourselves import Ourselves
from swarm.sorting.classifier import Mail, SortedOut, why_sorted_out


def why_ignored(event: MailEvent, ours: Ourselves | None = None) -> SortedOut | None:
    """Return why nobody needs to answer this mail; None when somebody does.

    Without ``ours`` nothing is known of us but the mailbox the mail came to.
    """
    return why_sorted_out(_mail(event, ours or Ourselves(mailbox=event["mailbox"])))


def _mail(event: MailEvent, ours: Ourselves) -> Mail:
    """Lines of older versions have neither part types nor the whole content type."""
    return Mail(
        ours=ours,
        sender=event["sender"]["address"] if event["sender"] else None,
        reply_to=tuple(each["address"] for each in event["reply_to"]),
        subject=event["subject"],
        text=event["body_text"],
        html=event["body_html"],
        attachments=tuple(each["content_type"] for each in event["attachments"]),
        part_types=tuple(event.get("part_types", ())),
        headers={"content-type": event["content_type"], **event["headers"]},
        kind=event.get("kind", ""),
        unread=event["truncated"] or bool(event.get("unread")),
    )
