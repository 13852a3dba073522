"""What the support lead reads at the desk, over real HTTP from real work orders."""

import re

import httpx
import pytest
from desk_server import ServedDesk, served_desk
from live_installation import SECRET, Installation

from swarm.observe.glossary import glossary

pytestmark = pytest.mark.integration


def test_today_is_numbers_that_lead_to_lists(desk: ServedDesk) -> None:
    page = desk.get("/").text
    for said in ("came in", "drafted", "escalated", "overdue", "drafts waiting", "sent unchanged"):
        assert said in page
    assert 'href="/drafts"' in page
    assert 'href="/escalations"' in page


def test_a_draft_that_waits_says_whose_it_is_why_and_opens_in_outlook(
    desk: ServedDesk, house: Installation
) -> None:
    page = desk.get("/drafts").text
    assert f"/work-orders/{house.keys['published']}" in page
    assert "published@example.org" in page
    assert "Where is order 10482, published?" in page
    assert "All checks passed." in page
    assert page.count('href="https://outlook.office365.com/owa/?ItemID=') >= 1
    assert house.keys["escalated"] not in page


def test_the_work_list_shows_the_mail_its_class_in_words_its_owner_and_its_time(
    desk: ServedDesk, house: Installation
) -> None:
    page = desk.get("/escalations").text
    assert house.keys["escalated"] in page
    assert "my lawyer will sue you over order 10482." in page
    assert "Legal threat" in page
    assert "Take it by" in page
    assert f"swarm escalations ack {house.keys['escalated']}" in page, "nobody was named"
    assert "<form" not in page.split("</header>", 1)[1]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("escalated@example.org", "escalated"),
        ("10482 escalated", "escalated"),
        ("ESCALATED", "escalated"),
        ("<{internet}>", "escalated"),
        ("{original}", "escalated"),
        ("{begin}", "escalated"),
        ("{day} escalated", "escalated"),
    ],
)
def test_a_mail_is_found_by(desk: ServedDesk, house: Installation, typed: str, name: str) -> None:
    key = house.keys[name]
    with house.database.transaction() as connection:
        row = connection.execute("SELECT body FROM work_orders WHERE key = %s", (key,)).fetchone()
    assert row is not None
    body = row["body"]
    asked = typed.format(
        internet=body["ref"]["internet_message_id"].strip("<>"),
        original=body["original_id"],
        begin=key[:12],
        day=body["received_at"][:10],
    )
    query = httpx.QueryParams({"q": asked})
    page = desk.get(f"/search?{query}").text
    assert f"/work-orders/{key}" in page
    assert "Looked for" in page


def test_a_search_that_finds_nothing_says_what_it_looked_for(desk: ServedDesk) -> None:
    page = desk.get("/search?q=zebra+99999+2001-01-01").text
    assert "what begins with “zebra” in sender or subject" in page
    assert "the number 99999 in subject or text" in page
    assert "received 2001-01-01" in page
    assert "nothing fits" in page


def test_one_work_order_says_why_it_got_no_draft_and_what_next(
    desk: ServedDesk, house: Installation
) -> None:
    key = house.keys["escalated"]
    page = desk.get(f"/work-orders/{key}").text
    assert "No draft is offered: a person must answer." in page
    assert glossary().rule("ES-01").name in page
    assert "my lawyer will sue you" in page
    assert "acknowledges it by" in page
    assert f"/assets/work_order/publish?view=partitions&amp;partition={key}" in page


def test_one_work_order_shows_its_draft_with_sources_verdicts_and_its_way(
    desk: ServedDesk, house: Installation
) -> None:
    page = desk.get(f"/work-orders/{house.keys['published']}").text
    assert "as the swarm published it" in page
    assert "What was found" in page
    assert "checks passed" in page
    assert "Publication: confirmed" in page
    assert "Open in Outlook" in page


def test_what_was_held_says_its_reason_in_words(desk: ServedDesk, house: Installation) -> None:
    page = desk.get(f"/work-orders/{house.keys['held']}").text
    assert glossary().held["conversation_went_on"].name in page


def test_a_beginning_of_a_key_leads_to_its_page_and_one_of_several_names_them(
    desk: ServedDesk, house: Installation
) -> None:
    key = house.keys["escalated"]
    led = desk.get(f"/work-orders/{key[:14]}")
    assert (led.status_code, led.headers["location"]) == (303, f"/work-orders/{key}")
    assert desk.get("/work-orders/mail-escalated").headers["location"].endswith(key)
    letters: dict[str, list[str]] = {}
    for each in house.keys.values():
        letters.setdefault(each[:4], []).append(each)
    several = next(keys for keys in letters.values() if len(keys) > 1)
    refused = desk.get(f"/work-orders/{several[0][:4]}")
    assert refused.status_code == 404
    assert "is the beginning of" in refused.text


def test_the_glossary_has_every_rule_with_an_anchor(desk: ServedDesk) -> None:
    page = desk.get("/glossary").text
    for number in range(1, 27):
        assert f'id="ES-{number:02}"' in page


@pytest.mark.parametrize(
    "path", ["/", "/drafts", "/escalations", "/search", "/glossary", "/desk.css", "/no/such/page"]
)
def test_every_answer_forbids_scripts_frames_caches_and_referrers(
    desk: ServedDesk, path: str
) -> None:
    said = desk.get(path).headers
    assert said["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
    assert "frame-ancestors 'none'" in said["content-security-policy"]
    assert said["cache-control"] == "no-store"
    assert said["x-content-type-options"] == "nosniff"
    assert said["referrer-policy"] == "no-referrer"
    assert "server" not in said


@pytest.mark.parametrize("path", ["/", "/drafts?page=2", "/escalations", "/glossary", "/search"])
def test_a_page_needs_no_script_and_loads_nothing_from_elsewhere(
    desk: ServedDesk, path: str
) -> None:
    page = desk.get(path).text
    assert "<script" not in page
    assert "style=" not in page
    assert page.count("src=") == 0
    assert page.count('rel="stylesheet"') == 1


def test_under_a_path_of_the_front_door_every_link_has_that_path(house: Installation) -> None:
    where = "https://swarm.example.org/desk"
    with served_desk(house.database.url, secret=SECRET, desk_url=where) as desk:
        for path in ("/drafts", "/desk/drafts"):
            page = desk.get(path, Host="swarm.example.org")
            assert page.status_code == 200, path
            links = re.findall(r'(?:href|action)="(/[^"]*)"', page.text)
            assert links
            assert all(link.startswith("/desk/") for link in links)
        assert desk.get("/desk/desk.css").status_code == 200


def test_a_question_that_takes_too_long_is_told_in_words(
    desk: ServedDesk, house: Installation
) -> None:
    with house.database.transaction() as connection:
        connection.execute("LOCK TABLE work_orders IN ACCESS EXCLUSIVE MODE")
        answer = desk.get("/drafts")
    assert answer.status_code == 503
    assert "took longer than five seconds" in answer.text


def test_a_database_that_is_away_is_told_in_words() -> None:
    with served_desk("postgresql://nobody@127.0.0.1:9/none", secret="x") as desk:
        answer = desk.get("/")
    assert answer.status_code == 503
    assert "The database is away" in answer.text
    assert "Traceback" not in answer.text
