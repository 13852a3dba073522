"""What people do with drafts in Outlook: send, throw away, answer otherwise, from any client.

As Graph documents it under immutable ids: a draft that is sent keeps its id and lies in Sent Items
with ``isDraft`` false; the copy may be late, and of a reply sent *as* the shared mailbox it may lie
in the agent's own Sent Items and nowhere else. No client of ours can do any of this; tests and the
automatic human (``automatic``) do it through the control API.
"""

import time

from swarm.sandbox.graph.mailbox import Mailboxes, Message, address_of, graph_time, recipient
from swarm.sandbox.state import Json

AGENT = "agent@example.com"
"""Whose own Sent Items hold what was sent as the shared mailbox."""


class People:
    """Whoever sits in front of the shared mailbox."""

    def __init__(self, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes

    def edit(self, draft: Message, markup: str) -> Message:
        """Put another text into a draft, above the mail it quotes."""
        return self._mailboxes.change(
            draft, {"html": markup + quotation(draft), "uniqueHtml": markup}
        )

    def send(self, draft: Message, *, copy_after: float = 0.0) -> Message:
        """Send a draft; with ``copy_after`` its copy lies nowhere for so many seconds."""
        sent = self._mailboxes.change(draft, {"sentDateTime": graph_time()}, is_draft=False)
        sent = self._mailboxes.move(sent, "sentitems")
        if copy_after > 0:
            self._mailboxes.hide(sent, time.time() + copy_after)
        return sent

    def send_as(self, draft: Message, agent: str = AGENT) -> Message:
        """Send a draft as the shared mailbox: the only copy lies in the agent's own Sent Items."""
        copy = self._sent(agent, draft, str(draft.content.get("uniqueHtml") or ""))
        self._mailboxes.purge(draft)
        return copy

    def answer(self, beside: Message, markup: str, *, to: str = "") -> Message:
        """Answer the customer by a new mail in the conversation; a draft stays where it is."""
        return self._sent(beside.mailbox, beside, markup, to=to)

    def send_elsewhere(self, draft: Message, markup: str = "", *, keep: bool = False) -> Message:
        """Send from another client: the draft is gone, a new mail lies in Sent Items.

        ``markup`` defaults to what the draft said. With ``keep`` the draft lies in Deleted Items.
        """
        sent = self.answer(draft, markup or str(draft.content.get("uniqueHtml") or ""))
        if keep:
            self._mailboxes.move(draft, "deleteditems")
        else:
            self._mailboxes.purge(draft)
        return sent

    def _sent(self, mailbox: str, like: Message, markup: str, *, to: str = "") -> Message:
        receivers = [recipient(to)] if to else self._customer(like)
        content: Json = {
            "subject": like.content.get("subject", ""),
            "from": recipient(like.mailbox),
            "sender": recipient(mailbox),
            "toRecipients": receivers,
            "isRead": True,
            "html": markup + quotation(like),
            "uniqueHtml": markup,
        }
        return self._mailboxes.add(
            mailbox, "sentitems", content, conversation_id=like.conversation_id
        )

    def _customer(self, beside: Message) -> list[Json]:
        if receivers := (beside.texts("toRecipients") if beside.is_draft else []):
            return receivers
        if answered := beside.texts("replyTo"):
            return answered
        sender = beside.content.get("from")
        return [sender] if isinstance(sender, dict) and address_of(sender) else []


def quotation(message: Message) -> str:
    """Return what a draft or mail quotes below its own part."""
    own, whole = (str(message.content.get(name) or "") for name in ("uniqueHtml", "html"))
    return whole[len(own) :] if own and whole.startswith(own) else ""
