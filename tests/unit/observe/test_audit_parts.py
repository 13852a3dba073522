"""The pure parts of the audit: the walk along the log, the advice, what the migrations require."""

import re
from pathlib import Path

import pytest

import swarm.observe.audit
import swarm.publishing.ledger.transitions
from swarm.observe.audit import publication_checks, tables
from swarm.observe.audit.advice import ADVICE
from swarm.observe.audit.schema import required_triggers
from swarm.observe.audit.stored import Stored
from swarm.publishing.ledger.transitions import MOVES, REOPEN


def walked(state: str, fence: int, *log: tuple[str, int], uncertain: int = 0) -> set[str]:
    """Walk a log of (event, fence) and return the names of what is wrong."""
    row = {
        "publisher": "swarm",
        "state": state,
        "fence": fence,
        "attempts": sum(event in ("claimed", "settled") for event, _ in log),
        "uncertain_posts": uncertain,
        "ever_uncertain": uncertain > 0,
        "payload_sha256": "p",
        "draft_id": "d",
    }
    lines = [{"event": event, "fence": at, "detail": ""} for event, at in log]
    empty: dict[str, tuple[()]] = dict.fromkeys(
        ("lines", "revisions", "events", "artifacts", "verdicts", "payloads", "releases"), ()
    )
    stored = Stored("wo_x", None, row, None, log=lines, **empty)  # type: ignore[arg-type]
    found = publication_checks._row(stored, row)
    return {finding.check for finding in found} - {"payload_changed"}


POSTED = (("ready", 0), ("claimed", 1), ("accepted", 1))


def test_a_publication_that_went_its_way_is_in_its_log() -> None:
    assert walked("CONFIRMED", 1, *POSTED, ("confirmed", 1), uncertain=1) == set()


def test_one_that_was_refused_and_tried_again_is_in_its_log() -> None:
    log = (("ready", 0), ("claimed", 1), ("not_sent", 1), ("claimed", 2), ("unknown", 2))
    assert walked("HELD", 2, *log, ("held", 2), uncertain=1) == set()


def test_one_of_legacys_journal_is_in_its_log() -> None:
    assert walked("ACCEPTED", 1, ("ready", 0), ("settled", 1), uncertain=1) == set()


@pytest.mark.parametrize(
    ("state", "fence", "log", "uncertain", "named"),
    [
        ("READY", 1, POSTED, 1, {"ledger_not_in_log"}),
        ("ACCEPTED", 0, POSTED, 1, {"ledger_not_in_log"}),
        ("ACCEPTED", 1, POSTED, 0, {"ledger_not_in_log"}),
        ("CONFIRMED", 1, (), 0, {"ledger_not_in_log"}),
        ("ACCEPTED", 1, POSTED[1:], 1, {"impossible_move"}),
        ("SENDING", 2, (*POSTED, ("claimed", 2)), 1, {"impossible_move"}),
        ("ACCEPTED", 1, (*POSTED, ("dreamt", 1)), 1, {"impossible_move"}),
    ],
)
def test_a_row_that_its_log_does_not_lead_to_is_named(state, fence, log, uncertain, named) -> None:
    assert named <= walked(state, fence, *log, uncertain=uncertain)


def test_every_legal_move_is_known_by_the_name_it_is_logged_under() -> None:
    source = Path(swarm.publishing.ledger.transitions.__file__ or "").read_text("utf-8")
    logged = set(re.findall(r"SELECT work_order_key, fence, '(\w+)'", source))
    moves = {publication_checks._move_of(event) for event in logged}
    assert moves == {*MOVES.values(), REOPEN}


def test_every_check_and_every_fact_has_its_advice() -> None:
    folder = Path(swarm.observe.audit.__file__ or "").parent
    text = "\n".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    named = set(re.findall(r'Violation\(\s*[\w\s()]*?\d?[\w\s]*,\s*"(\w+)"', text))
    named |= set(re.findall(r'Observation\(\s*name="(\w+)"', text))
    named |= {question.name for question in (*tables.QUESTIONS, *tables.OF_A_BATCH)}
    assert len(named) > 40
    assert named <= ADVICE.keys()


def test_the_migrations_say_which_triggers_must_be_there() -> None:
    wanted = required_triggers()
    assert {"verdicts.verdicts_are_immutable", "work_orders.tier_never_falls"} <= wanted
    assert "audit_mark.audit_mark_is_immutable" in wanted
