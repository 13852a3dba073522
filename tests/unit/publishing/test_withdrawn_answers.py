"""A draft that cites an approved answer leaves only while that answer holds, word for word."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from publishing_world import NOON, RULESET, payload
from replying import KEY, NOW, Mailbox, accepted, order, sample_shelf, services

from swarm.knowledge import Shelf
from swarm.models import Reason
from swarm.publishing.control import PublisherName
from swarm.publishing.dispatch.preflight import Preflight
from swarm.publishing.ledger.claim import ClaimCandidate
from swarm.stages.pipeline import run_chain

LATE = datetime(2031, 1, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert sample_shelf().folder is not None
    text = (sample_shelf().folder / "opening-hours.md").read_text()
    (tmp_path / "opening-hours.md").write_text(text)
    return tmp_path


def last_look(
    folder: Path, change: Callable[[Path], object], *, now: datetime = NOW, same_draft: bool = True
) -> list[Reason]:
    """What the last look says of ES-08, after something happened to the folder."""
    bundle = services(knowledge=Shelf(folder))
    mail = order(subject="Hours", body_text="Hello, what are your opening hours? Anna")
    done = run_chain(mail, bundle, accepted(bundle, mail))
    assert done.draft.claims
    change(folder / "opening-hours.md")
    body = payload(KEY)
    candidate = ClaimCandidate(
        work_order_key=KEY,
        publisher=PublisherName.SWARM,
        fence=0,
        attempts=0,
        created_at=NOON,
        payload=body,
        payload_sha256=body.digest(),
        draft_sha256=done.draft.content_sha256 if same_draft else "a" * 64,
        evidence_sha256=done.context.digest(),
        ruleset=RULESET,
    )
    look = Preflight(
        bundle.store,
        Mailbox(),
        link_allow_list=(),
        auto_send=False,
        knowledge=Shelf(folder),
        clock=lambda: now,
    )
    return [reason for reason in look(candidate) if reason.rule == "ES-08"]


def rewritten(file: Path) -> None:
    file.write_text(file.read_text().replace("closed", "not there"))


def test_an_answer_that_still_holds_is_no_reason(folder: Path) -> None:
    assert last_look(folder, lambda file: file) == []


@pytest.mark.parametrize("same_draft", [True, False])
@pytest.mark.parametrize("change", [rewritten, Path.unlink, lambda f: f.write_text("broken")])
def test_one_that_changed_or_went_holds_the_draft(
    folder: Path, change: Callable[[Path], object], same_draft: bool
) -> None:
    (reason,) = last_look(folder, change, same_draft=same_draft)
    assert reason.detail == "1 approved answers it cites expired or changed since"


def test_one_that_expired_meanwhile_holds_the_draft(folder: Path) -> None:
    assert last_look(folder, lambda file: file, now=LATE)
