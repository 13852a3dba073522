"""A person who works the Drafts folder by himself, with known probabilities.

What he does with a draft follows from the seed and from the mail the draft answers, never from when
he looks or from an id the double drew: the same seed does the same to the same drafts. What lives
elsewhere: each act itself (``graph.people``).
"""

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from swarm.sandbox.addresses import MAILBOX
from swarm.sandbox.graph.mailbox import Mailboxes, Message
from swarm.sandbox.graph.people import People
from swarm.sandbox.state import Json

ACTS = (
    "unchanged",
    "edited",
    "rewritten",
    "discarded",
    "purged",
    "answered",
    "elsewhere",
    "send_as",
    "left",
)
_LOOK_SECONDS = 0.2
_AT_ONCE = 50
_POLITE = "<p>Please write to us again if anything is left open.</p>"
_OTHERWISE = (
    "<p>Good day,</p><p>I have looked into this myself and rang the warehouse: they promised to"
    " ring you back before the weekend. Until then please keep the parcel closed.</p><p>Robin</p>"
)


@dataclass(slots=True)
class Automatic:
    """The automatic human; at rest until somebody gives him odds."""

    people: People
    mailboxes: Mailboxes
    seed: str = ""
    odds: Mapping[str, float] = field(default_factory=dict)
    unanswered: float = 0.0
    unanswered_after: float = 60.0
    delay_seconds: float = 0.0
    done: dict[str, str] = field(default_factory=dict)

    def configure(self, wanted: Json) -> Json:
        """Set seed, odds by act and delay; without odds he rests. Returns what he did so far.

        ``unanswered`` is the share of mails without any draft that he answers himself once they lie
        there for ``unanswered_after`` seconds: so long a draft has time to appear.
        """
        if "odds" in wanted:
            given = wanted["odds"] if isinstance(wanted["odds"], dict) else {}
            if strange := sorted(set(given) - set(ACTS)):
                raise ValueError(f"unknown act {strange[0]}; known: {', '.join(ACTS)}")
            self.odds = {name: float(str(given[name])) for name in ACTS if name in given}
        if "seed" in wanted:
            self.seed = str(wanted["seed"])
        self.delay_seconds = float(str(wanted.get("delay_seconds", self.delay_seconds)))
        self.unanswered = float(str(wanted.get("unanswered", self.unanswered)))
        after = wanted.get("unanswered_after", self.unanswered_after)
        self.unanswered_after = float(str(after))
        counts = {name: list(self.done.values()).count(name) for name in (*ACTS, "undrafted")}
        return {"seed": self.seed, "odds": dict(self.odds), "done": counts}

    async def work(self) -> None:
        """Look at the Drafts folder now and then, for ever."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self, mailbox: str = MAILBOX) -> int:
        """Do to each draft that waited long enough what is done to it; returns to how many."""
        if not self.odds and not self.unanswered:
            return 0
        before = len(self.done)
        folder = self.mailboxes.folder_id(mailbox, "drafts")
        for draft in self.mailboxes.find(mailbox, "is_draft = 1 AND folder = ?", [folder], 10_000):
            if len(self.done) - before < _AT_ONCE and self._ripe(draft, self.delay_seconds):
                self._act(draft)
        if self.unanswered:
            self._answer_undrafted(mailbox)
        return len(self.done) - before

    def chosen(self, draft: Message) -> str:
        """Return what is done to a draft."""
        luck = self._luck("draft", draft) * sum(self.odds.values())
        for act, share in self.odds.items():
            luck -= share
            if luck < 0:
                return act
        return "left"

    def _ripe(self, message: Message, seconds: float) -> bool:
        age = time.time() - float(str(message.content.get("storedAt") or 0.0))
        return message.immutable_id not in self.done and age >= seconds

    def _act(self, draft: Message) -> None:
        act = self.done[draft.immutable_id] = self.chosen(draft) if self.odds else "left"
        own = str(draft.content.get("uniqueHtml") or "")
        if act == "unchanged":
            self.people.send(draft)
        elif act == "edited":
            self.people.send(self.people.edit(draft, own + _POLITE))
        elif act == "rewritten":
            self.people.send(self.people.edit(draft, _OTHERWISE))
        elif act == "discarded":
            self.mailboxes.move(draft, "deleteditems")
        elif act == "purged":
            self.mailboxes.purge(draft)
        elif act == "answered":
            self.people.answer(draft, _OTHERWISE)
        elif act == "elsewhere":
            self.people.send_elsewhere(draft)
        elif act == "send_as":
            self.people.send_as(draft)

    def _answer_undrafted(self, mailbox: str) -> None:
        inbox = self.mailboxes.folder_id(mailbox, "inbox")
        for mail in self.mailboxes.find(mailbox, "folder = ?", [inbox], 10_000):
            ripe = self._ripe(mail, self.unanswered_after)
            if not ripe or self._ours_in(mailbox, mail.conversation_id):
                continue
            answers = self._luck("mail", mail) < self.unanswered
            self.done[mail.immutable_id] = "undrafted" if answers else "left"
            if answers:
                self.people.answer(mail, _OTHERWISE)

    def _ours_in(self, mailbox: str, conversation: str) -> bool:
        sent = self.mailboxes.folder_id(mailbox, "sentitems")
        where = "conversation_id = ? AND (is_draft = 1 OR folder = ?)"
        return bool(self.mailboxes.find(mailbox, where, [conversation, sent], 1))

    def _luck(self, what: str, message: Message) -> float:
        """Return a number in [0, 1) that depends on the seed and on which mail is answered."""
        headers = {str(h.get("name")): str(h.get("value")) for h in message.texts("headers")}
        answered = headers.get("In-Reply-To") if message.is_draft else message.internet_message_id
        named = answered or f"{message.conversation_id} {message.content.get('subject')}"
        digest = hashlib.sha256(f"{self.seed}\n{what}\n{named}".encode()).digest()
        return int.from_bytes(digest[:8]) / 2**64
