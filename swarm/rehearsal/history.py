"""The files that today's path would have left behind: work orders, outbox, what was sent, labels.

Work orders stand in a dialect of their own, as another house's daemon writes them, so that the
mapping is rehearsed, too. The outbox is written by today's own stages. What lives elsewhere: the
customers (``customers``), the import itself (``swarm.shadow.history``).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from swarm.legacy.pipeline_daemon import outbox_line
from swarm.rehearsal.customers import Wrote

MAPPING = """\
# From the names of the old daemon to ours (docs/history.md).
[order]
id = "wo"
mailbox = "box"
message_id = "graph_id"
internet_message_id = "header_id"
conversation_id = "talk"
"sender.address" = "from.mail"
"sender.name" = "from.display"
to = "box"
subject = { at = "betreff", default = "" }
body_text = "plain"
received_at = { at = "eingang", date = "%d.%m.%Y %H:%M:%S %z" }
source = { value = "history" }
"""
_SIGNATURE = "Customer Service"


@dataclass(frozen=True, slots=True)
class HistoryFiles:
    """Where the files lie."""

    orders: Path
    outbox: Path
    sent: Path
    labels: Path
    mapping: Path


def write_history(folder: Path, mails: Iterable[Wrote], mailbox: str) -> HistoryFiles:
    """Write the five files of these mails; returns where they lie."""
    folder.mkdir(parents=True, exist_ok=True)
    files = HistoryFiles(
        folder / "old_work_orders.jsonl",
        folder / "old_outbox.jsonl",
        folder / "old_sent.jsonl",
        folder / "old_labels.jsonl",
        folder / "mapping.toml",
    )
    written = list(mails)
    standard = [_order(mail, mailbox) for mail in written]
    outbox = [outbox_line(_line(order), _SIGNATURE) or b"" for order in standard]
    files.orders.write_bytes(
        b"".join(
            _line(_dialect(order, mail)) for order, mail in zip(standard, written, strict=True)
        )
    )
    files.outbox.write_bytes(b"".join(outbox))
    files.sent.write_bytes(b"".join(_sent(written, outbox)))
    files.labels.write_bytes(b"".join(_line(_label(mail)) for mail in written))
    files.mapping.write_text(MAPPING, "utf-8")
    return files


def _order(mail: Wrote, mailbox: str) -> dict[str, object]:
    return {
        "schema_version": "1",
        "id": mail.id,
        "source": "history",
        "mailbox": mailbox,
        "message_id": f"AAMk-{mail.id}",
        "internet_message_id": f"<{mail.id}@example.org>",
        "conversation_id": f"talk-{mail.id}",
        "sender": {"address": mail.address, "name": mail.name},
        "to": [{"address": mailbox, "name": ""}],
        "subject": mail.subject,
        "body_text": mail.text,
        "received_at": mail.received_at.isoformat(),
    }


def _dialect(order: dict[str, object], mail: Wrote) -> dict[str, object]:
    return {
        "wo": order["id"],
        "box": order["mailbox"],
        "graph_id": order["message_id"],
        "header_id": order["internet_message_id"],
        "talk": order["conversation_id"],
        "from": {"mail": mail.address, "display": mail.name},
        "betreff": order["subject"],
        "plain": order["body_text"],
        "eingang": mail.received_at.strftime("%d.%m.%Y %H:%M:%S %z"),
    }


def _sent(mails: Iterable[Wrote], outbox: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what went out for each mail: a person's own answer, or today's draft as it was."""
    for mail, line in zip(mails, outbox, strict=True):
        drafted = json.loads(line)
        text = mail.answer if mail.answer is not None else drafted["body_text"]
        yield _line({"id": mail.id, "text": text, "sent_at": mail.received_at.isoformat()})


def _label(mail: Wrote) -> dict[str, object]:
    return {"id": mail.id, "classes": [mail.label.value] if mail.label else []}


def _line(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
