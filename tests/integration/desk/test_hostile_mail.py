"""Whatever a mail contains, a page of the desk shows it as text and nothing else."""

import json
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from desk_server import ServedDesk, served_desk

from swarm.intake.stream.tick import ingest
from swarm.models import Reason
from swarm.settings import QueueSettings
from swarm.store import embedded
from swarm.store.database import Database
from swarm.store.postgres import PostgresStore
from swarm.store.postgres_queue import PostgresQueue

pytestmark = pytest.mark.integration

SECRET = "s"
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "closing": "</blockquote></main></html><h1>Owned</h1>",
    "form": "<form action=https://evil.example><input name=password></form>",
    "style": "<style>*{display:none}</style><link rel=stylesheet href=//evil>",
    "meta": '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    "template": "{{ 7*7 }} {% for x in y %} {{ config }}",
    "link": '<a href="javascript:alert(1)">javascript:alert(1)</a>',
    "entities": "&lt;script&gt;alert(1)&lt;/script&gt;",
    "bidi": "invoice\u202efdp.exe \u2066hidden\u2069 \u200fend",
    "controls": "a\x1b[31mred\x07 b\x08c \x7f d",
    "long": "x" * 1_000_000,
    "nested": "<div>" * 5_000,
    "comment": "<!-- --><!--",
    "svg": "<svg/onload=alert(1)>",
}
_OURS = frozenset({"a", "article", "b", "bdi", "blockquote", "body", "br", "button", "code", "dd",
                   "details", "div", "dl", "dt", "footer", "form", "h1", "h2", "h3", "head",
                   "header", "html", "input", "label", "li", "link", "main", "meta", "nav", "ol",
                   "p", "section", "small", "span", "strong", "summary", "table", "tbody", "td",
                   "th", "thead", "time", "title", "tr", "ul"})  # fmt: skip


class Seen(HTMLParser):
    """What a browser would make of a page: elements, links, forms."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.actions: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        self.actions += [value or "" for name, value in attrs if name == "action"]


@pytest.fixture(scope="module")
def keys(hostile_database: Database, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One escalated work order for each hostile text, in every field a sender can fill."""
    stream = tmp_path_factory.mktemp("stream") / "work_orders.jsonl"
    with stream.open("w") as file:
        for name, text in HOSTILE.items():
            file.write(json.dumps(_line(name, text)) + "\n")
    accepted = ingest(hostile_database, stream, SECRET).accepted_keys
    queue = PostgresQueue(hostile_database, QueueSettings())
    store = PostgresStore(hostile_database)
    for job in queue.request_due(50):
        fence = queue.open(job.work_order_key, f"run-{job.work_order_key}", job.attempt)
        assert store.escalate(fence, [Reason(rule="ES-03", detail="asks for a human")])
    assert len(accepted) == len(HOSTILE)
    return dict(zip(HOSTILE, accepted, strict=True))


def _line(name: str, text: str) -> dict[str, object]:
    return {
        "schema_version": "1",
        "id": f"mail-{name}",
        "mailbox": "service@example.com",
        "sender": {"address": f"{name}@example.org", "name": text[:500]},
        "subject": text[:900],
        "body_text": text,
        "attachments": [
            {"name": text[:200], "content_type": "text/html", "size": 1, "inline": False}
        ],
        "received_at": "2026-11-23T08:00:00Z",
        "source": "test",
    }


@pytest.fixture(scope="module")
def hostile_database(postgres_server: str) -> Iterator[Database]:
    url = embedded.create_database(postgres_server, "hostile", template="template_swarm")
    database = Database(url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def hostile_desk(hostile_database: Database) -> Iterator[ServedDesk]:
    with served_desk(hostile_database.url, secret=SECRET) as served:
        yield served


def assert_only_ours(page: str) -> Seen:
    seen = Seen(page)
    assert set(seen.tags) <= _OURS, set(seen.tags) - _OURS
    assert not {name for name in seen.attributes if name.startswith("on") or name == "style"}
    for link in seen.links:
        assert link.startswith(("/", "#", "http://127.0.0.1:3000/")), link
    assert set(seen.actions) <= {"/search"}, seen.actions
    assert not any(letter in page for letter in "\u202e\u2066\u2069\x1b\x07\x08\x7f")
    assert len(page) < 600_000
    return seen


@pytest.mark.parametrize("name", HOSTILE)
def test_the_page_of_one_hostile_mail_is_made_of_our_elements_alone(
    hostile_desk: ServedDesk, keys: dict[str, str], name: str
) -> None:
    answer = hostile_desk.get(f"/work-orders/{keys[name]}")
    assert answer.status_code == 200
    seen = assert_only_ours(answer.text)
    assert seen.tags.count("h1") == 1
    assert seen.tags.count("main") == 1


@pytest.mark.parametrize("path", ["/", "/escalations", "/escalations?page=2", "/search?q=2026-11"])
def test_lists_of_hostile_mails_are_made_of_our_elements_alone(
    hostile_desk: ServedDesk, keys: dict[str, str], path: str
) -> None:
    answer = hostile_desk.get(path)
    assert answer.status_code == 200
    assert_only_ours(answer.text)


def test_what_was_typed_into_the_search_is_text(hostile_desk: ServedDesk) -> None:
    page = hostile_desk.get("/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text
    assert_only_ours(page)
    assert "<script" not in page


def test_a_text_that_looks_like_a_template_is_shown_as_it_is(
    hostile_desk: ServedDesk, keys: dict[str, str]
) -> None:
    assert "{{ 7*7 }}" in hostile_desk.get(f"/work-orders/{keys['template']}").text


def test_what_turns_reading_around_is_made_visible(
    hostile_desk: ServedDesk, keys: dict[str, str]
) -> None:
    page = hostile_desk.get(f"/work-orders/{keys['bidi']}").text
    assert "invoice\ufffdfdp.exe" in page


def test_no_mail_reaches_the_log(
    hostile_desk: ServedDesk, keys: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    for key in keys.values():
        hostile_desk.get(f"/work-orders/{key}")
    hostile_desk.get("/search?q=script@example.org")
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
