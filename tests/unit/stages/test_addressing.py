"""To whom, under which subject: from headers alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replying import (
    ASK,
    CUSTOMER,
    MAILBOX,
    accepted,
    context,
    message,
    order,
    received,
    services,
)

from swarm.models import Address, Lookup, Thread
from swarm.ourselves import Ourselves
from swarm.publishing.ledger.payload import build_payload
from swarm.stages.enrichment.addressing import (
    answer_to,
    copied,
    participants,
    recipients,
    reply_subject,
)
from swarm.stages.pipeline import run_chain

BOSS = Address(address="boss@customer.example")
KEEP = "Please keep my boss in copy."
OTHER = Address(address="Desk@customer.example")


def test_the_reply_to_address_is_answered_before_the_sender() -> None:
    assert answer_to(order()) == CUSTOMER
    assert answer_to(order(reply_to=(OTHER,))) == OTHER


def test_participants_are_everyone_in_mail_and_thread_but_us() -> None:
    thread = Thread(lookup=Lookup.HIT, messages=(message(1),), taken_at=message(1).sent_at)
    found = participants(order(cc=(OTHER,)), thread, Ourselves(mailbox=MAILBOX))
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


def test_the_boss_in_copy_stays_there_when_the_mail_asks_for_it() -> None:
    written = order(cc=(BOSS, OTHER), body_text=f"Hello, {ASK} {KEEP}")
    bundle = services()
    draft = run_chain(written, bundle, accepted(bundle, written)).draft
    assert (draft.to, draft.cc) == ((CUSTOMER,), (BOSS, OTHER))
    payload = build_payload(written, draft, at=written.received_at)
    assert (payload.reply_all, payload.cc) == ("true", f"{BOSS.address},{OTHER.address}")


def test_without_a_wish_nobody_is_in_copy() -> None:
    written = order(cc=(BOSS,), body_text=f"Hello, {ASK}")
    bundle = services()
    assert run_chain(written, bundle, accepted(bundle, written)).draft.cc == ()


@pytest.mark.parametrize(
    ("people", "text"),
    [
        ((BOSS, Address(address="noreply@customer.example")), KEEP),
        (tuple(Address(address=f"p{n}@customer.example") for n in range(11)), KEEP),
        ((BOSS,), "Please keep eve@evil.example in copy."),
        ((Address(address="a@x.example,b@y.example"),), KEEP),
    ],
)
def test_a_reply_to_all_that_would_reach_the_wrong_ones_is_a_reply_to_one(
    people: tuple[Address, ...], text: str
) -> None:
    mail = received(work_order=order(cc=people), text=text)
    known = context(participants=tuple(p.address for p in (CUSTOMER, *people)))
    assert copied(mail, known) == ()
