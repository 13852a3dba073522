"""What a look into the mailbox means: which of the acts it was. Pure.

The draft we know by its immutable id, which it keeps when it is sent, moved or thrown away, and by
its reference line, should a person have sent it anew from another client. Everything else that one
of us sent to the customer in the conversation after his mail is a person's own answer; a forward to
a colleague is none, nor is the draft for another of his mails, which names its own work order. A
draft that is gone without a trace means nothing before a copy had time to appear, and says nothing
afterwards: it may have been deleted for good, or sent as the shared mailbox with its only copy in
the sender's own Sent Items.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from swarm.clients.outlook_messages import html_to_text
from swarm.clients.protocol import ConversationMessage
from swarm.publishing.ledger.marker import draft_marker
from swarm.shadow.likeness import act_of, names_a_work_order, own_part, plain
from swarm.shadow.models import Act
from swarm.store.reply_outcomes import GONE, LOOKED_FOR, ReplyFound, Waiting

SETTLING: Final = timedelta(hours=1)
"""So long a copy in Sent Items may be late before its absence means anything."""

_TOO_LATE: Final = "nothing was found in fourteen days"
_STANDS: Final = "the draft still stands"
_ELSEWHERE: Final = "sent as a new message, from another client as it seems"
_OWN_WORDS: Final = "thrown away; the customer was answered in other words"
_ASTRAY: Final = "the draft went to somebody else than the customer"
_THROWN_AWAY: Final = frozenset({"deleteditems", "junkemail"})
_MOST_KEPT: Final = 100_000  # characters of what was sent


def judged(
    row: Waiting, seen: Sequence[ConversationMessage], signature: str, *, settling: timedelta
) -> ReplyFound:
    """Return what a person did, as far as the mailbox shows it now."""
    copies = [each for each in seen if _is_the_draft(row, each)]
    answers = [each for each in seen if _is_an_answer(row, each, copies)]
    sent = [each for each in copies if not each.is_draft]
    if reached := [each for each in sent if _reaches(row, each)]:
        return _sent(row, reached[0], signature)
    standing = [each for each in copies if each.is_draft and each.folder not in _THROWN_AWAY]
    if standing:
        return _beside(row, answers, signature)
    if copies:
        return _thrown_away(row, answers, signature, _ASTRAY if sent else "")
    if answers:
        return _answered(row, answers, signature)
    if row.publisher is None:
        return _still_open(row, "")
    return _vanished(row, settling)


def _is_the_draft(row: Waiting, message: ConversationMessage) -> bool:
    if row.draft_id and message.message_id == row.draft_id:
        return True
    # By the key, not by what was offered: a draft may stand that the ledger knows nothing of yet.
    marked = draft_marker(row.work_order_key) in plain(message.text)
    return marked and (message.is_draft or message.from_us)


def _is_an_answer(
    row: Waiting, message: ConversationMessage, copies: Sequence[ConversationMessage]
) -> bool:
    ours = message.from_us and not message.is_draft and message.message_id != row.inbound_id
    after = message.at >= row.received_at.replace(microsecond=0)
    elsewhere = names_a_work_order(message.text)
    return ours and after and not elsewhere and message not in copies and _reaches(row, message)


def _reaches(row: Waiting, message: ConversationMessage) -> bool:
    return not row.customers or not set(row.customers).isdisjoint(message.recipients)


def _sent(row: Waiting, message: ConversationMessage, signature: str) -> ReplyFound:
    offered = _offered(row)
    own = own_part(message.text, signature)[:_MOST_KEPT]
    how = "" if message.message_id == row.draft_id else _ELSEWHERE
    if not offered:
        said = "it was sent; what was offered is not on record"
        return ReplyFound(
            act=Act.UNKNOWN, detail=said, acted_at=message.at, sent_text=own, settled=True
        )
    act, likeness = max(
        (act_of(each, message.text, signature) for each in offered),
        key=lambda found: (found[0] is Act.SENT_UNCHANGED, found[1]),
    )
    return ReplyFound(
        act=act,
        detail=how,
        similarity=likeness,
        acted_at=message.at,
        sent_text=own,
        settled=True,
    )


def _beside(row: Waiting, answers: Sequence[ConversationMessage], signature: str) -> ReplyFound:
    """The draft stands: open, unless somebody answered past it; he may still send it."""
    if not answers:
        return _still_open(row, "")
    return _own_answer(Act.ANSWERED_OTHERWISE, _STANDS, answers, signature, settled=False)


def _thrown_away(
    row: Waiting, answers: Sequence[ConversationMessage], signature: str, why: str
) -> ReplyFound:
    if answers:
        return _own_answer(Act.DISCARDED, why or _OWN_WORDS, answers, signature, settled=True)
    return ReplyFound(
        act=Act.DISCARDED, detail=why, acted_at=row.acted_at or row.now, settled=_is_old(row)
    )


def _answered(row: Waiting, answers: Sequence[ConversationMessage], signature: str) -> ReplyFound:
    """No trace of a draft, but an answer: the draft itself, sent as a new message, or another."""
    likely = _sent(row, answers[0], signature) if row.publisher and _offered(row) else None
    if likely and likely.act in (Act.SENT_UNCHANGED, Act.SENT_EDITED):
        return likely
    return _own_answer(Act.ANSWERED_OTHERWISE, "", answers, signature, settled=True)


def _own_answer(
    act: Act,
    detail: str,
    answers: Sequence[ConversationMessage],
    signature: str,
    *,
    settled: bool,
) -> ReplyFound:
    first = answers[0]
    text = own_part(first.text, signature)[:_MOST_KEPT]
    return ReplyFound(act=act, detail=detail, acted_at=first.at, sent_text=text, settled=settled)


def _vanished(row: Waiting, settling: timedelta) -> ReplyFound:
    """Gone: what was seen of it before stays; otherwise it means nothing until it must."""
    if row.act not in {Act.OPEN, Act.UNKNOWN}:
        return _as_known(row)
    gone_since = row.acted_at or row.now
    if row.now - gone_since < settling and not _is_old(row):
        return ReplyFound(
            act=Act.OPEN, detail="the draft is gone; no copy yet", acted_at=gone_since
        )
    return ReplyFound(act=Act.UNKNOWN, detail=GONE, acted_at=gone_since, settled=_is_old(row))


def given_up(row: Waiting) -> ReplyFound | None:
    """Return the end of a row that nobody could look at for fourteen days; None before."""
    if not _is_old(row):
        return None
    return _still_open(row, "") if row.act == Act.OPEN else _as_known(row)


def _as_known(row: Waiting) -> ReplyFound:
    return ReplyFound(
        act=row.act,
        detail=row.detail,
        similarity=row.similarity,
        acted_at=row.acted_at,
        sent_text=row.sent_text,
        settled=_is_old(row),
    )


def _still_open(row: Waiting, detail: str) -> ReplyFound:
    if _is_old(row):
        return ReplyFound(act=Act.UNKNOWN, detail=_TOO_LATE, settled=True)
    return ReplyFound(act=Act.OPEN, detail=detail)


def _is_old(row: Waiting) -> bool:
    return row.now - _began(row) >= LOOKED_FOR


def _began(row: Waiting) -> datetime:
    return row.offered_at or row.opened_at


def _offered(row: Waiting) -> tuple[str, ...]:
    return tuple(each for each in (row.body_text, html_to_text(row.body_html)) if each.strip())
