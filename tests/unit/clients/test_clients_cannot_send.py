"""Promise 3: never sent. No client names an endpoint, scope or path that could send a mail.

Nor one that could take away or write over what a person made of a draft (ES-21).
"""

import re
from pathlib import Path

import swarm.clients
from swarm.publishing.ledger.payload import StoredPayload

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


def test_the_one_change_any_client_makes_to_a_message_is_the_mark_of_its_work_order() -> None:
    folder = Path(swarm.clients.__file__).parent
    sources = {each.name: each.read_text("utf-8") for each in folder.glob("*.py")}
    changes = [line.strip() for text in sources.values() for line in text.splitlines()]
    assert [line for line in changes if ".patch(" in line] == [
        'self._http.patch(path, {"singleValueExtendedProperties": [own]}, doing=doing)'
    ]
    assert not [name for name, text in sources.items() if re.search(r'"(DELETE|PUT)"', text)]


def test_a_payload_has_no_field_in_which_a_recipient_could_be_hidden() -> None:
    assert [name for name in StoredPayload.model_fields if "bcc" in name.lower()] == []
