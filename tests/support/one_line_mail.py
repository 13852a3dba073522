"""A mail that is one text and nothing around it: what the detectors are tried and measured on."""

from datetime import UTC, datetime

from swarm.models import Address, MessageRef, Received, WorkOrder


def a_mail(text: str, language: str = "en", **changes: object) -> Received:
    """The mail as intake hands it over, without a subject; ``changes`` are fields of it."""
    order = WorkOrder(
        key="wo_" + "a" * 24,
        original_id="1",
        ref=MessageRef(mailbox="service@ours.example"),
        sender=Address(address="ada@example.org"),
        subject="",
        received_at=datetime(2026, 1, 5, tzinfo=UTC),
        source="test",
    )
    received = Received(work_order=order, text=text, language=language)
    return received.model_copy(update=changes)
