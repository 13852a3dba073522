"""Which addresses are ours, of one house, or read by nobody."""

import pytest

from swarm.ourselves import Ourselves, of_one_house
from swarm.settings import GraphSettings

US = Ourselves(mailbox="Service@Shop.example", addresses=("info@shop.example",))


@pytest.mark.parametrize(
    "local",
    ["noreply", "No-Reply", "no_reply", "do-not-reply", "donotreply", "dont.reply",
     "noreply+orders", "orders-noreply", "noreply2", "nicht-antworten",
     "bitte-nicht-antworten", "ne-pas-repondre",
     "no-responder", "non_rispondere", "niet-beantwoorden", "nao-responda", "mailer-daemon",
     "bounces+123", "notifications", "wordpress", "kontaktformular", "web-form"],
)  # fmt: skip
def test_nobody_reads_these(local: str) -> None:
    assert US.never_reads(f"{local}@any.example")


@pytest.mark.parametrize(
    "local", ["ada.kern", "service", "norbert.eply", "formica", "info", "reply"]
)
def test_somebody_may_read_these(local: str) -> None:
    assert not US.never_reads(f"{local}@any.example")


def test_a_house_may_name_more_that_nobody_reads() -> None:
    ours = Ourselves(mailbox="a@b.example", no_reply=("crm-*", "jobs@hr.example"))
    assert ours.never_reads("CRM-7@x.example")
    assert ours.never_reads("jobs@hr.example")
    assert not ours.never_reads("jobs@x.example")
    assert not ours.never_reads("mycrm-7@x.example")


def test_our_addresses_and_domains() -> None:
    assert US.wrote("SERVICE@shop.EXAMPLE")
    assert US.wrote("Info@Shop.example")
    assert not US.wrote("ada@shop.example")
    assert US.houses("ada@mail.shop.example")
    assert not US.houses("ada@workshop.example")


def test_a_shared_providers_domain_is_nobodys_house() -> None:
    ours = Ourselves(mailbox="shop@gmail.com")
    assert not ours.houses("ada@gmail.com")
    assert ours.houses("shop@gmail.com")
    assert Ourselves(mailbox="shop@gmail.com", domains=("shop.example",)).houses("a@shop.example")


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("a@x.example", "A@X.example", True),
        ("a@firma.de", "b@firma.de", True),
        ("a@mail.firma.de", "b@firma.de", True),
        ("a@mail.firma.de", "b@crm.firma.de", True),
        ("a@firma.de", "b@firma.com", False),
        ("a@one.co.uk", "b@two.co.uk", False),
        ("a@gmail.com", "b@gmail.com", False),
        ("a@gmail.com", "a@gmail.com", True),
        ("a@gmx.com", "b@gmx.com", False),
        ("a@one.onmicrosoft.com", "b@two.onmicrosoft.com", False),
        ("a@one.onmicrosoft.com", "b@one.onmicrosoft.com", True),
        ("a@firma.de", "b@notfirma.de", False),
        ("", "b@firma.de", False),
    ],
)
def test_two_addresses_of_one_house(one: str, other: str, together: bool) -> None:
    assert of_one_house(one, other) is together


def graph(**more: object) -> GraphSettings:
    return GraphSettings.model_validate(
        {"tenant_id": "t", "client_id": "c", "client_secret": "s", "mailbox": "a@b.example", **more}
    )


def test_the_settings_say_who_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPH_OWN_ADDRESSES", "info@b.example, shop@b.example")
    monkeypatch.setenv("GRAPH_OWN_DOMAINS", "b.example,forms.example")
    monkeypatch.setenv("GRAPH_NO_REPLY", "robot-*")
    ours = graph().ourselves
    assert ours.wrote("shop@b.example")
    assert ours.houses("x@forms.example")
    assert ours.never_reads("robot-1@x.example")


def test_an_own_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no address"):
        graph(own_addresses=("b.example",))
