"""The monday.com client against a server that answers anything: thousands of answers, real HTTP.

Each answer is made from its own seed, which a failure names: ``SEED=... pytest -k ...`` repeats it.
"""

import os
from collections.abc import Callable, Iterator
from random import Random

import pytest
from odd_answers import odd_answer, odd_value, spoiled, written
from pydantic import SecretStr
from scripted_server import Answer, Asked, ScriptedServer, scripted

from swarm.clients.bounded_http import Bounds
from swarm.clients.lenient import gaps_of
from swarm.clients.monday import MondayClient
from swarm.clients.patience import Patience
from swarm.errors import RemoteUnavailableError, SwarmError
from swarm.settings import MondaySettings

pytestmark = pytest.mark.integration

ANNA = "anna@example.org"
CANARY = "CANARY-of-the-crm"
FIRST_SEED = int(os.environ.get("SEED", "20261126"))
HASTY = Patience(attempts=2, first_wait=0.001, longest_wait=0.002, total_seconds=0.3)


def contact(number: int) -> dict[str, object]:
    email = {"id": "email", "type": "email", "text": ANNA, "email": ANNA, "column": {"title": "E"}}
    return {
        "id": f"c{number}", "name": CANARY, "state": "active", "url": "https://x.example/1",
        "updated_at": "2026-11-20T10:00:00Z", "board": {"id": "b1"},
        "column_values": [email, {"id": "phone", "type": "phone", "text": "1"}],
    }  # fmt: skip


def deal(number: int) -> dict[str, object]:
    link = {"id": "deal_contact", "type": "board_relation", "linked_item_ids": ["c1"]}
    status = {"id": "status", "type": "status", "text": CANARY}
    return {**contact(number), "id": f"d{number}", "column_values": [status, link]}


def note(number: int) -> dict[str, object]:
    said = {"text_body": CANARY, "created_at": "2026-11-20T10:00:00Z", "creator": {"name": "Bo"}}
    return {"id": f"n{number}", **said, "replies": [{"id": f"r{number}", **said}]}


def contacts(items: list[object]) -> dict[str, object]:
    return {"items_page_by_column_values": {"cursor": None, "items": items}}


def deals(items: list[object]) -> dict[str, object]:
    reverse = {"id": "b2", "items_page": {"cursor": None, "items": items}}
    return {"items": [{"id": "c1", "linked_items": []}], "boards": [reverse]}


def notes(items: list[object]) -> dict[str, object]:
    return {"items": [{"id": "c1", "updates": items}]}


def ids(found: object) -> set[str]:
    return {str(getattr(each, "update_id", "") or each.item_id) for each in found}  # type: ignore[attr-defined]


Ask = Callable[[MondayClient], object]
QUESTIONS: dict[str, tuple[Callable[..., dict[str, object]], Callable[..., dict[str, object]], Ask]]
QUESTIONS = {
    "contacts": (contact, contacts, lambda m: m.contacts_by_email([ANNA])),
    "deals": (deal, deals, lambda m: m.deals_of(["c1"])),
    "notes": (note, notes, lambda m: m.updates_of(["c1"])),
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted(lambda _: Answer()) as running:
        yield running


@pytest.fixture
def monday(server: ScriptedServer) -> Iterator[MondayClient]:
    client = client_of(server)
    yield client
    client.close()


def client_of(server: ScriptedServer) -> MondayClient:
    settings = MondaySettings(
        api_url=f"{server.url}/v2",
        token=SecretStr("t"),
        contacts_board="b1",
        deals_board="b2",
        email_column="email",
        contact_deals_column="deals",
        deal_contact_column="deal_contact",
    )
    # No memory of contacts: each answer is read.
    return MondayClient(
        settings,
        patience=HASTY,
        bounds=Bounds(seconds=20.0),
        monotonic=iter(range(0, 10**9, 400)).__next__,
    )


def body(data: object, **more: object) -> bytes:
    return written({"data": data, **more}).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_good_item_is_lost_and_no_bad_one_goes_unsaid(
    server: ScriptedServer, monday: MondayClient, question: str
) -> None:
    make, wrap, ask = QUESTIONS[question]
    for seed in range(FIRST_SEED, FIRST_SEED + 350):
        random = Random(seed)
        good = [make(1), make(2)]
        odd = spoiled(make(9), random) if random.random() < 0.7 else odd_value(random)
        mixed: list[object] = [*good, odd]
        random.shuffle(mixed)
        server.script = lambda _, mixed=mixed: Answer(body=body(wrap(mixed)))  # type: ignore[misc]
        found = ask(monday)
        told = f"seed {seed}"
        good_ids = {str(each["id"]) for each in good}
        assert good_ids <= ids(found), told
        lost = len({*ids(found)} - good_ids) == 0
        inactive = isinstance(odd, dict) and odd.get("state") in ("archived", "deleted")
        elsewhere = isinstance(odd, dict) and _belongs_elsewhere(odd, question)
        assert gaps_of(found) or not lost or inactive or elsewhere, told  # type: ignore[arg-type]
        assert CANARY not in " ".join(gaps_of(found)), told  # type: ignore[arg-type]


def _belongs_elsewhere(odd: dict[str, object], question: str) -> bool:
    """Whether the item can be read, and says that it is not what was asked for, or a known one."""
    if odd.get("id") in ("c1", "c2", "d1", "d2", "n1", "n2"):
        return True
    cells = odd.get("column_values")
    named = [each for each in cells if isinstance(each, dict)] if isinstance(cells, list) else []
    if question == "contacts":
        return any(
            each.get("email") or each.get("text") for each in named if each.get("id") == "email"
        )
    return any(isinstance(each.get("linked_item_ids"), list) for each in named)


@pytest.mark.parametrize("question", [*QUESTIONS, "health", "boards"])
def test_only_our_own_errors_leave_the_client_whatever_is_answered(
    server: ScriptedServer, question: str
) -> None:
    more: dict[str, Ask] = {"health": lambda m: m.health(), "boards": lambda m: m.check_boards()}
    for seed in range(FIRST_SEED, FIRST_SEED + 200):
        random = Random(seed)
        make, wrap, ask = QUESTIONS.get(question, (contact, contacts, more.get(question)))
        good = body(wrap([make(1)]))
        if random.random() < 0.5:
            told = {
                "message": CANARY,
                "path": ["x"],
                "extensions": {"code": "x", "retry_in_seconds": 5},
            }
            top: dict[str, object] = {"data": wrap([make(1)]), "errors": [told], "extensions": {}}
            good = written(spoiled(spoiled(top, random), random)).encode("utf-8", "surrogatepass")
        answer = Answer(body=good) if random.random() < 0.5 else odd_answer(good, random)
        server.script = lambda _, answer=answer: answer  # type: ignore[misc]
        monday, told = client_of(server), ""
        try:
            assert ask is not None
            ask(monday)
        except SwarmError as error:
            told = str(error)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__} left the client") from error
        finally:
            monday.close()
        assert CANARY not in told, f"seed {seed}"


def test_pages_that_never_end_are_given_up_and_each_item_counts_once(
    server: ScriptedServer, monday: MondayClient
) -> None:
    def endless(asked: Asked) -> Answer:
        page = {"cursor": "again", "items": [contact(1), contact(1)]}
        return Answer(body=body({"items_page_by_column_values": page, "next_items_page": page}))

    server.script = endless
    with pytest.raises(RemoteUnavailableError, match="further pages"):
        monday.contacts_by_email([ANNA])
    server.script = lambda _: Answer(body=body(contacts([contact(1), contact(1)])))
    assert ids(monday.contacts_by_email([ANNA])) == {"c1"}
    assert len(list(monday.contacts_by_email([ANNA]))) == 1  # type: ignore[arg-type]
