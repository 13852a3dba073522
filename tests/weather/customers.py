"""Normal mail, all the time: invented customers in seven languages, and the house's people.

The same seed writes the same mails in the same order. A mail the doubles do not take (they were
killed) is sent again until they do, as mail servers do.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from random import Random

import httpx
import psycopg

from swarm.installation.feeding import InboxDouble
from swarm.legacy.events import event_from_eml
from swarm.rehearsal.customers import Wrote, one_that_is_answered, past_mails
from swarm.samples import mails
from swarm.sandbox.remote import SandboxControl
from weather.house import House

_MAILBOX = "service@example.com"
# Of what people do with drafts; the rest is left lying.
_HABITS = {"unchanged": 5, "edited": 3, "rewritten": 1, "discarded": 1, "answered": 1, "left": 4}
_MOST_OPEN = 40  # on a busy machine customers wait, or the end would not come in time
_STATUS = ("Hello,", "Good morning,", "Dear team,")


class Customers:
    """Writes a mail every few seconds until told to stop; ``written`` are their Message-IDs."""

    def __init__(self, house: House, seed: int, every: float) -> None:
        self._house, self._seed, self._every = house, seed, every
        self.written: dict[str, float] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Let the house's people and the customers begin."""
        with self._house.sandbox() as control:
            control.load_samples()
            control.human_auto(seed=str(self._seed), odds=_HABITS, delay_seconds=25)
            if self._house.thinker == "model":
                _teach(control)
        self._thread.start()

    def stop(self) -> None:
        """Write no more."""
        self._done.set()
        self._thread.join()

    def _work(self) -> None:
        chance, turns = Random(f"{self._seed}:pace"), _turns(self._seed)
        for number, turn in zip(count(), turns, strict=False):
            while not self._done.is_set():
                with suppress(httpx.HTTPError, OSError, ValueError):
                    self._send(turn, number)
                    break
                self._done.wait(1)
            if self._done.wait(chance.uniform(0.5, 1.5) * self._every):
                return
            while self._too_many_open() and not self._done.wait(2):
                pass

    def _too_many_open(self) -> bool:
        query = "SELECT count(*)::int AS n FROM work_orders WHERE final_at IS NULL"
        try:
            return bool(self._house.rows(query)[0]["n"] > _MOST_OPEN)
        except psycopg.Error:
            return False

    def _send(self, turn: Wrote | bytes | int, number: int) -> None:
        with self._house.sandbox() as control:
            if isinstance(turn, bytes):
                event = event_from_eml(turn, _MAILBOX, now=datetime.now(UTC))
                event["received_at"] = datetime.now(UTC).isoformat()
                event["internet_message_id"] = name = f"<sample-{self._seed}-{number}@example.org>"
                InboxDouble(control.url).place(event, turn)
            elif isinstance(turn, int):
                name = self._order_status(control, turn)
            else:
                name = f"<{turn.id}@example.org>"
                control.seed_mail(
                    turn.address,
                    sender_name=turn.name,
                    subject=turn.subject,
                    body_text=turn.text,
                    internet_message_id=name,
                    received_at=datetime.now(UTC),
                )
        self.written[name] = time.monotonic()

    def _order_status(self, control: SandboxControl, number: int) -> str:
        """A known customer asks for the state of an order that the CRM has."""
        sender, order = f"buyer-{self._seed}-{number}@example.org", 20_000 + number
        contact = control.add_contact("Anna Keller", sender)
        control.add_deal(f"Order {order}", contact, status="Shipped", delivery_date="2027-01-15")
        name = f"<order-{self._seed}-{number}@example.org>"
        text = f"{_STATUS[number % 3]}\n\nwhat is the status of my order {order}?\n\nAnna Keller\n"
        control.seed_mail(
            sender, sender_name="Anna Keller", subject=f"Order {order}", body_text=text,
            internet_message_id=name, received_at=datetime.now(UTC),
        )  # fmt: skip
        return name


def _turns(seed: int) -> Iterator[Wrote | bytes | int]:
    """Questions the house answers, order states, everything customers write, and the samples."""
    chance = Random(f"{seed}:mails")
    samples = [raw for _, raw in mails()]
    of_all_kinds = past_mails(seed, 2000, datetime.now(UTC))
    for number in count():
        drawn = chance.random()
        if drawn < 0.35:
            yield number
        elif drawn < 0.7:
            yield one_that_is_answered(seed, number, datetime.now(UTC))
        elif drawn < 0.95:
            yield next(of_all_kinds)
        else:
            yield chance.choice(samples)


def _teach(control: SandboxControl) -> None:
    """Let the model's double propose a harmless reply and accept it, so that it is published."""
    control.answer_model({"acceptable": True, "findings": []}, contains="acceptable")
    reply = "We have received your question about your order."
    control.answer_model(
        {"body": reply, "claims": [], "answered": [1], "decline": None}, contains="decline"
    )
