"""Whether a draft is a finished letter: every finding about its form, in one order (ES-26)."""

from swarm.models import Draft, Received
from swarm.patterns import linear
from swarm.safety.drafts.chatter import chatter
from swarm.safety.drafts.frame import frame
from swarm.safety.drafts.markup import markup
from swarm.safety.drafts.parroting import parroting
from swarm.safety.drafts.parts import parts_of
from swarm.safety.drafts.repetition import LONGEST, repetition
from swarm.safety.drafts.unfinished import unfinished

_UNKNOWN = "und"
# Behind the letters of Europe and before those of style: "Hallo 你好吗".
_OTHER_SCRIPT = linear(r"[\u0530-\u1cff\u2e80-\ua63f\ua980-\ud7ff\uf900-\ufaff]{3,40}")


def form_findings(
    draft: Draft, received: Received, spoken: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Say what keeps a draft from being a letter. ``spoken``: the languages of its own words."""
    parts = parts_of(draft.body_text, received.work_order.key)
    if not parts.said.strip():
        return ("the reply is empty",)
    said = parts.said[: LONGEST + 1]  # too long is a finding; nothing beyond need be read
    found = (
        *unfinished(said),
        *chatter(said),
        *frame(parts._replace(said=said)),
        *markup(said),
        *repetition(said),
        *parroting(said, received.text),
        *_language(draft, received, spoken),
        *_scripts(said, received.text),
    )
    return tuple(dict.fromkeys(found))


def _language(draft: Draft, received: Received, spoken: tuple[str, ...] | None) -> tuple[str, ...]:
    """The draft's own word for its language is its writer's; measured is what it is written in."""
    wanted = received.language
    if draft.language != wanted:
        return (f"the reply is in {draft.language}, the mail in {wanted}",)
    if spoken is None:
        return ("in which language the reply is written was not measured",)
    others = sorted({code for code in spoken if code not in (wanted, _UNKNOWN)})
    return tuple(f"the mail is in {wanted}, words of the reply are in {code}" for code in others)


def _scripts(said: str, mail: str) -> tuple[str, ...]:
    """A few words of a script of none of our languages are too little to measure a language by."""
    runs = (found.group() for found in _OTHER_SCRIPT.finditer(said))
    strange = any(run not in mail for run in runs)
    return ("words of the reply are in another script",) if strange else ()
