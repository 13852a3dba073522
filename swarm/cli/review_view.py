"""Lists of mails as a person reads them in a terminal of any width: a key is never cut.

Each mail has a line that begins with its key; what is said about it stands below, wrapped and
indented.
Foreign text is printed without control characters (``plain``).
"""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from swarm.observe.review.drafts import WaitingDraft
from swarm.observe.review.escalations import EscalationItem
from swarm.observe.review.search import FoundMail, SearchResult
from swarm.observe.review.today import Day, WaitingNow
from swarm.observe.review.words import age_in_words, classes_in_words

_INDENT = (0, 0, 0, 4)
_LINES_OF_A_MAIL = 4


def print_today(console: Console, today: Day, now: WaitingNow) -> None:
    """Print a day in numbers and what waits."""
    share, median = today.share_sent_unchanged, today.seconds_to_draft
    said = "nothing sent yet" if share is None else f"{share:.0%} of {today.sent} unchanged"
    took = "" if median is None else f", to a draft {age_in_words(median)} (median)"
    _print(console, "today", "bold")
    _print(
        console,
        f"{today.came_in} came in, {today.drafted} drafted, {today.escalated} escalated,"
        f" {today.declined} declined; sent: {said}{took}",
        indent=True,
    )
    _print(
        console,
        f"waiting: {now.drafts_waiting} drafts, {now.people_wait} for a person"
        f" ({now.overdue} overdue), {now.stuck} held or given up, {now.alerts_open} open alerts",
        "red" if now.overdue else "",
        indent=True,
    )


def print_drafts(console: Console, drafts: Sequence[WaitingDraft]) -> None:
    """Print the drafts that wait."""
    _print(console, f"drafts that wait: {len(drafts) or 'none'}", "bold")
    for each in drafts:
        _print(console, f"{each.key}  {age_in_words(each.age_seconds)}")
        link = (each.link,) if each.link else ()
        _below(console, [_sender(each), plain(each.subject), each.why, *link])


def print_escalations(
    console: Console, items: Sequence[EscalationItem], *, mails: bool = True
) -> None:
    """Print the work list; without ``mails`` nothing of a mail stands in it."""
    _print(console, f"for a person: {len(items) or 'none'}", "bold")
    for each in items:
        _print(console, each.key)
        _print(
            console,
            f"{due_in_words(each)}, owner {plain(each.owner)}",
            "red" if each.overdue else "",
            indent=True,
        )
        _below(console, [classes_in_words(each.classes, each.state)])
        if mails:
            _below(console, [_sender(each), plain(each.subject)])
        lines = [plain(line) for line in each.text.splitlines() if line.strip()]
        _below(console, (f"> {line[:300]}" for line in lines[:_LINES_OF_A_MAIL]))


def print_found(console: Console, found: SearchResult) -> None:
    """Print what a search looked for and found."""
    looked = ", and ".join(found.searched) or "nothing: no word of it can be looked for"
    _print(console, f"looked for {looked}")
    for each in found.mails:
        _print(console, f"{each.key}  {each.state.value}")
        _below(
            console, [f"{each.received_at:%Y-%m-%d %H:%M} UTC", _sender(each), plain(each.subject)]
        )
    if found.more:
        _print(console, "and older ones: say more of it")
    elif not found.mails:
        _print(console, "nothing fits")


def due_in_words(item: EscalationItem) -> str:
    """Say how an escalation stands with its time."""
    if item.acknowledged_at is not None:
        return f"taken by {plain(item.acknowledged_by or 'somebody')}"
    span = age_in_words(abs(item.seconds_left))
    return f"OVERDUE by {span}" if item.overdue else f"{span} left"


def plain(text: str) -> str:
    """Return foreign text on one line, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _sender(mail: WaitingDraft | EscalationItem | FoundMail) -> str:
    named = f"{mail.sender_name} <{mail.sender}>" if mail.sender_name else mail.sender
    return plain(named)


def _below(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        if line.strip():
            _print(console, line, "dim", indent=True)


def _print(console: Console, line: str, style: str = "", *, indent: bool = False) -> None:
    text = Text(line, style)
    console.print(Padding(text, _INDENT, expand=False) if indent else text, soft_wrap=not indent)
