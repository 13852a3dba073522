"""The link of a draft is kept only when it is one a person may be sent to."""

import pytest

from swarm.clients.outlook_messages import found_draft, graph_message


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("https://outlook.office365.com/owa/?ItemID=AAk%2B&exvsurl=1", True),
        ("https://outlook.office.com/mail/deeplink/read/AAk", True),
        (None, False),
        ("", False),
        ("http://outlook.office365.com/owa/", False),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://user@evil.example/", False),
        ("https://outlook.office365.com/a b", False),
        ("https://outlook.office365.com/\n", False),
        ("https://outlook.office365.com/" + "a" * 3000, False),
        ("https://\u202eevil.example/", False),
        ("https://[broken", False),
    ],
)
def test_a_link_is_kept_when_it_is_plain_https(said: str | None, *, kept: bool) -> None:
    message = graph_message({"id": "a", "isDraft": True, "webLink": said})
    assert found_draft(message, "drafts").web_link == (said if kept else "")
