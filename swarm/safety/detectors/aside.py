"""What is judged beside the text: nothing that was cut out of a mail is cut out of judgement.

Which parts may be the customer's words is said where they are set aside (``Received.set_aside``);
here is what is read of them. Each is judged by itself: weak signs of two make no strong one.
"""

from collections.abc import Iterator

from swarm.models import Received, SetAside, SetAsideKind, TextSpan
from swarm.safety import injection
from swarm.sorting.titles import names_a_title

_BOILERPLATE = (SetAsideKind.FOOTER, SetAsideKind.BANNER)
_MARK_OF_ARMOUR = "-----"


def parts_to_judge(received: Received) -> tuple[SetAside, ...]:
    """Return the parts on which escalation is judged.

    Boilerplate is among them, because harm to somebody may be dressed as a footer; of its other
    classes nothing counts.
    """
    return tuple(part for part in received.set_aside if part.judged or part.kind in _BOILERPLATE)


def lines_to_skim(received: Received) -> Iterator[tuple[SetAsideKind, str, bool]]:
    """Yield kind and lines of signatures and armour, which are taken for such by their shape:
    "Lawyer, court, police" has it, too. What they name counts; of a line with a title in it
    ("Head of Litigation & Press": the last value) only harm to somebody does.
    """
    for part in received.set_aside:
        if part.kind in (SetAsideKind.SIGNATURE, SetAsideKind.ARMOUR):
            for line in part.text.split("\n"):
                yield part.kind, line, names_a_title(line)


def orders_of(received: Received) -> tuple[TextSpan, ...]:
    """Find instruction-like places of text and parts (ES-13); those of the text have a place."""
    return (*injection.scan(received.text), *_beside(received))


def _beside(received: Received) -> Iterator[TextSpan]:
    for part in received.set_aside:
        if part.scanned:
            for span in injection.scan(_scanned(part)):
                yield span.model_copy(update={"start": 0, "end": 0})


def _scanned(part: SetAside) -> str:
    """The marks round armour look like those that part a chat; what is between them is read."""
    if part.kind is not SetAsideKind.ARMOUR:
        return part.text
    lines = part.text.split("\n")
    return "\n".join(line for line in lines if not line.startswith(_MARK_OF_ARMOUR))
