"""400 kB of anything: read and judged within two seconds of a processor, or handed to a person.

The whole way of a mail in one process, through the functions production calls: raw mail, event,
line, today's path, cleaning, detectors, context, rules, policy; and as a message of a conversation.
"""

import json
import time
from datetime import UTC, datetime

import pytest
from hostile_mails import PAGES, SIZE, TEXTS, page, plain
from replying import Board, Mailbox, accepted, services

from swarm.clients.outlook_messages import html_to_text
from swarm.intake.mail.clean import receive
from swarm.intake.stream.line import Accepted, read_line
from swarm.legacy import simple_stages
from swarm.legacy.actionable import why_ignored
from swarm.legacy.events import encoded, event_from_eml
from swarm.models import LONGEST_JUDGED, EscalationClass, Tier, WorkOrder
from swarm.safety.detectors import detect
from swarm.stages.enrichment.addressing import reply_subject
from swarm.stages.enrichment.gather import gather
from swarm.stages.tier import decide_tier

SHAPES = [*(("text", name) for name in TEXTS), *(("page", name) for name in PAGES)]


def body(kind: str, shape: str, size: int) -> str:
    return (TEXTS if kind == "text" else PAGES)[shape](size)


def mail(kind: str, shape: str, size: int) -> bytes:
    return (plain if kind == "text" else page)(body(kind, shape, size))


def judged(raw: bytes) -> tuple[WorkOrder, Tier]:
    event = event_from_eml(raw, "service@example.com", now=datetime.now(UTC))
    why_ignored(event)
    line = encoded(event)
    simple_stages.process(json.loads(line), "Customer Service")
    accepted_line = read_line(line, "secret")
    assert isinstance(accepted_line, Accepted)
    received = receive(accepted_line.work_order)
    return accepted_line.work_order, decide_tier(received, services()).tier


def seconds(size: int, kind: str, shape: str) -> float:
    raw, text = mail(kind, shape, size), body(kind, shape, size)
    begin = time.thread_time()
    judged(raw)
    html_to_text(text)
    return time.thread_time() - begin


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    judged(plain("Where is my order 10482? When will it be delivered?"))


@pytest.mark.parametrize(("kind", "shape"), SHAPES, ids=[f"{k} {s}" for k, s in SHAPES])
def test_every_shape_of_400_kb_is_through_in_two_seconds(kind: str, shape: str) -> None:
    # Half a second is seen on an idle core; a square would take minutes.
    took = seconds(SIZE, kind, shape)
    if took > 2:  # a busy machine: what counts is that four times the text takes no square
        assert took < 8 * seconds(SIZE // 4, kind, shape), took


def order_of(text: str = "", subject: str = "Order", html: str = "") -> WorkOrder:
    order, _ = judged(plain("x"))
    return order.model_copy(update={"body_text": text, "body_html": html, "subject": subject})


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (order_of("word " * 30_000), "its text has more than 100000 characters"),
        (order_of("Where is it?", subject="s" * 120_000), "its subject has more than"),
        (order_of("see below\n\n> " + "word " * 40_000), "its quoted history has more than"),
        (order_of(html="<div>" * 5000 + "hello"), "its HTML is nested too deep to be read"),
    ],
    ids=["text", "subject", "quoted history", "HTML"],
)
def test_what_is_too_long_or_too_deep_goes_to_a_person_with_its_reason(
    order: WorkOrder, why: str
) -> None:
    received = receive(order)
    found = detect(received)
    assert found.tier is Tier.ESCALATE
    assert found.classes == (EscalationClass.UNKNOWN,)
    assert any(why in reason.detail for reason in found.reasons), found.reasons
    assert decide_tier(received, services()).tier is Tier.ESCALATE


def test_nothing_of_a_long_text_is_cut_away_before_a_person_sees_it() -> None:
    text = ("word " * (LONGEST_JUDGED // 5 + 10)) + "the very last words"
    assert receive(order_of(text)).text.endswith("the very last words")


def test_a_text_of_just_the_longest_length_is_still_judged() -> None:
    threat = " My lawyer will sue you."
    text = ("I wait for my order. " * 6000)[: LONGEST_JUDGED - len(threat)] + threat
    assert EscalationClass.LEGAL in detect(receive(order_of(text))).classes


def test_a_hundred_thousand_reply_prefixes_come_off_the_subject_in_one_go() -> None:
    begin = time.thread_time()
    assert reply_subject("Re: " * 100_000 + "my order") == "Re: my order"
    assert time.thread_time() - begin < 2


def test_a_conversation_of_hostile_messages_makes_the_context_and_escalates() -> None:
    order, _ = judged(mail("text", "dashes", SIZE))
    bundle = services(outlook=Mailbox(), monday=Board())
    accepted(bundle)
    begin = time.thread_time()
    gather(receive(order), bundle)
    assert time.thread_time() - begin < 5
