"""A threat is heard wherever it stands in a mail, through the whole chain; our words are not."""

import sys
from datetime import timedelta

import pytest
from replying import ASK, MAILBOX, NOW, Mailbox, accepted, message, order, services

from swarm.errors import RemoteUnavailableError
from swarm.intake.mail.provenance import in_conversation
from swarm.models import (
    EscalationClass,
    Lookup,
    Received,
    SetAsideKind,
    Stage,
    Thread,
    ThreadMessage,
    Tier,
    WorkOrderState,
)
from swarm.stages.pipeline import ChainResult, run_chain
from swarm.stages.tier import decide_tier

OURS = (
    "Hello Anna,\n\nhas the toaster arrived in good order?\n"
    "Our legal department would be pleased to send you the conditions of the warranty.\n\n"
    "Kind regards\nCustomer Service"
)
HEAD = f"On Sun, 1 Mar 2026 at 08:00, Customer Service <{MAILBOX}> wrote:"
ABOVE = f"Thank you for your quick answer, I have written below what you asked for. {ASK}"
THREAT = "The toaster set fire to my kitchen and my son was burned."


def driven(body: str, mailbox: Mailbox | None = None, html: str = "") -> ChainResult:
    outlook = mailbox or Mailbox(messages=(ours(), message(2)))
    bundle = services(outlook=outlook)
    mail = order(body_text=body, body_html=html)
    return run_chain(mail, bundle, accepted(bundle, mail))


def ours(text: str = OURS) -> ThreadMessage:
    return message(1, from_us=True, text=text).model_copy(
        update={"sent_at": NOW - timedelta(days=1)}
    )


def quoted(text: str, mark: str = "> ") -> str:
    return "\n".join(f"{mark}{line}".rstrip() for line in text.split("\n"))


POSITIONS = {
    "below a closing": f"Hello,\n\n{ASK}\n\nBest regards,\nAnna Smith\n{THREAT}",
    "below a delimiter": f"{ASK}\n\n-- \nAnna Smith\n{THREAT}",
    "below a drawn rule": f"{ASK}\n\n__________\n{THREAT}",
    "below thanks": f"{ASK}\n\nThanks,\nAnna\n\n{THREAT}",
    "below a telephone's line": f"{ASK}\n\nSent from my Fairphone\n{THREAT}",
    "among titles": f"{ASK}\n\nKind regards\nAnna Smith\nSales Manager\n{THREAT}\nTel 555 0100",
    "dressed as a footer": f"{ASK}\n\nKind regards\nAnna Smith\n\nThis e-mail is confidential and"
    f" for the addressee only. Copying is prohibited. {THREAT}",
    "below a quote": f"{ABOVE}\n\n{HEAD}\n{quoted(OURS)}\n\n{THREAT}",
    "below an unmarked quote": f"{ABOVE}\n\n{HEAD}\n{OURS}\n\n{THREAT}",
    "between the lines of a quote": f"{ABOVE}\n\n{HEAD}\n"
    + OURS.replace("order?", f"order?\n{THREAT}"),
    "marked as quoted": f"{ABOVE}\n\n{HEAD}\n> Hello Anna,\n> {THREAT}",
    "below a mark to reply above": f"{ABOVE}\n\n##- Bitte antworten Sie über dieser Zeile -##\n\n"
    f"{THREAT}",
    "in the armour of a signature": f"{ASK}\n\n-----BEGIN PGP SIGNATURE-----\n\n{THREAT}\n"
    "-----END PGP SIGNATURE-----",
}


@pytest.mark.parametrize("position", POSITIONS)
def test_a_threat_escalates_wherever_it_stands(position: str) -> None:
    result = driven(POSITIONS[position])
    assert result.publication.state is WorkOrderState.ESCALATED
    assert result.tier.tier is Tier.ESCALATE
    assert not result.draft.offered


def test_a_threat_in_red_between_the_lines_of_an_html_quote_escalates() -> None:
    html = (
        f"<p>{ABOVE}</p><div style='border-top:solid #E1E1E1 1pt'><p><b>From:</b> Service"
        f" &lt;{MAILBOX}&gt;<br><b>Sent:</b> Sunday, 1 March 2026 08:00<br><b>To:</b> Anna<br>"
        f"<b>Subject:</b> Order</p></div><p>has the toaster arrived in good order?</p>"
        f"<p style='color:red'>{THREAT}</p>"
    )
    assert driven("", html=html).tier.tier is Tier.ESCALATE


@pytest.mark.parametrize(
    "quote", [quoted(OURS), OURS, quoted(OURS.replace("pleased ", "pleased\n"))]
)
def test_our_own_words_in_a_quote_are_not_the_customers(quote: str) -> None:
    """Line by line, however a program marked and wrapped them."""
    result = driven(f"{ABOVE}\n\n{HEAD}\n{quote}")
    assert result.tier.classes == ()
    assert result.draft.offered, result.draft.withheld


@pytest.mark.parametrize(
    "mailbox",
    [
        Mailbox(trouble=RemoteUnavailableError("Graph is away")),
        Mailbox(messages=()),
        Mailbox(messages=(ours("We have shipped it."), message(2))),
    ],
)
def test_history_that_nobody_can_prove_is_judged(mailbox: Mailbox) -> None:
    assert driven(f"{ABOVE}\n\n{HEAD}\n{quoted(OURS)}", mailbox).tier.tier is Tier.ESCALATE


def test_unproved_history_in_a_language_nobody_reads_goes_to_a_person() -> None:
    answer = (
        "De Toaschter het brännt und mini Muetter isch im Spital, si het sech d Hand verbrännt."
    )
    result = driven(f"{ABOVE}\n\n{HEAD}\n{answer}", Mailbox(messages=()))
    assert EscalationClass.UNKNOWN in result.tier.classes


def test_a_ticket_systems_mark_is_nobodys_wish_for_a_person() -> None:
    mark = "##- Please type your reply above this line -##\n\nWhich colour did you want?"
    assert driven(f"{ASK}\n\n{mark}", Mailbox(messages=())).tier.classes == ()


def test_what_is_written_between_our_lines_is_what_the_customer_says_now() -> None:
    answer = "Yes, it has. Could you send me the invoice for it, please?"
    result = driven(f"{ABOVE}\n\n{HEAD}\n" + OURS.replace("order?", f"order?\n{answer}"))
    (inbound,) = [e for e in result.context.evidence if e.source == "graph:inbound"]
    assert answer in inbound.text
    assert "has the toaster arrived" not in inbound.text


def test_the_artifact_of_the_mail_keeps_it_as_it_came_and_the_tier_reads_both() -> None:
    result = driven(f"{ABOVE}\n\n{HEAD}\n{quoted(OURS)}")
    assert [p.judged for p in result.received.set_aside if p.kind is SetAsideKind.HISTORY] == [True]
    assert decide_tier(result.received, services()).tier is Tier.ESCALATE
    compared = in_conversation(result.received, result.thread)
    assert decide_tier(compared, services(), thread=result.thread).classes == ()


def test_a_mail_is_compared_with_its_conversation_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def counting(mail: Received, thread: Thread | None) -> Received:
        compared.append(mail.work_order.key)
        return in_conversation(mail, thread)

    for name in [name for name, module in sys.modules.items() if name.startswith("swarm.stages")]:
        if hasattr(sys.modules[name], "in_conversation"):
            monkeypatch.setattr(f"{name}.in_conversation", counting)
    result = driven(f"{ABOVE}\n\n{HEAD}\n{quoted(OURS)}")
    assert result.tier.classes == ()
    assert len(compared) == 1


def test_both_entries_give_the_tier_the_conversation() -> None:
    from swarm.stages.stage_events import READS  # noqa: PLC0415

    assert Stage.THREAD in READS[Stage.TIER]


def test_a_conversation_that_was_missed_proves_nothing() -> None:
    found = driven(f"{ABOVE}\n\n{HEAD}\n{quoted(OURS)}")
    missed = Thread(lookup=Lookup.MISS, taken_at=NOW, messages=found.thread.messages)
    shown = in_conversation(found.received, missed)
    assert decide_tier(shown, services(), thread=missed).tier is Tier.ESCALATE
