"""Rules about what a draft may carry outwards and ask for: no way out, no secrets (ES-11, 14)."""

from collections.abc import Iterator

from swarm.models import Draft, EvidenceKind, Reason
from swarm.safety.case import Case
from swarm.safety.drafts.contacts import contact_findings
from swarm.safety.drafts.echoes import echoes
from swarm.safety.drafts.house import house_of
from swarm.safety.drafts.secret_requests import secret_requests
from swarm.safety.links import link_findings
from swarm.safety.masking import PLACEHOLDER, accounts_in, find_secrets, same_secret
from swarm.safety.visible import without_reference


def no_way_out(case: Case) -> tuple[Reason, ...]:
    """ES-11: no remote content, no foreign link, and no address or number but the house's own."""
    if case.draft is None:
        return (Reason(rule="ES-11", detail="no draft whose links could be listed"),)
    if not case.draft.offered:
        return ()
    text = _visible(case.draft, case)
    house = house_of(case.own_contacts, case.link_allow_list, case.context, case.received)
    found = contact_findings(text, house)
    return (
        *output_reasons(case.draft, case.link_allow_list),
        *(Reason(rule="ES-11", detail=detail) for detail in found),
    )


def output_reasons(draft: Draft, allow_list: tuple[str, ...]) -> tuple[Reason, ...]:
    """Ask ES-11 of any bytes about to leave; also asked by the preflight."""
    texts = (draft.subject, draft.body_text, draft.body_html)
    details = dict.fromkeys(what for text in texts for what in link_findings(text, allow_list))
    return tuple(Reason(rule="ES-11", detail=detail) for detail in details)


def no_secrets(case: Case) -> tuple[Reason, ...]:
    """ES-14: no secret, none asked for, no placeholder of one, and no word of a prompt."""
    if case.draft is None:
        return (Reason(rule="ES-14", detail="no draft to scan for secrets"),)
    if not case.draft.offered:
        return ()
    details = dict.fromkeys(_secret_findings(case, case.draft))
    return tuple(Reason(rule="ES-14", detail=detail) for detail in details)


def _secret_findings(case: Case, draft: Draft) -> Iterator[str]:
    said = f"{draft.subject}\n{draft.body_text}\n{draft.body_html}"
    house = _policy_secrets(case)
    for secret in find_secrets(said):
        if same_secret(said[secret.start : secret.end]) not in house:
            yield f"a secret of kind {secret.kind}"
    if any(account not in house for account in accounts_in(said)):
        yield "a card or account number"
    if PLACEHOLDER.search(said):
        yield "a placeholder of a masked secret"
    yield from secret_requests(_visible(draft, case))
    yield from echoes(said, case.received.work_order.key)


def _visible(draft: Draft, case: Case) -> str:
    return f"{draft.subject}\n\n{without_reference(draft.body_text, case.received.work_order.key)}"


def _policy_secrets(case: Case) -> frozenset[str]:
    """The house may name its own account where an approved policy does."""
    evidence = case.context.evidence if case.context else ()
    texts = [e.text for e in evidence if e.kind is EvidenceKind.POLICY]
    found = {same_secret(text[s.start : s.end]) for text in texts for s in find_secrets(text)}
    return frozenset(found.union(*map(accounts_in, texts)))
