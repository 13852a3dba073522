"""The rule that a draft is a finished letter in the language of the mail (ES-26)."""

from swarm.models import Reason
from swarm.safety.case import Case
from swarm.safety.drafts.form import form_findings


def a_finished_letter(case: Case) -> tuple[Reason, ...]:
    """ES-26: nothing left to fill in, no chatter, one frame, no mark-up, nothing twice."""
    if case.draft is None:
        return (Reason(rule="ES-26", detail="no draft whose form could be judged"),)
    if not case.draft.offered:
        return ()
    found = form_findings(case.draft, case.received, case.spoken)
    return tuple(Reason(rule="ES-26", detail=detail) for detail in found)
