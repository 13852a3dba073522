"""Invented work orders of before, as today's programs would have left them: orders and outbox."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from swarm.legacy.pipeline_daemon import outbox_line

_ASKS = (
    "when will my order {n} be delivered?",
    "could you tell me whether article {n} is in stock again?",
    "do you ship to Norway, and what does it cost for order {n}?",
    "wann wird meine Bestellung {n} geliefert? Ich warte schon seit zwei Wochen auf die Lieferung.",
    "how do I change the address of order {n}?",
)
_DANGERS = (
    "my lawyer will sue you over order {n}.",
    "this is unacceptable, I want to complain about order {n}.",
    "the machine of order {n} caught fire and my husband was injured.",
)


def write(folder: Path, number: int, *, seed: int = 1, prefix: str = "old") -> tuple[Path, Path]:
    """Write so many work orders and what legacy made of them; returns both files."""
    draw = random.Random(seed)
    orders, outbox = folder / f"{prefix}-orders.jsonl", folder / f"{prefix}-outbox.jsonl"
    begin = datetime(2026, 5, 1, 8, tzinfo=UTC)
    with orders.open("wb") as mails, outbox.open("wb") as decided:
        for n in range(number):
            line = _line(f"{prefix}-{n:05}", n, draw, begin + timedelta(minutes=40 * n))
            mails.write(line + b"\n")
            decided.write(outbox_line(line, "Customer Service") or b"")
    return orders, outbox


def _line(name: str, n: int, draw: random.Random, at: datetime) -> bytes:
    asks = _DANGERS if draw.random() < 0.2 else _ASKS
    ask = draw.choice(asks).format(n=20_000 + n)
    return json.dumps(
        {
            "schema_version": "1",
            "id": name,
            "message_id": f"m-{name}",
            "conversation_id": f"c-{name}",
            "mailbox": "service@example.com",
            "sender": {"address": f"{name}@customer.example", "name": "Kim Berg"},
            "to": [{"address": "service@example.com", "name": ""}],
            "subject": f"A question about {n}",
            "body_text": f"Hello,\n\n{ask}\n\nKind regards\nKim Berg",
            "received_at": at.isoformat(),
            "source": "outlook",
        }
    ).encode()
