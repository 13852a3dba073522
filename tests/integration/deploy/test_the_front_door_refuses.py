"""T59: what may not come in does not; every attack is refused, and nobody behind hears of it.

A real nginx runs the shipped file; behind it stands an ear that answers whatever reaches it. How
the real UI and desk do behind it is told in ``tests/acceptance/test_the_front_door.py``.
"""

import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from front_door import (
    DESK,
    LOOK,
    LOOK_DESK,
    NAME,
    NGINX,
    ONLOOKER,
    PEOPLE,
    SCRAPER,
    Door,
    basic,
    front_door,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed on this machine"),
]

OURS = f"https://{NAME}"
MUTATION = b'{"query": "mutation { wipeAssets(assetPartitionRanges: []) { __typename } }"}'
BY_GET = "query=mutation%7BwipeAssets%7D"
UPGRADE = {
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "x" * 22 + "==",
}
REFUSED = {0, 400, 401, 403, 405, 413, 414, 431, 494, 501, 505}


@dataclass(frozen=True)
class Heard:
    """One request that came through."""

    method: str
    path: str
    headers: dict[str, list[str]]
    body: bytes


class Ear:
    """Stands for everything behind the door; answers 200 to whatever reaches it."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        ear = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                with suppress(ConnectionError):
                    super().handle_one_request()

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                named = {k.lower(): self.headers.get_all(k) or [] for k in self.headers}
                ear.heard.append(Heard(self.command, self.path, named, body))
                self.send_response(200)
                self.send_header("Content-Length", "3")
                self.end_headers()
                self.wfile.write(b"ear")

            do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815
            do_OPTIONS = do_TRACE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.server.shutdown()
    ear.server.server_close()


@pytest.fixture(scope="module")
def door(ear: Ear, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    ports = dict.fromkeys(("ui", "desk", "metrics", "look"), ear.port)
    with front_door(tmp_path_factory.mktemp("door"), ports) as door:
        yield door


@pytest.fixture(autouse=True)
def silence(ear: Ear) -> None:
    ear.heard.clear()


def post(**changed: Any) -> dict[str, Any]:
    """A mutation as the UI sends it, but for what is ``changed``."""
    return {"method": "POST", "target": "/graphql", "body": MUTATION, "origin": OURS, "json": True,
            **changed}  # fmt: skip


def get(target: str, **more: Any) -> dict[str, Any]:
    return {"method": "GET", "target": target, **more}


def as_type(content_type: str) -> dict[str, Any]:
    return post(json=False, headers={"Content-Type": content_type})


def socket_from(origin: str | None, target: str = "/graphql") -> dict[str, Any]:
    return get(target, origin=origin, headers={**UPGRADE, "Connection": "Upgrade"})


ATTACKS: dict[str, dict[str, Any]] = {
    # who
    "no password": get("/", who=None),
    "a wrong password": get("/", who=("anna", "guess")),
    "an unknown name": get("/", who=("nobody", "people-secret")),
    "an onlooker in the UI": get("/", who=ONLOOKER),
    "an onlooker at the desk": get("/", who=ONLOOKER, host=DESK),
    "the scraper in the UI": get("/", who=SCRAPER),
    "people at the metrics": get("/metrics"),
    "an onlooker at the metrics": get("/metrics", who=ONLOOKER, host=LOOK),
    "metrics under the desk's name, no password": get("/metrics", who=None, host=DESK),
    "a name forged, no password": get("/", who=None, headers={"X-Forwarded-User": "anna"}),
    # which host
    "a foreign host": get("/", host="evil.example.org"),
    "a name that resolves to here": get("/", host="127.0.0.1"),
    "localhost": get("/", host="localhost"),
    "a subdomain nobody has": get("/", host=f"x.{NAME}"),
    "no host": get("/", host=None),
    "no host in HTTP/1.0": get("/", host=None, version="HTTP/1.0"),
    "HTTP/0.9": get("/", host=None, version=""),
    "another port in the host": get("/", host=f"{NAME}:3000"),
    "our name as a login of another": get("/", host=f"{NAME}:443@evil.example.org"),
    "our name with a dot": get("/", host=f"{NAME}."),
    "two hosts": get("/", headers={"Host": "evil.example.org"}),
    "absolute URI of another": get("http://evil.example.org/"),
    "absolute URI of ours for another": get(f"https://{NAME}/", host="evil.example.org"),
    "a proxy is wanted": {"method": "CONNECT", "target": "evil.example.org:443"},
    # whose page
    "a foreign origin": post(origin="https://evil.example.org"),
    "no page at all": post(origin="null"),
    "no page at all, says the browser too": post(
        origin="null", headers={"Sec-Fetch-Site": "cross-site"}
    ),
    "our name, but the browser knows better": post(headers={"Sec-Fetch-Site": "same-site"}),
    "no origin": post(origin=None),
    "the desk's page": post(origin=f"https://{DESK}"),
    "the onlookers' page": post(origin=f"https://{LOOK}"),
    "our page without TLS": post(origin=f"http://{NAME}"),
    "our name as the beginning of another": post(origin=f"{OURS}.evil.org"),
    "our name as the end of another": post(origin=f"https://evil-{NAME}"),
    "another port of ours": post(origin=f"{OURS}:8443"),
    "another page in front of ours": post(
        origin="https://evil.example.org", headers={"Origin": OURS}
    ),
    "the UI's page at the desk": post(target="/", host=DESK),
    "a foreign page reads": get("/", origin="https://evil.example.org"),
    # mutations by GET, however spelt
    "a mutation by GET": get(f"/graphql?{BY_GET}"),
    "with a slash": get(f"/graphql/?{BY_GET}"),
    "two slashes": get(f"//graphql?{BY_GET}"),
    "a letter encoded": get(f"/%67raphql?{BY_GET}"),
    "encoded twice": get(f"/%2567raphql?{BY_GET}"),
    "a slash encoded": get(f"/%2fgraphql?{BY_GET}"),
    "in and out of a folder": get(f"/x/../graphql?{BY_GET}"),
    "the same encoded": get(f"/x/%2e%2e/graphql?{BY_GET}"),
    "the same encoded in part": get(f"/x/..%2Fgraphql?{BY_GET}"),
    "this folder": get(f"/./graphql?{BY_GET}"),
    "capitals": get(f"/GraphQL?{BY_GET}"),
    "a parameter of the path": get(f"/graphql;x?{BY_GET}"),
    "a null": get(f"/graphql%00?{BY_GET}"),
    "a backslash": get(f"/\\graphql?{BY_GET}"),
    "from our page": get(f"/graphql?{BY_GET}", origin=OURS),
    "by HEAD": {"method": "HEAD", "target": f"/graphql?{BY_GET}"},
    "by OPTIONS": {"method": "OPTIONS", "target": f"/graphql?{BY_GET}"},
    "by PUT": post(method="PUT"),
    "by PATCH": post(method="PATCH"),
    "by DELETE": {"method": "DELETE", "target": "/"},
    "by TRACE": {"method": "TRACE", "target": "/"},
    "by a method of small letters": post(method="post"),
    "by another method in a header": get(
        f"/graphql?{BY_GET}", headers={"X-HTTP-Method-Override": "POST"}
    ),
    # what a page of another site may send unasked
    "plain text": as_type("text/plain"),
    "plain text that says JSON": as_type("text/plain; application/json"),
    "a form": as_type("application/x-www-form-urlencoded"),
    "a form with files": as_type("multipart/form-data; boundary=x"),
    "GraphQL as such": as_type("application/graphql"),
    "no type": post(json=False),
    "a preflight": {"method": "OPTIONS", "target": "/graphql", "origin": "https://evil.example.org",
                    "headers": {"Access-Control-Request-Method": "POST"}},
    # WebSockets
    "a WebSocket from another page": socket_from("https://evil.example.org"),
    "a WebSocket from no page": socket_from(None),
    "a WebSocket from null": socket_from("null"),
    "a WebSocket from the desk": socket_from(f"https://{DESK}"),
    "an upgrade to something else": get("/graphql", origin=OURS, headers={"Upgrade": "h2c"}),
    # reports
    "a report of an asset": post(target="/report_asset_materialization/work_order/publish"),
    "a report of a check": post(target="/report_asset_check/x"),
    "a report of an observation": post(target="/report_asset_observation/x"),
    "a report after two slashes": post(target="//report_asset_materialization/x"),
    "a report with a letter encoded": post(target="/%72eport_asset_materialization/x"),
    "a report in capitals": post(target="/REPORT_ASSET_MATERIALIZATION/x"),
    "a report below a folder": post(target="/x/report_asset_materialization/x"),
    "a report by GET": get("/report_asset_materialization/x"),
    "a file by way of a notebook": get("/notebook?path=/etc/passwd"),
    "the same under its old name": get("/dagit/notebook?path=/etc/passwd"),
    # how it is framed
    "two lengths in one": post(headers={"Content-Length": "5, 6"}),
    "length and chunks": post(
        headers={"Content-Length": "4", "Transfer-Encoding": "chunked"}, body=b"0\r\n\r\nGET / HTTP"
    ),
    "chunks in disguise": post(headers={"Transfer-Encoding": "xchunked"}),
    "chunks twice": post(headers={"Transfer-Encoding": "chunked, chunked"}),
    "a length with a sign": post(headers={"Content-Length": "+5"}),
    "a body too large": post(body=b"x" * 2_000_000),
    "a length too large": post(body=b"", headers={"Content-Length": "99999999999"}),
    "headers too large": get("/", headers={"X-Long": "x" * 40_000}),
    "a target too long": get("/" + "x" * 40_000),
    "a header line injected": get("/x%0d%0aX-Forwarded-User:%20eva"),
    # out of the folder
    "up": get("/../../etc/passwd"),
    "up, encoded": get("/..%2f..%2fetc/passwd"),
    "up, encoded twice": get("/%252e%252e/etc/passwd"),
    # onlookers act
    "an onlooker at the other GraphQL": post(who=ONLOOKER),
    "an onlooker's mutation by GET": get(f"/graphql?{BY_GET}", who=ONLOOKER, host=LOOK),
    "an onlooker's report": post(
        target="/report_asset_check/x", who=ONLOOKER, host=LOOK, origin=f"https://{LOOK}"
    ),
    "an onlooker's act at the desk": post(
        target="/ack", who=ONLOOKER, host=LOOK_DESK, origin=f"https://{LOOK_DESK}"
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_it_is_refused_and_nobody_behind_the_door_hears_of_it(
    door: Door, ear: Ear, attack: dict[str, Any]
) -> None:
    answer = door.ask(**attack)
    assert answer.status in REFUSED, answer
    assert ear.heard == []


GOOD: dict[str, dict[str, Any]] = {
    "a page": get("/assets/work_order/publish"),
    "a page found by a link": get("/runs?q%5B0%5D=tag:x", headers={"Referer": "https://x.example"}),
    "a page of a location": get("/locations/__repository__%40swarm_assets/jobs"),
    "the host with its port": get("/", host=f"{NAME}:443"),
    "a query": post(),
    "JSON with its charset": as_type("application/json; charset=utf-8"),
    "a WebSocket from our page": socket_from(OURS),
    "the desk": get("/", host=DESK),
    "an act at the desk": {"method": "POST", "target": "/ack", "host": DESK, "body": b"key=x",
                           "origin": f"https://{DESK}",
                           "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    "a form of a page without referrer": {
        "method": "POST", "target": "/ack", "host": DESK, "body": b"key=x", "origin": "null",
        "headers": {"Content-Type": "application/x-www-form-urlencoded",
                    "Sec-Fetch-Site": "same-origin"}},
    "a fetch of our page": post(headers={"Sec-Fetch-Site": "same-origin"}),
    "an onlooker's page": get("/", who=ONLOOKER, host=LOOK),
    "an onlooker's query": post(who=ONLOOKER, host=LOOK, origin=f"https://{LOOK}"),
    "an onlooker's desk": get("/", who=ONLOOKER, host=LOOK_DESK),
    "the scraper's numbers": get("/metrics", who=SCRAPER),
}  # fmt: skip


@pytest.mark.parametrize("request_", GOOD.values(), ids=GOOD)
def test_good_use_comes_through_by_the_name_of_the_login(
    door: Door, ear: Ear, request_: dict[str, Any]
) -> None:
    answer = door.ask(**request_)
    assert (answer.status, answer.body) == (200, b"ear"), answer
    (heard,) = ear.heard
    name = request_.get("who", PEOPLE)[0]
    of_onlookers = request_.get("host") == LOOK_DESK  # where nobody acts, nobody has a name
    assert heard.headers.get("x-forwarded-user", []) == ([] if of_onlookers else [name])
    assert "authorization" not in heard.headers, "the password stays at the door"
    assert heard.path == request_["target"]


@pytest.mark.parametrize("name", ["X-Forwarded-User", "x-forwarded-user", "X_Forwarded_User",
                                  "X-FORWARDED-USER"])  # fmt: skip
def test_a_forged_name_is_replaced_by_that_of_the_login(door: Door, ear: Ear, name: str) -> None:
    forged = {name: "eva", "X-Forwarded-For": "10.0.0.1", "Forwarded": "for=eva",
              "X-Forwarded-Host": "evil", "X-Real-IP": "10.0.0.1"}  # fmt: skip
    door.ask("GET", "/", host=DESK, headers=forged)
    (heard,) = ear.heard
    assert heard.headers["x-forwarded-user"] == ["anna"]
    assert heard.headers["x-forwarded-host"] == [DESK]
    assert heard.headers["x-forwarded-for"] == ["127.0.0.1"]
    assert not {"forwarded", "x-real-ip", "x_forwarded_user"} & {*heard.headers}


def test_the_desk_is_told_the_one_name_it_knows(door: Door, ear: Ear) -> None:
    door.ask("GET", "/", host=LOOK_DESK, who=ONLOOKER, headers={"X-Forwarded-User": "eva"})
    assert ear.heard[0].headers["host"] == [DESK]
    assert "x-forwarded-user" not in ear.heard[0].headers


def test_what_follows_a_request_is_a_request_of_its_own(door: Door, ear: Ear) -> None:
    """A second one hidden in a body, or sent behind, is asked for its login as the first was."""
    hidden = b"GET /admin HTTP/1.1\r\nHost: " + NAME.encode() + b"\r\n\r\n"
    door.ask(**post(body=hidden))
    assert [each.path for each in ear.heard] == ["/graphql"]
    assert ear.heard[0].body == hidden
    ear.heard.clear()
    login = f"Host: {NAME}\r\nAuthorization: {basic(PEOPLE)}\r\n"
    answer = door.send(
        f"GET /a HTTP/1.1\r\n{login}\r\n".encode() + hidden[:-2] + b"Connection: close\r\n\r\n"
    )
    assert answer.body.count(b" 401 ") == 1
    assert [each.path for each in ear.heard] == ["/a"]


def test_without_tls_there_is_a_way_to_it_and_nothing_else(door: Door, ear: Ear) -> None:
    ask = "GET /x HTTP/1.1\r\nConnection: close\r\nHost: {}\r\n\r\n"
    moved = door.send(ask.format(NAME).encode(), tls=False)
    assert (moved.status, moved.headers["location"]) == (301, f"https://{NAME}/x")
    assert door.send(ask.format("evil.example.org").encode(), tls=False).status == 0
    assert ear.heard == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(door: Door, version: ssl.TLSVersion) -> None:
    with pytest.raises(OSError, match=r"(?i)version|protocol|reset|eof"):
        door.connected(version=version).close()


def test_every_answer_says_how_it_may_be_used_and_not_what_serves_it(door: Door) -> None:
    for answer in (door.ask("GET", "/"), door.ask("GET", "/", who=None)):
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["server"] == "nginx"


def test_the_log_says_who_asked_for_which_page_and_never_for_what(door: Door) -> None:
    door.ask("GET", "/runs?q=zanzibarquokka", headers={"Referer": "https://x/?zanzibarquokka"})
    door.ask("GET", "/metrics?zanzibarquokka", who=None)
    door.ask("GET", "/../?zanzibarquokka")
    assert '"anna" GET /runs 200' in door.log
    assert "zanzibarquokka" not in door.log


def test_of_several_origins_only_the_one_looked_at_goes_on(door: Door, ear: Ear) -> None:
    door.ask(**post(headers={"Origin": "https://evil.example.org"}))
    assert [each.headers["origin"] for each in ear.heard] in ([], [[OURS]])


def test_guessing_is_slow_and_bounded(ear: Ear, tmp_path: Path) -> None:
    """Each wrong password is answered late, and so many at once an address may not have."""
    ports = dict.fromkeys(("ui", "desk", "metrics", "look"), ear.port)
    with front_door(tmp_path / "door", ports) as door, ExitStack() as open_:
        wires = [open_.enter_context(door.connected()) for _ in range(90)]
        for number, wire in enumerate(wires):
            wire.sendall(door.written("GET", "/", who=("anna", f"guess-{number}")))
        statuses = Counter(door.answer(wire).status for wire in wires)
    assert {*statuses} == {401, 429}
    assert ear.heard == []
