"""What the addresses around a mail say against answering it without a person (ES-01).

Whom an answer would reach is decided elsewhere (``stages.enrichment.addressing``); here is only
why it should not simply be sent there: nobody reads it, it is not the sender's house, or a name
pretends to be an address.
"""

from collections.abc import Iterator

from swarm.models import Address, EscalationClass, Reason, WorkOrder
from swarm.ourselves import Ourselves, of_one_house
from swarm.patterns import linear

_ADDRESS_IN_NAME = linear(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,63}")
_FIELD = linear(r"[^\W\d][^:\n@]{0,40}:[ \t]{0,8}(\S[^\n]{0,300}|$)")
_LINES_OF_A_FORM = 15
_FEWEST_FIELDS = 2


def envelope_reasons(order: WorkOrder, target: Address, text: str, ours: Ourselves) -> list[Reason]:
    """Say why nobody may simply be answered at ``target``; ``text`` is the mail's own."""
    unknown = (EscalationClass.UNKNOWN,)
    return [
        Reason(rule="ES-01", detail=f"whom to answer is doubtful: {why}", classes=unknown)
        for why in _doubts(order, target.address, text, ours)
    ]


def _doubts(order: WorkOrder, target: str, text: str, ours: Ourselves) -> Iterator[str]:
    if ours.never_reads(target):
        yield "nobody reads the address the answer would go to"
    elif ours.wrote(target):
        yield "the answer would go to ourselves"
    elif not order.reply_to and _form_of_another(text, target, ours):
        yield "a form wrote it, and no header says whom to answer"
    if any(_leads_away(order.sender.address, to.address, ours) for to in order.reply_to):
        yield "it wants the answer at another domain than its sender's"
    if any(_pretends(person) for person in (order.sender, *order.reply_to)):
        yield "a name in its header is the e-mail address of somebody else"


def _leads_away(sender: str, reply_to: str, ours: Ourselves) -> bool:
    """Whether Reply-To leaves the sender's house; our own forms name the customer there."""
    return not (ours.houses(sender) or of_one_house(sender, reply_to))


def _pretends(person: Address) -> bool:
    named = _ADDRESS_IN_NAME.findall(person.name[:1000])
    return any(not of_one_house(each, person.address) for each in named)


def _form_of_another(text: str, sender: str, ours: Ourselves) -> bool:
    """Whether the text is a filled-in form that names an address of neither the sender nor us."""
    lines = [line.strip() for line in text.split("\n", 60) if line.strip()][:_LINES_OF_A_FORM]
    fields = [found for line in lines if (found := _FIELD.fullmatch(line))]
    if len(fields) < _FEWEST_FIELDS or not lines or not _FIELD.fullmatch(lines[0]):
        return False
    named = [each for found in fields for each in _ADDRESS_IN_NAME.findall(found[1])]
    return any(not ours.houses(each) and each.lower() != sender.lower() for each in named)
