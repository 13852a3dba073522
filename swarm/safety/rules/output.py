"""Rules about what a draft may carry outwards: no links or mark-up, no secrets (ES-11, ES-14)."""

from swarm.models import Context, Draft, EvidenceKind, Reason
from swarm.safety.case import Case
from swarm.safety.links import link_findings
from swarm.safety.masking import PLACEHOLDER, find_secrets, same_secret

_FROM_THE_THREAD = frozenset({EvidenceKind.INBOUND, EvidenceKind.THREAD})


def no_way_out(case: Case) -> tuple[Reason, ...]:
    """ES-11: no remote image, active content, foreign link or data-bearing query anywhere."""
    if case.draft is None:
        return (Reason(rule="ES-11", detail="no draft whose links could be listed"),)
    if not case.draft.offered:
        return ()
    return output_reasons(case.draft, case.link_allow_list)


def output_reasons(draft: Draft, allow_list: tuple[str, ...]) -> tuple[Reason, ...]:
    """Ask ES-11 of any bytes about to leave; also asked by the preflight."""
    texts = (draft.subject, draft.body_text, draft.body_html)
    details = dict.fromkeys(what for text in texts for what in link_findings(text, allow_list))
    return tuple(Reason(rule="ES-11", detail=detail) for detail in details)


def no_secrets(case: Case) -> tuple[Reason, ...]:
    """ES-14: no secret but one its recipient wrote in this thread, and no placeholder of one."""
    draft = case.draft
    if draft is None:
        return (Reason(rule="ES-14", detail="no draft to scan for secrets"),)
    if not draft.offered:
        return ()
    said = f"{draft.subject}\n{draft.body_text}\n{draft.body_html}"
    supplied = _secrets_of(_theirs(case, case.context))
    details = {
        f"a secret of kind {kind}": None
        for raw, kind in _secrets_of(said).items()
        if raw not in supplied
    }
    if PLACEHOLDER.search(said):
        details["a placeholder of a masked secret"] = None
    return tuple(Reason(rule="ES-14", detail=detail) for detail in details)


def _theirs(case: Case, context: Context | None) -> str:
    evidence = context.evidence if context else ()
    thread = [e.text for e in evidence if e.kind in _FROM_THE_THREAD]
    return "\n".join((case.received.text, case.received.quoted, *thread))


def _secrets_of(text: str) -> dict[str, str]:
    return {same_secret(text[s.start : s.end]): s.kind for s in find_secrets(text)}
