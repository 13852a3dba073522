"""Promise 3: never sent. No client names an endpoint, scope or path that could send a mail."""

import re
from pathlib import Path

import swarm.clients

SENDING = re.compile(
    r"sendMail|Mail\.Send|/send\b|/reply\b|/replyAll\b|/forward\b|createReply", re.IGNORECASE
)


def test_no_client_names_anything_that_sends_or_drafts_by_itself() -> None:
    folder = Path(swarm.clients.__file__).parent
    sources = [*folder.glob("*.py"), *(folder / "queries").glob("*.graphql")]
    assert len(sources) > 15
    assert [each.name for each in sources if SENDING.search(each.read_text("utf-8"))] == []


def test_no_query_of_ours_is_a_mutation() -> None:
    folder = Path(swarm.clients.__file__).parent / "queries"
    texts = [each.read_text("utf-8") for each in folder.glob("*.graphql")]
    assert not any(re.search(r"^\s*mutation\b", text, re.MULTILINE) for text in texts)
