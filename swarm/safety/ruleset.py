"""The table of contents of the rules: what is asked where, and what a publication needs.

``VERSION`` changes with any byte of its code, lexicons and learned data: verdicts of
another ruleset are verdicts about something else (ES-15, ES-25).
"""

import hashlib
from importlib import resources
from importlib.resources.abc import Traversable

from swarm.models import Reason, Ruling, Stage, Verdict
from swarm.safety.case import Case, Rule
from swarm.safety.rules import claims, form, judgement, output, ownership, thread, tier

_DRAFT, _POLICY = Stage.DRAFT, Stage.POLICY

RULES: tuple[Rule, ...] = (
    Rule(
        "ES-01", Stage.TIER, "a mail of any escalation class goes to a human",
        tier.classes_escalate, violation=False, also_at=(_POLICY,),
    ),
    Rule(
        "ES-02", _POLICY, "the tier never falls below what it once was",
        tier.tier_never_falls, violation=True,
    ),
    Rule(
        "ES-03", Stage.TIER, "who asks for a human gets one, without a question first",
        tier.human_requested, violation=False, also_at=(_POLICY,),
    ),
    Rule(
        "ES-04", Stage.CONTEXT, "repeated contact or repeated rejection goes to a human",
        thread.repeated_contact, violation=False, also_at=(_POLICY,),
    ),
    Rule(
        "ES-05", _POLICY, "what was not judged counts as an escalation, never as a pass",
        judgement.everything_judged, violation=False,
    ),
    Rule(
        "ES-07", Stage.FACT, "every factual token cites a quote that states it",
        claims.facts_are_cited, violation=True, also_at=(_DRAFT, _POLICY),
    ),
    Rule(
        "ES-08", _POLICY, "nothing binds the company but policy or an approved CRM field",
        claims.commitments_are_backed, violation=True, also_at=(_DRAFT, Stage.QA),
    ),
    Rule(
        "ES-09", Stage.FACT, "nothing of another customer gets into a draft",
        ownership.nothing_foreign, violation=True, also_at=(_DRAFT, _POLICY, Stage.PUBLISH),
    ),
    Rule(
        "ES-10", Stage.PUBLISH, "only who took part in the conversation is answered",
        thread.recipients_belong, violation=True, also_at=(_DRAFT, _POLICY),
    ),
    Rule(
        "ES-11", Stage.QA, "a draft loads nothing, runs nothing and links nowhere unapproved",
        output.no_way_out, violation=True, also_at=(_DRAFT, _POLICY, Stage.PUBLISH),
    ),
    Rule(
        "ES-13", Stage.CONTEXT, "instructions to a machine raise the tier or escalate",
        tier.injection_is_heeded, violation=False, also_at=(_POLICY,),
    ),
    Rule(
        "ES-14", Stage.QA, "a draft carries no secret and asks for none",
        output.no_secrets, violation=True, also_at=(_DRAFT, _POLICY),
    ),
    Rule(
        "ES-17", _POLICY, "the bytes that were judged are the bytes at hand",
        judgement.judged_bytes_are_these, violation=True,
    ),
    Rule(
        "ES-20", _POLICY, "the context is fresh and nobody has replied yet",
        thread.context_is_fresh, violation=False, also_at=(Stage.PUBLISH,),
    ),
    Rule(
        "ES-25", _POLICY, "the models cost no more than the budget of a work order",
        judgement.within_budget, violation=False,
    ),
    Rule(
        "ES-26", Stage.TONE, "a draft is a finished letter in the language of the mail",
        form.a_finished_letter, violation=True, also_at=(_DRAFT, _POLICY),
    ),
)  # fmt: skip

REQUIRED_FOR_PUBLISH: tuple[str, ...] = tuple(rule.id for rule in RULES)
_BY_ID = {rule.id: rule for rule in RULES}
_READABLE = "es-1"


def required_rules() -> tuple[str, ...]:
    """Ids of the rules whose PASS must be stored before anything is published (ES-16)."""
    return REQUIRED_FOR_PUBLISH


def rules_of(stage: Stage) -> tuple[Rule, ...]:
    """The rules asked at a stage; at ``policy`` that is every required one."""
    return tuple(rule for rule in RULES if stage is rule.stage or stage in rule.also_at)


def judge(stage: Stage, case: Case) -> tuple[Reason, ...]:
    """Ask every rule of a stage; a rule that raises is a reason (ES-05). Empty means allowed."""
    return tuple(reason for rule in rules_of(stage) for reason in _ask(rule, case)[1])


def verdicts(case: Case, rules: tuple[Rule, ...] = RULES) -> tuple[Verdict, ...]:
    """One verdict per required rule about this draft and this evidence, to be stored for ever.

    Without an offered draft or a context nothing passes: there are no bytes to approve.
    """
    judged = case.draft is not None and case.draft.offered and case.context is not None
    evidence = case.context.digest() if case.context else ""
    return tuple(_verdict(rule, case, evidence, judged=judged) for rule in rules)


def _verdict(rule: Rule, case: Case, evidence_sha256: str, *, judged: bool) -> Verdict:
    ruling, reasons = _ask(rule, case)
    if ruling is Ruling.PASS and not judged:
        ruling = Ruling.ERROR
        reasons = (Reason(rule=rule.id, detail="there is no draft and evidence to pass"),)
    return Verdict(
        rule=rule.id,
        version=VERSION,
        draft_sha256=case.draft.content_sha256 if case.draft else "",
        evidence_sha256=evidence_sha256,
        ruling=ruling,
        reasons=tuple(reason.detail for reason in reasons),
        decided_by=f"ruleset {VERSION}",
    )


def _ask(rule: Rule, case: Case) -> tuple[Ruling, tuple[Reason, ...]]:
    try:
        reasons = rule.check(case)
    except Exception:  # noqa: BLE001 - a broken rule must fail closed, whatever broke (ES-05)
        detail = "the rule could not be asked: a fault of this program"
        return Ruling.ERROR, (Reason(rule=rule.id, detail=detail),)
    return (Ruling.FAIL if reasons else Ruling.PASS), reasons


def rule(rule_id: str) -> Rule:
    """Return a rule by id; raises ``KeyError`` for an id that is none of ours."""
    return _BY_ID[rule_id]


def _version() -> str:
    digest = hashlib.sha256()
    for name, content in sorted(_sources(resources.files("swarm.safety"), "")):
        digest.update(name.encode() + b"\0" + content + b"\0")
    return f"{_READABLE}+{digest.hexdigest()[:12]}"


def _sources(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            found += _sources(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith((".py", ".txt", ".npz", ".onnx", "calibration.json")):
            found.append((prefix + entry.name, entry.read_bytes()))
    return found


VERSION = _version()
