"""The steps of the rehearsal in their order, each a sentence of what was shown.

A step acts by a public command, by a request of the UI, or by what a customer or a person in
Outlook does; what it claims it has read back. The numbers depend on the seed alone, the times do
not. What lives elsewhere: customers, files, the installation, the UI's requests.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final, cast

import httpx

from swarm.models import Noun
from swarm.rehearsal.customers import Wrote, one_that_is_answered, past_mails
from swarm.rehearsal.history import write_history
from swarm.rehearsal.installation import Installation, NotShownError, wait_for
from swarm.rehearsal.ui import DagsterUi

_SHADOW: Final = (
    ("shadow", "legacy_outcome"),
    ("shadow", "replay"),
    ("shadow", "comparison"),
)
_LIVE_MAILS: Final = 36  # the gates ask for 30 replies of people, 20 drafts of both paths, 10 files
_PEOPLE: Final = {"unchanged": 0.5, "edited": 0.3, "rewritten": 0.2}
_LEGACYS_WORDS: Final = (
    "A colleague is looking into it",
    "Wir kümmern uns darum",
)
_READING_SECONDS: Final = (
    30.0  # before it both paths are done: who was answered is no draft any more
)
_AHEAD: Final = timedelta(seconds=45)  # a look is planned, not taken at once
_WHO: Final = "rehearsal"
_EXPECTED_AT_FIRST: Final = "INCONCLUSIVE"
_ABOUT_THE_ENGINE: Final = frozenset({"must_escalate"})  # known as soon as the set was measured

SETTINGS: Final[Mapping[str, str]] = {
    # Minutes instead of hours: the doubles settle at once.
    "PUBLISH_SETTLE_SECONDS": "8",
    "PUBLISH_UNCONFIRMED_ALERT_SECONDS": "12",
    "PUBLISH_LEGACY_LEASE_SECONDS": "20",
}


@dataclass(slots=True)
class Rehearsal:
    """What the steps share. ``figures`` are those that the seed alone decides."""

    installation: Installation
    ui: DagsterUi
    folder: Path
    seed: int
    orders: int
    began: datetime
    figures: dict[str, int] = field(default_factory=dict)
    mailed: int = 0


class Shown(Noun):
    """A step that came out as it must."""

    step: str
    what: str
    seconds: float


Step = Callable[[Rehearsal], str]


def rehearse(rehearsal: Rehearsal) -> Iterator[Shown]:
    """Take the steps one after another; raises ``NotShownError`` at the first that fails."""
    for name, step in STEPS:
        began = time.monotonic()
        try:
            what = step(rehearsal)
            audit(rehearsal)
        except (NotShownError, httpx.HTTPError) as error:
            raise NotShownError(f"{name}: {error}") from error
        yield Shown(step=name, what=what, seconds=time.monotonic() - began)


def audit(rehearsal: Rehearsal) -> None:
    """Nothing lost, nothing twice: asked after each step."""
    rehearsal.installation.swarm("audit")


def legacy_in_office(rehearsal: Rehearsal) -> str:
    """Give publishing to today's path, as it is in every house before the cutover."""
    rehearsal.installation.swarm("publisher", "rollback", "--reason", "the rehearsal begins")
    return f"today's path publishes; {_publisher(rehearsal)}"


def nothing_is_proved(rehearsal: Rehearsal) -> str:
    """At first every gate says that it knows too little, and a cutover is refused."""
    gates = _evaluated(rehearsal)
    others = [
        each["gate"]
        for each in gates
        if each["verdict"] != _EXPECTED_AT_FIRST and each["gate"] not in _ABOUT_THE_ENGINE
    ]
    if others:
        raise NotShownError(f"not INCONCLUSIVE with nothing known: {', '.join(others)}")
    _refused(rehearsal)
    return f"{len(gates)} gates, all INCONCLUSIVE; a cutover is refused"


def history_imported(rehearsal: Rehearsal) -> str:
    """Import what the old daemons left behind, after a dry run that says whether it fits."""
    mails = past_mails(rehearsal.seed, rehearsal.orders, _midnight(rehearsal.began))
    files = write_history(rehearsal.folder / "history", mails, "service@example.com")
    asked = (
        "history", "import", str(files.orders), str(files.outbox),
        "--sent", str(files.sent), "--labels", str(files.labels),
        "--mapping", str(files.mapping), "--actor", _WHO,
    )  # fmt: skip
    rehearsal.installation.swarm(*asked, "--dry-run")
    told = _object(rehearsal.installation.json(*asked))
    count = _number(told, "files", "orders", "counts", "new")
    rehearsal.figures["imported work orders"] = count
    if count < rehearsal.orders:
        raise NotShownError(f"{count} of {rehearsal.orders} work orders were imported: {told}")
    return f"{count} work orders of sixty days, with outcomes, replies and labels"


def history_replayed(rehearsal: Rehearsal) -> str:
    """Run the new path over the history by a backfill, as the UI's dialog launches it."""
    until = _midnight(rehearsal.began) + timedelta(days=1)
    rehearsal.installation.swarm(
        "shadow", "plan",
        "--since", f"{until - timedelta(days=70):%Y-%m-%d}", "--until", f"{until:%Y-%m-%d}",
        "--noise", "20",
    )  # fmt: skip
    keys = rehearsal.ui.partitions(_SHADOW[-1])
    began = time.monotonic()
    rehearsal.ui.backfill(keys, _SHADOW, seconds=480.0)
    rate = len(keys) / (time.monotonic() - began)
    status = _object(rehearsal.installation.json("shadow", "status"))
    compared = sum(int(each["compared"]) for each in status["comparisons"])
    rehearsal.figures["compared work orders"] = compared
    if compared < rehearsal.figures["imported work orders"]:
        raise NotShownError(f"only {compared} work orders were compared: {status}")
    return f"{compared} work orders compared, {rate:.0f} a second"


def side_by_side(rehearsal: Rehearsal) -> str:
    """Live mails: today's path drafts each once, the new path only says what it would have done."""
    _submit(rehearsal, _LIVE_MAILS)
    _await_drafts(rehearsal, _LIVE_MAILS, legacys=True)
    _await_final(rehearsal)  # who was answered meanwhile needs no second draft, and is no pair
    with closing(rehearsal.installation.sandbox()) as sandbox:
        sandbox.human_auto(seed=rehearsal.seed, odds=_PEOPLE, delay_seconds=_READING_SECONDS)
    told = wait_for(lambda: _replied(rehearsal), "what people did with the drafts", 150.0)
    rehearsal.figures.update({f"live drafts {act}": n for act, n in sorted(told.items())})
    said = ", ".join(f"{n} {act.replace('_', ' ')}" for act, n in sorted(told.items()))
    return f"{_LIVE_MAILS} mails drafted once each by today's path, judged by both; {said}"


def certificate_issued(rehearsal: Rehearsal) -> str:
    """Plan a look, wait for it, and get the certificate that all gates passing gives."""
    at = datetime.now(UTC) + _AHEAD
    rehearsal.installation.swarm("gates", "looks", "--plan", at.isoformat(), "--actor", _WHO)

    def certified() -> Mapping[str, Any] | None:
        told = _object(rehearsal.installation.json("gates", codes=(0, 1)))["certificate"]
        return cast("Mapping[str, Any] | None", _object(told)["certificate"])

    try:
        found = wait_for(certified, "the certificate", 150.0) or {}
    except NotShownError as error:
        raise NotShownError(f"{error}; {_in_words(_gates(rehearsal))}") from None
    gates = _gates(rehearsal)
    rehearsal.figures["gates passed"] = sum(each["verdict"] == "PASS" for each in gates)
    return f"certificate {found['number']} after {len(gates)} gates at a planned look"


def cut_over(rehearsal: Rehearsal) -> str:
    """Give publishing to the swarm; the next mail is drafted once, by it."""
    rehearsal.installation.swarm("publisher", "cutover", "--reason", "all gates passed")
    before = _drafts(rehearsal)
    _submit(rehearsal)
    _await_drafts(rehearsal, before + 1, legacys=False)
    _await_final(rehearsal)
    return f"the next mail was drafted once, by the swarm; {_publisher(rehearsal)}"


def a_fault_is_seen(rehearsal: Rehearsal) -> str:
    """Let the hook die: the publication stays unconfirmed, and a gate says so by name."""
    with closing(rehearsal.installation.sandbox()) as sandbox:
        sandbox.fault("zapier", "lose")
        _submit(rehearsal)

        def breached() -> Sequence[str]:
            gates = _evaluated(rehearsal)
            return [each["gate"] for each in gates if each["verdict"] == "FAIL"]

        try:
            red = wait_for(breached, "a gate to fail", 120.0)
        finally:
            sandbox.clear_faults("zapier")
    _refused(rehearsal)
    return f"the hook lost a draft: {', '.join(red)} FAIL, the certificate is void"


def given_back(rehearsal: Rehearsal) -> str:
    """Roll back; the next mail is drafted once, by today's path."""
    rehearsal.installation.swarm("publisher", "rollback", "--reason", "a gate failed")
    before = _drafts(rehearsal)
    _submit(rehearsal)
    _await_drafts(rehearsal, before + 1, legacys=True)
    return f"the next mail was drafted once, by today's path; {_publisher(rehearsal)}"


STEPS: Final[Sequence[tuple[str, Step]]] = (
    ("today's path in office", legacy_in_office),
    ("nothing is proved yet", nothing_is_proved),
    ("history imported", history_imported),
    ("history replayed", history_replayed),
    ("both paths side by side", side_by_side),
    ("certificate", certificate_issued),
    ("cutover", cut_over),
    ("a fault is seen", a_fault_is_seen),
    ("given back", given_back),
)


# --- what the steps look at -----------------------------------------------------------------------


def _evaluated(rehearsal: Rehearsal) -> Sequence[Mapping[str, Any]]:
    rehearsal.installation.swarm("gates", "now", codes=(0, 1))
    return _gates(rehearsal)


def _gates(rehearsal: Rehearsal) -> Sequence[Mapping[str, Any]]:
    told = _object(rehearsal.installation.json("gates", codes=(0, 1)))["report"]
    return cast("Sequence[Mapping[str, Any]]", _object(told)["gates"])


def _in_words(gates: Sequence[Mapping[str, Any]]) -> str:
    short = [each for each in gates if each["verdict"] != "PASS"]
    return "; ".join(f"{each['gate']} {each['verdict']}: {each['figure']}" for each in short)


def _refused(rehearsal: Rehearsal) -> None:
    rehearsal.installation.swarm("publisher", "cutover", "--reason", "too early", codes=(2,))


def _publisher(rehearsal: Rehearsal) -> str:
    return rehearsal.installation.swarm("publisher", "show").splitlines()[0]


def _submit(rehearsal: Rehearsal, count: int = 1) -> None:
    """Let so many customers write; the customer base knows every second of them."""
    files = []
    with closing(rehearsal.installation.sandbox()) as sandbox:
        for _ in range(count):
            rehearsal.mailed += 1
            wrote = one_that_is_answered(rehearsal.seed, rehearsal.mailed, datetime.now(UTC))
            if rehearsal.mailed % 2:
                sandbox.add_contact(wrote.name, wrote.address)
            file = rehearsal.folder / f"{wrote.id}.eml"
            file.write_bytes(_mime(wrote))
            files.append(str(file))
    rehearsal.installation.swarm("submit", *files)


def _mime(wrote: Wrote) -> bytes:
    message = EmailMessage()
    message["From"] = f'"{wrote.name}" <{wrote.address}>'
    message["To"] = "service@example.com"
    message["Subject"] = wrote.subject
    message["Message-ID"] = f"<{wrote.id}@example.org>"
    message["Date"] = format_datetime(wrote.received_at)
    message.set_content(wrote.text)
    if wrote.enclosed:
        message.add_attachment(wrote.enclosed, subtype="plain", filename="lamp.txt")
    return message.as_bytes()


def _replied(rehearsal: Rehearsal) -> Mapping[str, int]:
    """Return what people did, once it is known of every draft."""
    acts = _object(rehearsal.installation.json("status"))["replies"]["acts"]
    known = {act: int(n) for act, n in acts.items() if act != "open"}
    return known if sum(known.values()) >= _LIVE_MAILS else {}


def _drafts(rehearsal: Rehearsal) -> int:
    with closing(rehearsal.installation.sandbox()) as sandbox:
        return len(sandbox.deliveries())


def _await_drafts(rehearsal: Rehearsal, count: int, *, legacys: bool) -> None:
    wait_for(lambda: _drafts(rehearsal) >= count, f"{count} drafts", 90.0)
    with closing(rehearsal.installation.sandbox()) as sandbox:
        found = [cast("Mapping[str, Any]", each["payload"]) for each in sandbox.deliveries()]
    if len(found) > count:
        raise NotShownError(f"{len(found)} drafts were asked for, {count} were due")
    words = str(found[-1]["body_text"])
    if any(each in words for each in _LEGACYS_WORDS) is not legacys:
        raise NotShownError("the draft came from the other path")


def _await_final(rehearsal: Rehearsal) -> None:
    def left() -> bool:
        states = _object(rehearsal.installation.json("status"))["states"]
        return not sum(states.get(name, 0) for name in ("accepted", "running", "publishing"))

    wait_for(left, "every work order to be final", 90.0)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NotShownError(f"a command printed no object but {type(value).__name__}")
    return value


def _number(told: Mapping[str, Any], *path: str) -> int:
    found: Any = told
    for name in path:
        if not isinstance(found, Mapping) or name not in found:
            raise NotShownError(f"a command did not tell {'.'.join(path)}")
        found = found[name]
    return int(found)
