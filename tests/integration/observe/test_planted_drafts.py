"""What lies in the mailbox against the ledger: a program's doing is a breach, a person's a fact."""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from live_installation import Installation, alive, copied, with_mailbox_of_its_own

from swarm.observe.audit.report import Scope
from swarm.publishing.ledger.marker import draft_marker, reference

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation")


@pytest.fixture(scope="module")
def live(postgres_server: str, folder: Path) -> Iterator[Installation]:
    with alive(postgres_server, folder, f"live_{uuid.uuid4().hex[:8]}") as installation:
        yield installation


@pytest.fixture
def copy(
    live: Installation, postgres_server: str, folder: Path, tmp_path: Path
) -> Iterator[Installation]:
    name = f"copy_{uuid.uuid4().hex[:8]}"
    with (
        copied(live, postgres_server, name, tmp_path) as copy,
        with_mailbox_of_its_own(copy, folder) as copy,
    ):
        yield copy


def put(copy: Installation, text: str, conversation: str | None = None) -> None:
    """A program puts a draft into the mailbox; nobody touches it afterwards."""
    copy.sandbox.seed_mail(
        "published@example.org",
        subject="Re: Where is order 10482, published?",
        body_text=text,
        from_us=True,
        is_draft=True,
        folder="drafts",
        conversation_id=conversation,
        received_at=datetime.now(UTC) + timedelta(seconds=5),
    )


def ours(copy: Installation, name: str) -> dict[str, object]:
    (found,) = [each for each in copy.sandbox.drafts() if each["id"] == copy.drafts[name]]
    return found


def breaches(copy: Installation) -> list[tuple[str, str]]:
    new, full = copy.audit(Scope.NEW), copy.audit(Scope.FULL)
    assert new.breaches == full.breaches
    return [(breach.check, breach.subject) for breach in full.breaches]


def facts(copy: Installation) -> list[tuple[str, str]]:
    report = copy.audit(Scope.NEW)
    assert report.breaches == ()
    assert copy.audit(Scope.FULL).facts == report.facts
    return [(fact.name, fact.subject) for fact in report.facts]


# --- breaches -------------------------------------------------------------------------------------


def test_a_second_draft_in_another_conversation_is_named(copy: Installation) -> None:
    key = copy.keys["published"]
    put(copy, f"It is on its way.\n\n{draft_marker(key)}")
    assert ("drafted_twice", key) in breaches(copy)


def test_a_second_draft_that_says_the_same_without_our_reference_is_named(
    copy: Installation,
) -> None:
    key, draft = copy.keys["published"], ours(copy, "published")
    with copy.database.transaction() as connection:
        row = connection.execute(
            "SELECT body->>'body_text' AS text FROM publication_payload WHERE work_order_key = %s",
            (key,),
        ).fetchone()
    assert row is not None
    text = row["text"].replace(draft_marker(key), "")
    put(copy, text, str(draft["conversationId"]))
    assert breaches(copy) == [("drafted_twice", key)]


def test_another_text_that_nobody_typed_is_named(copy: Installation) -> None:
    key, draft = copy.keys["published"], ours(copy, "published")
    copy.sandbox.human("purge", draft["id"])
    put(copy, f"Pay again, please.\n\n{draft_marker(key)}", str(draft["conversationId"]))
    assert breaches(copy) == [("other_draft", key)]


@pytest.mark.parametrize("name", ["escalated", "superseded", "queued"])
def test_a_draft_of_which_the_ledger_knows_nothing_is_named(copy: Installation, name: str) -> None:
    put(copy, f"It is on its way.\n\n{draft_marker(copy.keys[name])}")
    assert breaches(copy) == [("draft_without_ledger", reference(copy.keys[name]))]


def test_a_draft_of_what_was_held_before_it_was_claimed_is_named(copy: Installation) -> None:
    put(copy, f"It is on its way.\n\n{draft_marker(copy.keys['held'])}")
    assert ("draft_without_claim", copy.keys["held"]) in breaches(copy)


def test_a_draft_that_is_nowhere_is_named(copy: Installation) -> None:
    copy.sandbox.human("purge", copy.drafts["other"])
    assert breaches(copy) == [("confirmed_without_draft", copy.keys["other"])]


# --- a person at work -----------------------------------------------------------------------------


def test_an_edited_draft_is_a_fact_and_no_breach(copy: Installation) -> None:
    time.sleep(1.1)  # Graph's times end at the second
    copy.sandbox.human("edit", copy.drafts["published"], body_html="<p>Dear Anna, soon.</p>")
    assert facts(copy) == [("draft_edited", copy.keys["published"])]


def test_a_draft_thrown_away_is_a_fact_and_no_breach(copy: Installation) -> None:
    copy.sandbox.human("delete", copy.drafts["published"])
    assert facts(copy) == [("draft_deleted", copy.keys["published"])]


def test_a_draft_that_was_sent_needs_no_word(copy: Installation) -> None:
    copy.sandbox.human("send", copy.drafts["published"])
    assert facts(copy) == []


def test_a_draft_that_was_filed_elsewhere_needs_no_word(copy: Installation) -> None:
    copy.sandbox.human("move", copy.drafts["published"], folder="archive")
    assert facts(copy) == []


def test_a_colleagues_own_draft_in_the_conversation_is_a_fact(copy: Installation) -> None:
    draft = ours(copy, "published")
    put(copy, "Dear Anna, let me look into it.", str(draft["conversationId"]))
    assert facts(copy) == [("another_draft", copy.keys["published"])]


def test_a_draft_of_somebody_elses_business_needs_no_word(copy: Installation) -> None:
    put(copy, "Minutes of the meeting")
    assert facts(copy) == []
