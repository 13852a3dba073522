"""One work order driven by hand: the in-memory store and queue around ``run_chain``."""

import os
import uuid
from datetime import UTC, datetime
from pathlib import Path

from swarm.errors import MalformedInputError, RefusedError
from swarm.installation.enter import acknowledges, knowledge_folder
from swarm.installation.environment import home_of
from swarm.intake.stream.line import Quarantined, read_line
from swarm.knowledge import Shelf
from swarm.legacy.actionable import why_ignored
from swarm.legacy.events import encoded, event_from_eml
from swarm.legacy.home import IntakeFiles
from swarm.legacy.mime import parse_mail
from swarm.models import Noun, WorkOrder, WorkOrderState
from swarm.settings import load_model_settings
from swarm.specialists.select import select_specialist
from swarm.stages.lone_mail import ASSUMED, EmptyCrm, LoneMail
from swarm.stages.pipeline import ChainResult, run_chain
from swarm.stages.services import Services
from swarm.store.memory import MemoryStore
from swarm.store.memory_queue import taken_in_hand
from swarm.store.tombstones import TombstoneFile

_MAILBOX = "service@example.com"
_SECRET = "run-once"  # noqa: S105 - keys of a store that is gone in a second


class Once(Noun):
    """What became of the mail: every artifact, and the two answers the exit code gives."""

    key: str
    state: WorkOrderState
    publishable: bool
    escalated: bool
    declined: bool
    assumed: tuple[str, ...] = ASSUMED
    result: ChainResult


def drive(file: Path) -> Once:
    """Drive the mail in ``file``; raises ``MalformedInputError`` when it cannot be answered."""
    data = _bytes(file)
    order = _work_order(file, data)
    model = load_model_settings()
    store = MemoryStore()
    fence = taken_in_hand(store, order, f"run-once-{uuid.uuid4()}")
    services = Services(
        store=store,
        specialist=select_specialist(model, store, acknowledge=acknowledges()),
        outlook=LoneMail(order, [part.content for part in parse_mail(data).attachments]),
        monday=EmptyCrm(),
        mailbox=order.ref.mailbox,
        knowledge=Shelf(knowledge_folder()),
        model_budget=model.budget_per_work_order,
        model_patience_seconds=0.0,  # nobody drives it again
    )
    result = run_chain(order, services, fence)
    state = store.state(order.key)
    return Once(
        key=order.key,
        state=state,
        publishable=result.policy.publishable,
        escalated=state is WorkOrderState.ESCALATED,
        declined=state is WorkOrderState.DECLINED,
        result=result,
    )


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise MalformedInputError(f"{file}: {error.strerror or 'cannot be read'}") from error


def _work_order(file: Path, data: bytes) -> WorkOrder:
    """Take the mail the way the intake would, through its event and its line."""
    try:
        event = event_from_eml(data, _MAILBOX, now=datetime.now(UTC))
    except MalformedInputError as error:
        raise MalformedInputError(f"{file}: {error.message}") from error
    event["message_id"] = event["id"]  # it lies in the mailbox of ``LoneMail``
    if reason := why_ignored(event):
        raise MalformedInputError(f"{file}: needs no answer ({reason})")
    _refuse_the_erased(encoded(event), file)
    line = read_line(encoded(event), _SECRET)
    if isinstance(line, Quarantined):
        raise MalformedInputError(f"{file}: {line.reason}")
    return line.work_order


def _refuse_the_erased(line: bytes, file: Path) -> None:
    """A mail that the installation at hand erased is judged by nobody any more."""
    home = home_of(os.environ)
    path = IntakeFiles(home.root).tombstones
    if not path.exists():
        return
    secret = os.environ.get("SWARM_KEY_SECRET") or home.key_secret()
    if TombstoneFile(path, secret).refuses(line):
        raise RefusedError(f"{file}: was erased and is not looked at again")
