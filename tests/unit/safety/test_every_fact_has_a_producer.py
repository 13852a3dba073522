"""A rule whose fact nobody supplies cannot fire: each field a rule reads is set by the real stage.

What has no producer yet stands here as *owed*, by the name of the room that owes it. Such a test is
expected to fail; the day its fact is supplied it passes, which fails the suite until the mark is
taken off.
"""

from datetime import timedelta

import pytest
from publishing_world import EVIDENCE, NOON, RULESET, payload
from replying import (
    ASK,
    KEY,
    NOW,
    Board,
    Mailbox,
    accepted,
    brief,
    context,
    message,
    order,
    received,
    sample_shelf,
    services,
)

from swarm.clients.protocol import FoundDraft
from swarm.models import (
    Context,
    CrmUpdate,
    EvidenceKind,
    Lookup,
    Thread,
    Tier,
    WorkOrderState,
)
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.preflight import Judged, Preflight
from swarm.publishing.ledger.claim import ClaimCandidate
from swarm.publishing.ledger.payload import draft_sha256
from swarm.safety.case import Case
from swarm.safety.preflight_rules import PreflightFacts
from swarm.settings import CoreSettings
from swarm.stages.floor import case_of
from swarm.stages.pipeline import ChainResult, run_chain
from swarm.store.escalation_policy import EscalationPolicy
from swarm.store.memory import MemoryStore


def fields(noun: type, owed: dict[str, str]) -> list[object]:
    """Every field of a noun as a parameter, the owed ones marked."""
    unknown = set(owed) - set(noun.model_fields)
    assert not unknown, unknown
    return [
        pytest.param(name, marks=owed_to(owed[name])) if name in owed else name
        for name in noun.model_fields
    ]


def owed_to(room_and_why: str) -> pytest.MarkDecorator:
    return pytest.mark.xfail(strict=True, raises=AssertionError, reason=f"owed to {room_and_why}")


def chain() -> ChainResult:
    """A whole work order through the real stages, with a source for everything there is."""
    note = CrmUpdate(update_id="u1", item_id="k1", text="Prefers e-mail", created_at=NOW)
    bundle = services(monday=Board(notes=(note,)), knowledge=sample_shelf())
    mail = order(body_text=f"Hello, {ASK} What are your opening hours? Anna")
    return run_chain(mail, bundle, accepted(bundle, mail))


@pytest.mark.parametrize("field", fields(Case, {}))
def test_a_fact_of_the_case_is_supplied_by_the_one_place_that_makes_cases(field: str) -> None:
    bundle, done = services(), chain()
    case = case_of(brief(), done.draft, bundle, reviews=done.reviews, tier_floor=Tier.REVIEW)
    assert field in case.model_fields_set


@pytest.mark.parametrize("field", fields(Context, {}))
def test_a_fact_of_the_context_is_supplied_by_the_enrichment(field: str) -> None:
    assert field in chain().context.model_fields_set


def test_two_rejected_drafts_of_the_conversation_go_to_a_person_by_the_real_stages() -> None:
    bundle, mail = services(), order()
    store = bundle.store
    assert isinstance(store, MemoryStore)
    for number, act in enumerate(("discarded", "rewritten")):
        before = order(key="wo_" + str(number + 2) * 24, original_id=f"before-{number}")
        store.accept(before)
        store.record(before.key).act = act
        store.record(before.key).state = WorkOrderState.PUBLISHED
    done = run_chain(mail, bundle, accepted(bundle, mail))
    assert done.context.rejected_drafts == 2
    said = [reason.detail for reason in done.policy.reasons if reason.rule == "ES-04"]
    assert "2 drafts were rejected" in said
    assert store.state(mail.key) is WorkOrderState.ESCALATED


@pytest.mark.parametrize("kind", list(EvidenceKind))
def test_evidence_of_every_kind_is_found_by_the_enrichment(kind: EvidenceKind) -> None:
    assert kind in {evidence.kind for evidence in chain().context.evidence}


def facts(mailbox: Mailbox | None = None) -> PreflightFacts:
    """What the real preflight looks up about a publication."""
    body = payload(KEY)
    candidate = ClaimCandidate(
        work_order_key=KEY,
        publisher=PublisherName.SWARM,
        fence=0,
        attempts=0,
        created_at=NOON,
        payload=body,
        payload_sha256=body.digest(),
        draft_sha256=draft_sha256(body),
        evidence_sha256=EVIDENCE,
        ruleset=RULESET,
    )
    snapshot = Thread(lookup=Lookup.HIT, messages=(message(2),), taken_at=NOW)
    look = Preflight(
        services().store, mailbox or Mailbox(), link_allow_list=("example.org",), auto_send=False
    )
    return look.facts(candidate, Judged(received(), snapshot, context()))


@pytest.mark.parametrize("field", fields(PreflightFacts, {}))
def test_a_fact_of_the_last_look_is_supplied_by_the_preflight(field: str) -> None:
    assert field in facts().model_fields_set


def test_the_last_look_counts_the_drafts_that_exist_already() -> None:
    class Drafted(Mailbox):
        def find_dispatched(self, **_asked: object) -> list[FoundDraft]:
            at = NOW + timedelta(minutes=3)
            return [FoundDraft(message_id="d1", folder="drafts", is_draft=True, created_at=at)]

    assert facts(Drafted()).drafts_found == 1


@pytest.mark.parametrize("field", sorted(EscalationPolicy.model_fields))
def test_the_escalation_policy_is_the_houses_own(field: str) -> None:
    assert any(field in name for name in CoreSettings.model_fields)
