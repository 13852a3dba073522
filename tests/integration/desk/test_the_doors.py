"""Attacks on the desk that end at its doors: refused in words, and nothing changed."""

import socket
from collections.abc import Iterator

import httpx
import pytest
from desk_server import USER, ServedDesk
from live_installation import Installation

pytestmark = pytest.mark.integration


@pytest.fixture
def untouched(house: Installation) -> Iterator[str]:
    """The key of an open escalation, which must be open afterwards."""
    key = house.keys["escalated"]
    yield key
    asked = "SELECT acknowledged_by FROM escalations WHERE work_order_key = %s"
    with house.database.transaction() as connection:
        assert connection.execute(asked, (key,)).fetchone() == {"acknowledged_by": None}


def raw(desk: ServedDesk, request: bytes) -> bytes:
    """Send bytes no client library would send; return the answer."""
    name, _, port = desk.host.partition(":")
    with socket.create_connection((name, int(port)), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


@pytest.mark.fault("T59")
def test_a_foreign_host_is_refused(desk: ServedDesk, untouched: str) -> None:
    for host in (
        "evil.example",
        "127.0.0.1.evil.example",
        "desk.example.org.evil",
        "169.254.1.1",
        "[broken",
    ):
        assert desk.get("/", Host=host).status_code == 421
        refused = desk.acknowledge(untouched, Host=host, Origin=f"http://{host}")
        assert refused.status_code == 421


def test_two_hosts_are_none(desk: ServedDesk, untouched: str) -> None:
    said = raw(
        desk, b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n"
    )
    assert said.split()[1] in {b"400", b"421"}


def test_its_own_names_are_let_in(desk: ServedDesk) -> None:
    port = desk.host.partition(":")[2]
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "desk.example.org"):
        assert desk.get("/glossary", Host=host).status_code == 200


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Origin": "https://[broken"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": ""},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.fault("T59")
def test_a_form_of_another_site_is_refused(
    desk: ServedDesk, untouched: str, foreign: dict[str, str]
) -> None:
    assert desk.acknowledge(untouched, **foreign).status_code == 403


@pytest.mark.fault("T59")
def test_a_get_acknowledges_nothing(desk: ServedDesk, untouched: str) -> None:
    for path in (f"/escalations/{untouched}/acknowledge", f"/escalations?take={untouched}"):
        desk.get(path, **{USER: "ada"})
    assert desk.get(f"/escalations/{untouched}/acknowledge").status_code == 405


@pytest.mark.parametrize("who", ["", "a\u202eb", "x" * 121])
def test_whom_the_front_door_does_not_name_takes_nothing(
    desk: ServedDesk, untouched: str, who: str
) -> None:
    headers = [("Origin", desk.url), ("Sec-Fetch-Site", "same-origin"), (USER, who.encode())]
    with httpx.Client(trust_env=False) as client:
        path = f"{desk.url}/escalations/{untouched}/acknowledge"
        refused = client.post(path, headers=headers)
    assert refused.status_code == 403
    assert "who you are" in refused.text


def test_two_names_are_nobody(desk: ServedDesk, untouched: str) -> None:
    headers = [("Origin", desk.url), (USER, "ada"), (USER, "eve")]
    with httpx.Client(trust_env=False) as client:
        path = f"{desk.url}/escalations/{untouched}/acknowledge"
        assert client.post(path, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "key", ["wo_" + "z" * 24, "wo_' OR 1=1 --", "%00", "..%2f..%2fetc%2fpasswd", "*"]
)
def test_a_forged_key_is_not_found(desk: ServedDesk, untouched: str, key: str) -> None:
    assert desk.acknowledge(key).status_code in {400, 404, 421}
    assert desk.get(f"/work-orders/{key}").status_code in {400, 404}


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/desk.css/../../app.py", "/templates/base.html", "/%2e%2e/settings.py"],
)
def test_a_path_leads_to_no_file(desk: ServedDesk, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    said = raw(desk, request.encode())
    assert said.split()[1] in {b"404", b"400"}
    assert b"root:" not in said
    assert b"import" not in said


def test_a_body_larger_than_a_form_is_refused(desk: ServedDesk, untouched: str) -> None:
    path = f"{desk.url}/escalations/{untouched}/acknowledge"
    headers = {"Origin": desk.url, "Sec-Fetch-Site": "same-origin", USER: "ada"}
    with httpx.Client(trust_env=False) as client:
        assert client.post(path, headers=headers, content=b"x" * 100_000).status_code == 413
    said = raw(
        desk,
        f"POST /escalations/{untouched}/acknowledge HTTP/1.1\r\nHost: localhost\r\nOrigin: x\r\n"
        f"Content-Length: -5\r\nConnection: close\r\n\r\n".encode(),
    )
    assert said.split()[1] in {b"400", b"413"}


def test_headers_and_addresses_have_an_end(desk: ServedDesk) -> None:
    assert desk.get("/search?q=" + "a" * 3000).status_code == 414
    assert desk.get("/" + "a" * 1000).status_code == 414
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000 + b"\r\n\r\n"
    try:
        said = raw(desk, request)
    except (ConnectionResetError, BrokenPipeError):
        said = b"HTTP/1.1 400"
    assert said[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 431", b""}


def test_no_header_of_an_answer_can_be_written_by_a_request(desk: ServedDesk) -> None:
    answer = desk.get("/work-orders/mail%0d%0aSet-Cookie:%20a=b")
    assert "set-cookie" not in answer.headers
    assert answer.status_code in {400, 404}
    assert desk.get("/search?q=%0d%0aSet-Cookie:%20a=b").headers.get("set-cookie") is None


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"])
def test_no_other_method_does_anything(desk: ServedDesk, untouched: str, method: str) -> None:
    with httpx.Client(trust_env=False) as client:
        path = f"{desk.url}/escalations/{untouched}/acknowledge"
        assert client.request(method, path, headers={USER: "ada"}).status_code == 405
