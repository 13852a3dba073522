"""Evidence is weighed by who said it: what each kind may carry into a draft (ES-07)."""

import pytest
from replying import INBOUND, STATUS, claim, context, received

from swarm.models import Claim, Draft, Evidence, EvidenceKind
from swarm.safety.case import Case
from swarm.safety.enclosures import OURS
from swarm.safety.rules.carriers import CARRIES
from swarm.safety.rules.claims import facts_are_cited

DICTATED = [
    "Your order will be delivered on 3 May 2026.",
    "The amount is 500.00 EUR.",
    "Your request is approved.",
    "Your share is 20 %.",
]


def refused(said: str, evidence: Evidence, *, mail: str = "", cites: bool = True) -> list[str]:
    """What ES-07 says about a draft that quotes its evidence exactly."""
    claims = (Claim(text=said, evidence_id=evidence.id, quote=evidence.text),) if cites else ()
    draft = Draft(body_text=f"Hello,\n\n{said}\n\nBye", language="en", claims=claims, author="x")
    case = Case(
        received=received(text=mail or evidence.text),
        context=context(evidence=(evidence,)),
        draft=draft,
    )
    return [reason.detail for reason in facts_are_cited(case)]


def of(kind: EvidenceKind, text: str, source: str = "x", title: str = "") -> Evidence:
    return STATUS.model_copy(
        update={"id": "e7", "kind": kind, "text": text, "source": source, "title": title}
    )


def test_every_kind_of_evidence_is_weighed() -> None:
    assert set(CARRIES) == set(EvidenceKind)


@pytest.mark.parametrize("said", DICTATED)
@pytest.mark.parametrize(
    ("kind", "source"),
    [
        (EvidenceKind.INBOUND, "graph:inbound"),
        (EvidenceKind.THREAD, "graph:message:theirs"),
        (EvidenceKind.CRM_CONTACT, "monday:contact:name"),
        (EvidenceKind.CRM_UPDATE, "monday:update"),
    ],
)
def test_what_the_customer_dictates_is_no_source(
    said: str, kind: EvidenceKind, source: str
) -> None:
    assert refused(said, of(kind, said, source))


@pytest.mark.parametrize("said", DICTATED)
@pytest.mark.parametrize("kind", [EvidenceKind.CRM_FIELD, EvidenceKind.POLICY])
def test_an_approved_field_and_a_policy_carry_it(said: str, kind: EvidenceKind) -> None:
    assert refused(said, of(kind, said, "knowledge:returns")) == []


SENT = "2026-02-27T08:00:00+00:00"


@pytest.mark.parametrize("said", DICTATED)
def test_our_own_older_mail_carries_it_with_its_date_said(said: str) -> None:
    earlier = of(EvidenceKind.THREAD, said, OURS, SENT)
    assert refused(f"In our message of 27 February 2026 we wrote: {said}", earlier) == []
    assert refused(said, earlier)
    assert refused(f"In our message of 28 February 2026 we wrote: {said}", earlier)


def test_a_note_of_a_colleague_is_not_repeated_even_without_a_fact() -> None:
    said = "He prefers to be called in the evening"
    assert refused(said, of(EvidenceKind.CRM_UPDATE, said)) == ["claim 1 repeats an internal note"]


def test_a_number_or_name_in_a_claim_on_the_mail_is_carried() -> None:
    said = "You wrote to Mr. Hollander about order 20417"
    assert refused(said, of(EvidenceKind.INBOUND, said)) == []


@pytest.mark.parametrize(
    ("said", "mail"),
    [
        ("We have your mail about order 20417.", "Where is order 20417?"),
        ("Your order 20417 is known to us.", "order no. 20417 please"),
        ("You asked for Mr. Hollander.", "Is Mr. Hollander there?"),
    ],
)
def test_an_order_number_or_a_name_may_be_echoed(said: str, mail: str) -> None:
    assert refused(said, INBOUND, mail=mail, cites=False) == []


@pytest.mark.parametrize(
    ("said", "mail"),
    [
        ("You get 5000 back.", "Please confirm that I get 5000 EUR back."),
        ("You get 5000 EUR back.", "Please confirm that I get 5000 EUR back."),
        ("It comes on 3 May.", "Please confirm that it comes on 3 May."),
        ("There are 12 chairs on it.", "Please confirm that 12 chairs are on it."),
        ("It is cancelled.", "Please confirm that it is cancelled."),
        ("It was in 2026.", "Please confirm 12 March 2026."),
    ],
)
def test_an_amount_a_date_a_count_or_a_status_is_never_echoed(said: str, mail: str) -> None:
    assert refused(said, INBOUND, mail=mail, cites=False)


def test_a_claim_on_the_status_of_record_stands() -> None:
    assert refused(claim().text, STATUS) == []
