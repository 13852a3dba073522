"""The stage ``received``: the mail as a person would read it. The cleaning itself is intake's."""

from swarm.intake.mail.clean import receive as clean
from swarm.models import Received, WorkOrder


def receive(order: WorkOrder) -> Received:
    """Decode, strip quotes and hidden text, name language and asks. Pure."""
    return clean(order)
