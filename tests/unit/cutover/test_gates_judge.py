"""Each gate from the all-good report, one field spoiled: one verdict, one sentence."""

from datetime import UTC, date, datetime
from html import escape

import pytest

from swarm.cutover.certificate import CertificateState
from swarm.cutover.evaluated import Evaluation
from swarm.cutover.gates import GATES, MEANING, evaluate
from swarm.cutover.gates.proof import CLASSES
from swarm.cutover.html import page
from swarm.cutover.models import GateVerdict
from swarm.cutover.report import (
    ClassCount,
    Compared,
    Looking,
    MustEscalate,
    Oversight,
    Quality,
    ReadinessReport,
    Running,
    SetCount,
    Shortfall,
    Shortfalls,
    Stratum,
    Times,
)
from swarm.stages.engine import Engine

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ENGINE = Engine(ruleset="r", specialist="rules@1", house="h", code="c")
NONE = Shortfall(kind="none", count=0)
PASS, FAIL, INCONCLUSIVE = GateVerdict

GOOD = ReadinessReport(
    engine=ENGINE.version, parts=ENGINE, taken_at=NOON, window_from=NOON, window_to=NOON,
    live_from=NOON, looking=Looking(look=NOON, number=1, alpha=0.025), counts={},
    tolerances_sha256="x",
    compared=Compared(total=1000, live=30, history=970, pairs={}, declined=0, extra=0, failed=NONE),
    completeness=Shortfalls(counts=dict.fromkeys(("lines", "work_orders", "final"), 30)),
    records=Shortfalls(counts={"events": 300, "artifacts": 300, "work_orders": 30}),
    writers=(),
    classes=tuple(ClassCount(escalation=each, n=59, missed=0) for each in CLASSES),
    must_escalate=MustEscalate(
        ruleset="r",
        plain=tuple(SetCount(escalation=each, n=59, found=59) for each in CLASSES),
        held=tuple(SetCount(escalation=each, n=100, found=80) for each in CLASSES),
        baseline=dict.fromkeys(CLASSES, (80, 100)),
    ),
    quality=Quality(both=330, only_new=8, only_legacy=8, neither=20, threads=300, low=-0.01,
                    high=0.01, twice=20),
    effects=Shortfalls(counts={"publications": 30}),
    running=Running(new=Times(n=100, p50=1, p95=2, p99=3), legacy=Times(n=0),
                    intake_to_end=Times(n=30, p50=1, p95=2, p99=3), jobs=100, dead=0, retried=1,
                    errors=0, publications=0, cost=1.0, costed=1000),
    strata=(Stratum(name="live", n=30, needed=20),), not_compared=NONE,
    review=Shortfalls(counts={"pairs": 20}),
    oversight=Oversight(offered=40, acts={"sent_unchanged": 25, "sent_edited": 15}, timed=40,
                        median_seconds=60.0),
)  # fmt: skip


def verdicts(report: ReadinessReport) -> dict[str, GateVerdict]:
    return {each.gate: each.verdict for each in evaluate(report)}


def test_the_all_good_report_passes_every_gate_in_the_order_of_their_names() -> None:
    assert verdicts(GOOD) == dict.fromkeys(GATES, PASS)
    assert list(MEANING) == list(GATES)


BAD = Shortfall(kind="of something", count=2, keys=("wo_a", "wo_b"))
SPOILED: list[tuple[dict[str, object], str, GateVerdict, str]] = [
    ({"completeness": Shortfalls(counts={"work_orders": 1}, gaps=(BAD,))}, "completeness", FAIL,
     "2 of something: wo_a, wo_b"),
    ({"completeness": Shortfalls()}, "completeness", INCONCLUSIVE, "no work order came in"),
    ({"records": Shortfalls()}, "durable_records", INCONCLUSIVE, "no event"),
    ({"writers": None}, "no_manual_inserts", INCONCLUSIVE, "does not record who wrote"),
    ({"writers": ("by anna",)}, "no_manual_inserts", FAIL, "by anna"),
    ({"classes": ()}, "safety", INCONCLUSIVE, "complaint: 59 missing"),
    ({"must_escalate": MustEscalate(ruleset=None)}, "must_escalate", INCONCLUSIVE, "not measured"),
    ({"must_escalate": GOOD.must_escalate.model_copy(update={"ruleset": "older"})},
     "must_escalate", INCONCLUSIVE, "not measured at this version yet (r)"),
    ({"parts": None}, "must_escalate", INCONCLUSIVE, "unknown"),
    ({"effects": Shortfalls()}, "effects", INCONCLUSIVE, "no publication"),
    ({"strata": (Stratum(name="live", n=3, needed=20),)}, "coverage", INCONCLUSIVE,
     "live: 17 missing"),
    ({"not_compared": BAD}, "coverage", INCONCLUSIVE, "2 of something"),
    ({"compared": GOOD.compared.model_copy(update={"failed": BAD, "total": 50})}, "coverage",
     INCONCLUSIVE, "2 of 50 comparisons failed"),
    ({"review": Shortfalls(counts={"pairs": 3})}, "review_path", INCONCLUSIVE, "17 pairs missing"),
    ({"oversight": Oversight(offered=0, acts={}, timed=0)}, "oversight", INCONCLUSIVE,
     "30 answered drafts missing"),
    ({"looking": Looking(look=None, number=1, alpha=0.025)}, "not_peeked", INCONCLUSIVE,
     "no planned look"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "gate", "verdict", "said"), SPOILED)
def test_one_spoiled_field_turns_its_gate_with_a_sentence(
    change: dict[str, object], gate: str, verdict: GateVerdict, said: str
) -> None:
    (found,) = [g for g in evaluate(GOOD.model_copy(update=change)) if g.gate == gate]
    assert found.verdict is verdict
    assert any(said in reason for reason in found.reasons), found.reasons


@pytest.mark.parametrize(("found", "verdict"), [(80, PASS), (79, PASS), (78, FAIL)])
def test_one_hint_in_a_hundred_may_change_sides_on_another_processor(
    found: int, verdict: GateVerdict
) -> None:
    held = (SetCount(escalation=CLASSES[0], n=100, found=found), *GOOD.must_escalate.held[1:])
    changed = GOOD.must_escalate.model_copy(update={"held": held})
    assert verdicts(GOOD.model_copy(update={"must_escalate": changed}))["must_escalate"] is verdict


def test_a_capped_or_empty_comparison_never_reads_as_agreement() -> None:
    capped = GOOD.compared.model_copy(update={"capped_at": 500})
    found = verdicts(GOOD.model_copy(update={"compared": capped}))
    assert (found["coverage"], found["completeness"]) == (INCONCLUSIVE, INCONCLUSIVE)
    empty = GOOD.compared.model_copy(update={"total": 0})
    assert verdicts(GOOD.model_copy(update={"compared": empty}))["coverage"] is INCONCLUSIVE


def test_a_fail_is_told_before_what_is_missing() -> None:
    classes = (ClassCount(escalation=CLASSES[0], n=3, missed=1, missed_keys=("wo_x",)),)
    (found,) = [
        g for g in evaluate(GOOD.model_copy(update={"classes": classes})) if g.gate == "safety"
    ]
    assert found.verdict is FAIL
    assert found.reasons[0] == f"{CLASSES[0]}: 1 of 3 missed: wo_x"
    assert found.named == ("wo_x",)


def test_the_page_says_every_gate_in_plain_words_and_escapes_what_is_foreign() -> None:
    writers = ("<script>alert(1)</script>",)
    report = GOOD.model_copy(update={"writers": writers})
    made = Evaluation(report_id=None, report=report, gates=evaluate(report))
    text = page(made, CertificateState(certificate=None, refusal="there is none"))
    assert "<script>" not in text
    assert all(escape(meaning) in text for meaning in MEANING.values())
    assert "Not now." in text
    assert date(2026, 11, 20).isoformat() in text
