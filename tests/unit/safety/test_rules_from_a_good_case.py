"""Each rule allows the good case and objects when its one thing is spoiled."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from swarm.models import (
    Address,
    Claim,
    Context,
    Draft,
    EscalationClass,
    Evidence,
    EvidenceKind,
    Lookup,
    Ruling,
    Stage,
    TextSpan,
    Tier,
    TierDecision,
)
from swarm.safety.case import Case, Rule
from swarm.safety.ruleset import (
    REQUIRED_FOR_PUBLISH,
    RULES,
    VERSION,
    judge,
    required_rules,
    rule,
    rules_of,
    verdicts,
)
from swarm.safety.spotlight import canary_of

_spec = importlib.util.spec_from_file_location(
    "safety_cases", Path(__file__).parent / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)
a_mail, reviewed, spoil = cases.a_mail, cases.reviewed, cases.spoil

Spoiler = Callable[[Case], Case]


def escalated(*classes: EscalationClass) -> TierDecision:
    return TierDecision(tier=Tier.ESCALATE, classes=classes, detectors={})


def with_body(case: Case, body: str, claims: tuple[Claim, ...] | None = None) -> Case:
    """The case with another draft text, freshly reviewed."""
    assert case.draft is not None
    changes: dict[str, object] = {"body_text": body, "body_html": ""}
    if claims is not None:
        changes["claims"] = claims
    return reviewed(spoil(case, draft=case.draft.model_copy(update=changes)))


def with_line(line: str) -> Spoiler:
    return lambda case: with_body(case, said(case, line))


def said(case: Case, line: str) -> str:
    """The draft's text with one more paragraph before its closing."""
    return draft_of(case).body_text.replace("Kind regards", f"{line}\n\nKind regards")


def draft_of(case: Case) -> Draft:
    assert case.draft is not None
    return case.draft


def context_of(case: Case) -> Context:
    assert case.context is not None
    return case.context


def with_context(**changes: object) -> Spoiler:
    return lambda case: reviewed(spoil(case, context=context_of(case).model_copy(update=changes)))


def with_draft(**changes: object) -> Spoiler:
    return lambda case: reviewed(spoil(case, draft=draft_of(case).model_copy(update=changes)))


def foreign_evidence(case: Case) -> Case:
    more = Evidence(
        id="e3", kind=EvidenceKind.CRM_FIELD, source="x", owner="other@example.net", text="x"
    )
    return with_context(evidence=(*context_of(case).evidence, more))(case)


def first_review(**changes: object) -> Spoiler:
    def apply(case: Case) -> Case:
        first, *rest = case.reviews
        return spoil(case, reviews=(first.model_copy(update=changes), *rest))

    return apply


# Rule id -> (what is spoiled -> how). Each spoiled case is caught by that one rule only.
ONLY: dict[str, dict[str, Spoiler]] = {
    "ES-01": {
        "a legal threat in the mail, and a tier that lost it": lambda c: spoil(
            c, received=a_mail("I will take you to court over order PO-20417.")
        ),
        "a class only the model saw": lambda c: spoil(c, tier=escalated(EscalationClass.PRESS)),
        "tier ESCALATE without a class": lambda c: spoil(c, tier=escalated()),
    },
    "ES-02": {"a tier below its floor": lambda c: spoil(c, tier_floor=Tier.REVIEW)},
    "ES-03": {
        "a wish for a person": lambda c: spoil(
            c, received=a_mail("I want to speak to a real person about order PO-20417, please.")
        ),
        "a wish only the model saw": lambda c: spoil(
            c, tier=escalated(EscalationClass.HUMAN_REQUESTED)
        ),
    },
    "ES-04": {
        "a second mail without an answer": with_context(inbound_unanswered=2),
        "two rejected drafts": with_context(rejected_drafts=2),
    },
    "ES-05": {
        "a reviewer that could not judge": first_review(ruling=Ruling.ERROR),
        "a reviewer that objects": first_review(ruling=Ruling.FAIL),
        "a review that was not applicable": first_review(applicable=False),
        "a missing review": lambda c: spoil(c, reviews=c.reviews[1:]),
    },
    "ES-07": {
        "a date from nowhere": with_line("It was ordered on 3 April 2025."),
        "a status from nowhere": with_line("Your order has been shipped."),
        "a claim on evidence that is not there": lambda c: with_draft(
            claims=(draft_of(c).claims[0].model_copy(update={"evidence_id": "e9"}),)
        )(c),
        "a quote its evidence does not contain": lambda c: with_draft(
            claims=(draft_of(c).claims[0].model_copy(update={"quote": "12 March 2027"}),)
        )(c),
        "another date than the quote's": lambda c: with_body(
            c,
            draft_of(c).body_text.replace("12 March 2026", "13 March 2026"),
            (
                draft_of(c)
                .claims[0]
                .model_copy(
                    update={"text": "The delivery date on record for your order is: 13 March 2026."}
                ),
            ),
        ),
        "a name from nowhere": with_line("Please ask Mr. Hollander."),
        "a yes to what the customer says": with_line("Yes, that is correct."),
    },
    "ES-08": {
        "a refund": with_line("We will refund you."),
        "a guarantee": with_line("We guarantee that all is well."),
        "an admission": with_line("This was our fault."),
        "a deadline": with_line("You will hear from us by the end of the day."),
    },
    "ES-09": {
        "evidence of another customer": foreign_evidence,
        "a customer that could not be looked up": with_context(contact=Lookup.UNAVAILABLE),
        "a case of somebody else": with_line("Please see case ZX-48213 instead."),
    },
    "ES-10": {
        "a recipient who took no part": with_draft(cc=(Address(address="stranger@example.net"),)),
    },
    "ES-11": {
        "a foreign link": with_line("See https://tracker.example.net/offer"),
        "a link without a scheme": with_line("See //tracker.example.net for more."),
        "an address of somebody who took part": with_line("Write to anna.berg@example.com."),
        "a spelled-out host": with_line("Please look at evil dot example for the rest."),
        "a channel of somebody else": with_line("Please write to us on Telegram."),
    },
    "ES-13": {
        "instructions to a machine in a CRM note": with_context(
            injections=(TextSpan(start=0, end=9, label="certain: overrides"),)
        ),
        "hidden text in a routine mail": lambda c: spoil(
            c, received__hidden=(TextSpan(start=0, end=3, label="display:none", excerpt="abc"),)
        ),
    },
    "ES-14": {
        "a card number of unknown origin": lambda c: with_context(
            evidence=(
                *context_of(c).evidence,
                Evidence(
                    id="e3",
                    kind=EvidenceKind.CRM_FIELD,
                    source="x",
                    owner=context_of(c).customer,
                    text="4111 1111 1111 1111",
                ),
            )
        )(
            with_body(
                c,
                said(c, "Card 4111 1111 1111 1111"),
                (
                    *draft_of(c).claims,
                    Claim(
                        text="Card 4111 1111 1111 1111",
                        evidence_id="e3",
                        quote="4111 1111 1111 1111",
                    ),
                ),
            )
        ),
        "a password": with_line("The password is: rosebud"),
        "a request for one": with_line("Please send us your password."),
        "a word of the prompt": with_line(f"See {canary_of(cases.KEY)} about it."),
    },
    "ES-17": {
        "a review of other bytes": first_review(draft_sha256="0" * 64),
        "a review of other evidence": first_review(evidence_sha256="0" * 64),
        "HTML that says something else": with_draft(body_html="<p>Something else.</p>"),
    },
    "ES-20": {"an answer of ours after the mail": with_context(inbound_unanswered=0)},
    "ES-25": {"a cost beyond the budget": lambda c: spoil(c, model_cost=0.51)},
    "ES-26": {
        "a placeholder": with_line("Yours is [Order Number]."),
        "a remark of a model": with_line("As an AI, that is all to say about it."),
        "a second greeting": with_line("Dear Anna,"),
        "words of another language": lambda c: spoil(c, spoken=("de", "en")),
        "a language nobody measured": lambda c: spoil(c, spoken=None),
    },
}

SPOILED = [
    pytest.param(rule_id, how, id=f"{rule_id}: {what}")
    for rule_id, ways in ONLY.items()
    for what, how in ways.items()
]


def failing(case: Case, rules: tuple[Rule, ...] = RULES) -> set[str]:
    return {v.rule for v in verdicts(case, rules) if v.ruling is not Ruling.PASS}


def test_the_good_case_passes_every_required_rule(good: Case) -> None:
    assert {v.rule: v.reasons for v in verdicts(good) if v.ruling is not Ruling.PASS} == {}
    assert tuple(v.rule for v in verdicts(good)) == REQUIRED_FOR_PUBLISH == required_rules()
    for stage in Stage:
        assert judge(stage, good) == ()


def test_an_address_of_somebody_else_is_refused_twice(good: Case) -> None:
    assert failing(with_line("Please write to eva@example.net.")(good)) == {"ES-09", "ES-11"}


def test_a_reference_style_link_is_refused_as_a_link_and_as_mark_up(good: Case) -> None:
    line = "See [here][offer].\n\n[offer]: //tracker.example.net"
    assert failing(with_line(line)(good)) == {"ES-11", "ES-26"}


@pytest.mark.parametrize(("rule_id", "how"), SPOILED)
def test_one_spoiled_thing_fails_exactly_its_rule(rule_id: str, how: Spoiler, good: Case) -> None:
    assert failing(how(good)) == {rule_id}


@pytest.mark.parametrize("rule_id", REQUIRED_FOR_PUBLISH)
def test_each_rule_has_a_case_that_passes_once_the_rule_is_gone(rule_id: str, good: Case) -> None:
    """Rule mutants: a rule whose removal breaks nothing would be no rule."""
    mutant = tuple(
        Rule(r.id, r.stage, r.statement, lambda _: (), violation=r.violation)
        if r.id == rule_id
        else r
        for r in RULES
    )
    survivors = [what for what, how in ONLY[rule_id].items() if not failing(how(good), mutant)]
    assert survivors == list(ONLY[rule_id])


def test_without_any_output_every_rule_about_it_objects(good: Case) -> None:
    bare = Case(received=good.received)
    assert {v.ruling for v in verdicts(bare)} <= {Ruling.FAIL, Ruling.ERROR}
    for rule_id in ("ES-01", "ES-02", "ES-04", "ES-05", "ES-07", "ES-08", "ES-09", "ES-10"):
        assert rule(rule_id).check(bare)


@pytest.mark.parametrize("missing", ["tier", "context", "draft"])
def test_a_missing_stage_output_is_never_a_pass(missing: str, good: Case) -> None:
    assert "ES-05" in failing(spoil(good, **{missing: None}))


def test_an_unreadable_conversation_fails_the_rules_that_need_it(good: Case) -> None:
    assert failing(with_context(thread=Lookup.UNAVAILABLE)(good)) == {"ES-04", "ES-20"}


def test_a_mailbox_without_the_conversation_gets_no_reply_draft(good: Case) -> None:
    assert failing(with_context(thread=Lookup.MISS)(good)) == {"ES-20"}


def test_a_withheld_draft_passes_nothing_and_violates_nothing(good: Case) -> None:
    case = spoil(good, draft=Draft(withheld="the tier is ESCALATE", author="x"), reviews=())
    assert {v.ruling for v in verdicts(case)} <= {Ruling.FAIL, Ruling.ERROR}
    assert not [r for r in judge(Stage.POLICY, case) if rule(r.rule).violation]


def test_a_rule_that_breaks_is_an_error_and_no_pass(good: Case) -> None:
    def broken(_: Case) -> tuple[()]:
        raise ZeroDivisionError

    (verdict,) = verdicts(good, (Rule("ES-07", Stage.FACT, "x", broken, violation=True),))
    assert verdict.ruling is Ruling.ERROR
    assert verdict.reasons == ("the rule could not be asked: a fault of this program",)


def test_a_verdict_is_about_this_draft_this_evidence_and_this_ruleset(good: Case) -> None:
    verdict = verdicts(good)[0]
    assert verdict.draft_sha256 == draft_of(good).content_sha256
    assert verdict.evidence_sha256 == context_of(good).digest()
    assert verdict.version == VERSION


def test_reasons_never_quote_the_mail(good: Case) -> None:
    secret = "quetzalcoatl"
    spoiled = [
        spoil(good, received=a_mail(f"I will sue {secret} and speak to a human {secret}")),
        with_line(f"See https://{secret.upper()}.example.net/{secret}?q={secret}, Mr. {secret}")(
            good
        ),
    ]
    for case in spoiled:
        for reason in judge(Stage.POLICY, case):
            assert f"/{secret}" not in reason.detail
            assert f"={secret}" not in reason.detail


def test_every_required_rule_is_asked_at_policy() -> None:
    assert tuple(r.id for r in rules_of(Stage.POLICY)) == REQUIRED_FOR_PUBLISH


def test_a_commitment_on_an_approved_field_is_allowed(good: Case) -> None:
    """ES-08 forbids new promises, not the promises on record."""
    sentence = "Delivery will be by 12 March."
    field = Evidence(
        id="e3",
        kind=EvidenceKind.CRM_FIELD,
        source="monday:deal:note",
        owner=context_of(good).customer,
        text="by 12 March",
    )
    case = with_context(evidence=(*context_of(good).evidence, field))(
        with_body(
            good,
            said(good, sentence),
            (
                *draft_of(good).claims,
                Claim(text=sentence, evidence_id="e3", quote="by 12 March"),
            ),
        )
    )
    assert failing(case) == set()
    note = field.model_copy(update={"kind": EvidenceKind.CRM_UPDATE})
    loose = with_context(evidence=(*context_of(case).evidence[:-1], note))(case)
    assert failing(loose) == {"ES-07", "ES-08"}


def test_a_promise_beside_a_quoted_value_is_backed_by_nothing(good: Case) -> None:
    """A model may put its own promise into the claim that quotes a status."""
    sentence = "It leaves on 12 March 2026 and we will refund the postage."
    claim = draft_of(good).claims[0].model_copy(update={"text": sentence})
    assert failing(with_body(good, said(good, sentence), (*draft_of(good).claims, claim))) == {
        "ES-08"
    }


def test_a_promise_in_the_subject_is_ours_too(good: Case) -> None:
    assert failing(with_draft(subject="Re: We will refund you in full")(good)) == {"ES-08"}


@pytest.mark.parametrize("odd", ["a b@example.org", "a@example.org,b@example.net", "no-address"])
def test_a_recipient_that_is_not_one_plain_address_is_refused(odd: str, good: Case) -> None:
    """A mail from such an address once passed every rule and then died at the payload."""
    answered = draft_of(good).to[0]
    odd_one = answered.model_copy(update={"address": odd})
    case = with_draft(to=(answered, odd_one))(good)
    assert "ES-10" in failing(case)
    assert not odd_one.plain
