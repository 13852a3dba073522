"""To whom, under which subject: from headers alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replying import CUSTOMER, MAILBOX, context, message, order

from swarm.models import Address, Lookup, Thread
from swarm.stages.enrichment.addressing import answer_to, participants, recipients, reply_subject

OTHER = Address(address="Desk@customer.example")


def test_the_reply_to_address_is_answered_before_the_sender() -> None:
    assert answer_to(order()) == CUSTOMER
    assert answer_to(order(reply_to=(OTHER,))) == OTHER


def test_participants_are_everyone_in_mail_and_thread_but_us() -> None:
    thread = Thread(lookup=Lookup.HIT, messages=(message(1),), taken_at=message(1).sent_at)
    found = participants(order(cc=(OTHER,)), thread, MAILBOX)
    assert found == ("anna.smith@customer.example", "desk@customer.example")


def test_a_stranger_to_the_context_is_no_recipient() -> None:
    assert recipients(order(), context()) == (CUSTOMER,)
    assert recipients(order(reply_to=(OTHER,)), context()) == ()


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Order 20417", "Re: Order 20417"),
        ("Re: Order", "Re: Order"),
        ("RE: AW: Re[3]: Antw: Order", "Re: Order"),
        ("SV: Order", "Re: Order"),
        ("Fwd: Re: Order", "Re: Fwd: Re: Order"),
        ("Reference: 12", "Re: Reference: 12"),
        ("", "Re:"),
        ("Order\r\nBcc: evil@x.example", "Re: Order Bcc: evil@x.example"),
    ],
)
def test_the_subject_has_one_re(subject: str, expected: str) -> None:
    assert reply_subject(subject) == expected


@given(st.text(max_size=400))
def test_the_subject_is_one_line_and_stable(subject: str) -> None:
    once = reply_subject(subject)
    assert "\n" not in once
    assert "\r" not in once
    assert len(once) <= 250
    assert reply_subject(once) == once
