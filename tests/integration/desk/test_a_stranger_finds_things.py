"""A stranger in a real browser, who has never seen the desk, finds what he was asked for.

Clicks what a person would click, without scripts of the page (there are none). Skipped where
Debian's Chromium is not installed.
"""

import shutil
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from desk_server import ServedDesk
from live_installation import Installation
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.expected_conditions import url_contains
from selenium.webdriver.support.wait import WebDriverWait

from swarm.store.database import Database

T = TypeVar("T")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="Chromium and chromedriver are not installed here"
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[WebDriver]:
    options = Options()
    options.binary_location = str(CHROMIUM)
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    driver.set_window_size(1100, 1000)
    driver.implicitly_wait(30)  # a click returns before its page is there
    yield driver
    driver.quit()


@pytest.fixture
def overdue(house: Installation) -> Iterator[str]:
    """The time of the one escalation is over."""
    key = house.keys["escalated"]
    _put_off(house.database, key, "-10 minutes")
    yield key
    _put_off(house.database, key, "1 hour")


def _put_off(database: Database, key: str, by: str) -> None:
    with database.transaction() as connection:
        connection.execute(
            "UPDATE escalations SET acknowledge_by = now() + %s::interval, acknowledged_at = NULL,"
            " acknowledged_by = NULL WHERE work_order_key = %s",
            (by, key),
        )


def until(browser: WebDriver, seen: Callable[[WebDriver], T]) -> T:
    """What is seen, once it is there: an element of the page that goes is asked for again."""
    passing = (NoSuchElementException, StaleElementReferenceException)
    return WebDriverWait(browser, 30, ignored_exceptions=passing).until(seen)


def follow(browser: WebDriver, name: str) -> None:
    """Click the link, as soon as the page it is on has come."""

    def clicked(page: WebDriver) -> bool:
        page.find_element(By.PARTIAL_LINK_TEXT, name).click()
        return True

    until(browser, clicked)


def arrived(browser: WebDriver, heading: str) -> None:
    """Wait for the page with this heading: a click returns before its page is there."""
    until(browser, lambda b: heading in b.find_element(By.TAG_NAME, "h1").text)


def words(browser: WebDriver) -> str:
    return until(browser, lambda b: b.find_element(By.TAG_NAME, "main").text)


def test_the_drafts_that_wait(browser: WebDriver, desk: ServedDesk) -> None:
    browser.get(desk.url)
    follow(browser, "Drafts")
    arrived(browser, "Drafts that wait")
    assert "Drafts that wait" in words(browser)
    assert "Where is order 10482, published?" in words(browser)
    links = browser.find_elements(By.LINK_TEXT, "Open in Outlook")
    assert all(str(a.get_attribute("href")).startswith("https://outlook.") for a in links)
    assert links


def test_the_overdue_escalation(browser: WebDriver, desk: ServedDesk, overdue: str) -> None:
    browser.get(desk.url)
    assert "1 mail is overdue." in words(browser)
    follow(browser, "overdue")
    first = browser.find_element(By.CSS_SELECTOR, "article.card.late")
    assert "overdue by" in first.text
    assert "my lawyer will sue you" in first.text
    assert overdue in first.text


def test_the_mail_of_one_customer(browser: WebDriver, desk: ServedDesk) -> None:
    browser.get(desk.url)
    field = browser.find_element(By.NAME, "q")
    field.send_keys("other@example.org", Keys.ENTER)
    follow(browser, "Where is order 10482, other?")
    arrived(browser, "Where is order 10482, other?")
    assert "could you tell me the status of my order 10482?" in words(browser)


def test_why_a_mail_got_no_draft(browser: WebDriver, desk: ServedDesk) -> None:
    browser.get(desk.url)
    field = browser.find_element(By.NAME, "q")
    field.send_keys("escalated", Keys.ENTER)
    follow(browser, "Where is order 10482, escalated?")
    arrived(browser, "Where is order 10482, escalated?")
    assert "No draft is offered: a person must answer." in words(browser)
    assert "Legal threat" in words(browser)
    follow(browser, "Dangerous topic")
    WebDriverWait(browser, 30).until(url_contains("/glossary#ES-01"))


def test_a_form_of_the_page_itself_passes_the_doors(
    browser: WebDriver, desk: ServedDesk, house: Installation, overdue: str
) -> None:
    """A page without a referrer posts `Origin: null`: the browser's own word must be enough."""
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"X-Forwarded-User": "ada"}})
    browser.get(f"{desk.url}/escalations")
    browser.find_element(By.CSS_SELECTOR, f"[aria-label='Acknowledge {overdue} as ada']").click()
    WebDriverWait(browser, 30).until(url_contains(f"/work-orders/{overdue}"))
    assert "ada, 20" in words(browser)
    asked = "SELECT acknowledged_by FROM escalations WHERE work_order_key = %s"
    with house.database.transaction() as connection:
        assert connection.execute(asked, (overdue,)).fetchone() == {"acknowledged_by": "ada"}
    browser.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {}})


def test_the_keyboard_alone_is_enough(browser: WebDriver, desk: ServedDesk) -> None:
    browser.get(desk.url)
    browser.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "To the content"
    for _ in range(3):
        browser.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Drafts"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    WebDriverWait(browser, 30).until(url_contains("/drafts"))


def test_a_phone_reads_every_page_without_scrolling_sideways(
    browser: WebDriver, desk: ServedDesk, house: Installation
) -> None:
    browser.set_window_size(500, 900)
    try:
        for path in ("/", "/drafts", "/escalations", f"/work-orders/{house.keys['published']}"):
            browser.get(desk.url + path)
            wide = browser.execute_script(
                "return document.documentElement.scrollWidth - window.innerWidth"
            )
            assert wide <= 0, path
    finally:
        browser.set_window_size(1100, 1000)


def test_the_browser_complains_about_nothing(browser: WebDriver, desk: ServedDesk) -> None:
    browser.get_log("browser")
    for path in ("/", "/drafts", "/escalations", "/search", "/glossary"):
        browser.get(desk.url + path)
    complaints = [entry["message"] for entry in browser.get_log("browser")]
    assert [said for said in complaints if "favicon" not in said] == []
