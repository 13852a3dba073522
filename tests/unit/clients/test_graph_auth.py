from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from pydantic import SecretStr

from swarm.clients.graph_auth import ClientCredentials
from swarm.clients.graph_http import GraphHttp, Page
from swarm.clients.patience import Patience
from swarm.errors import RemoteRefusedError, RemoteUnavailableError


class Login:
    """A token endpoint that counts, with a clock of its own."""

    def __init__(
        self, status: int = 200, expires_in: int = 3599, odd: dict[str, object] | None = None
    ) -> None:
        self.status, self.expires_in, self.odd = status, expires_in, odd or {}
        self.asked = 0
        self.now = 1000.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        assert request.url.path == "/tenant/oauth2/v2.0/token"
        assert b"client_credentials" in request.content
        if self.status != 200:
            error = {"error": "invalid_client", "error_codes": [7000215], "error_description": "s"}
            return httpx.Response(self.status, json=error)
        answer = {"token_type": "Bearer", "expires_in": self.expires_in}
        token = {"access_token": f"token-{self.asked}"}
        return httpx.Response(200, json={**answer, **token, **self.odd})

    def tokens(self) -> ClientCredentials:
        return ClientCredentials(
            authority="https://login.example.com",
            tenant_id="tenant",
            client_id="id",
            client_secret=SecretStr("CANARY-SECRET"),
            transport=httpx.MockTransport(self),
            patience=Patience(attempts=2, first_wait=0.001),
            monotonic=lambda: self.now,
        )


def test_a_token_is_asked_for_once_by_many_threads() -> None:
    login = Login()
    tokens = login.tokens()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: tokens.get(), range(40))) == {"token-1"}
    assert login.asked == 1


def test_a_token_is_renewed_five_minutes_before_it_expires() -> None:
    login = Login(expires_in=3600)
    tokens = login.tokens()
    tokens.get()
    login.now += 3299
    assert tokens.get() == "token-1"
    login.now += 2
    assert tokens.get() == "token-2"


def test_dropping_an_old_token_keeps_the_newer_one() -> None:
    login = Login()
    tokens = login.tokens()
    first = tokens.get()
    tokens.drop(first)
    assert tokens.get() == "token-2"
    tokens.drop(first)
    assert tokens.get() == "token-2"


def test_a_refused_secret_is_named_by_its_code_and_never_quoted() -> None:
    with pytest.raises(RemoteRefusedError, match="7000215") as caught:
        Login(status=401).tokens().get()
    assert "CANARY" not in str(caught.value)


def test_a_login_service_in_trouble_is_asked_again_and_then_transient() -> None:
    login = Login(status=503)
    with pytest.raises(RemoteUnavailableError):
        login.tokens().get()
    assert login.asked == 2


def test_a_401_drops_the_token_and_tries_exactly_once_more() -> None:
    shown: list[str] = []

    def graph(request: httpx.Request) -> httpx.Response:
        shown.append(request.headers["Authorization"])
        return httpx.Response(401)

    http = GraphHttp(
        "https://graph.example.com/v1.0", Login().tokens(), transport=httpx.MockTransport(graph)
    )
    with pytest.raises(RemoteRefusedError, match="401"):
        http.get("/users/x", {}, Page, ask="", doing="reading")
    assert shown == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize(
    "odd",
    [
        {"access_token": "line\nbreak"},
        {"access_token": "t\u00f6ken"},
        {"access_token": ""},
        {"access_token": 5},
        {"expires_in": "NaN"},
        {"expires_in": -1},
        {"expires_in": None},
    ],
    ids=str,
)
def test_a_token_that_cannot_be_a_header_is_an_unreadable_answer(odd: dict[str, object]) -> None:
    login = Login(odd=odd)
    with pytest.raises(RemoteUnavailableError, match="could not be read"):
        login.tokens().get()


def test_a_token_that_claims_to_live_for_ever_is_renewed_within_a_day() -> None:
    login = Login(expires_in=10**12)
    tokens = login.tokens()
    tokens.get()
    login.now += 86_400
    assert tokens.get() == "token-2"
