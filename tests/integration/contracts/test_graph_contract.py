"""What our client and the double say to each other, against Microsoft's mail schema.

A recording transport stands between them; every body that passed is validated against the schema of
its operation.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from openapi_schema_validator import OAS30Validator
from pydantic import SecretStr
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from swarm.clients.outlook import GraphOutlook
from swarm.clients.protocol import DeltaExpiredError
from swarm.errors import RemoteRefusedError
from swarm.sandbox.server import RunningSandbox
from swarm.settings import GraphSettings

pytestmark = pytest.mark.integration
ANNA = "anna.keller@example.org"


class Contract:
    """Operations and schemas of the OpenAPI file."""

    def __init__(self, path: Path) -> None:
        self.document = json.loads(path.read_text("utf-8"))
        resource = Resource.from_contents(self.document, default_specification=DRAFT4)
        self._registry: Registry[object] = Registry().with_resource("urn:graph", resource)

    def operation(self, method: str, path: str) -> dict[str, object] | None:
        for template, operations in self.document["paths"].items():
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and method.lower() in operations:
                found: dict[str, object] = operations[method.lower()]
                return found
        return None

    def errors(self, content: object, instance: object) -> list[str]:
        assert isinstance(content, dict)
        reference = content["content"]["application/json"]["schema"]["$ref"]
        return self.schema_errors(reference, instance)

    def schema_errors(self, reference: str, instance: object) -> list[str]:
        validator = OAS30Validator({"$ref": f"urn:graph{reference}"}, registry=self._registry)
        return [
            f"{error.json_path}: {error.message[:120]}" for error in validator.iter_errors(instance)
        ]


class Recorder(httpx.BaseTransport):
    """Passes requests on to the real transport and keeps both sides."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self.exchanges: list[tuple[httpx.Request, httpx.Response]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        response.read()
        self.exchanges.append((request, response))
        return response

    def close(self) -> None:
        self._inner.close()


@pytest.fixture(scope="module")
def contract(graph_contract: Path) -> Contract:
    return Contract(graph_contract)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with RunningSandbox(tmp_path) as running:
        yield running


def settings(sandbox: RunningSandbox) -> GraphSettings:
    own = sandbox.environment
    return GraphSettings(
        base_url=own["GRAPH_BASE_URL"],
        authority=own["GRAPH_AUTHORITY"],
        tenant_id=own["GRAPH_TENANT_ID"],
        client_id=own["GRAPH_CLIENT_ID"],
        client_secret=SecretStr(own["GRAPH_CLIENT_SECRET"]),
        mailbox=own["GRAPH_MAILBOX"],
    )


def spoken(outlook: GraphOutlook, sandbox: RunningSandbox) -> None:
    """Use every operation of the client once, errors included."""
    since = datetime.now(UTC) - timedelta(minutes=1)
    label = {"id": "1", "name": "a.pdf", "contentType": "application/pdf", "size": 7,
             "contentBytes": "JVBERi0="}  # fmt: skip
    mail = sandbox.seed_mail(ANNA, subject="Order", body_text="Where?", attachments=[label])
    draft = sandbox.seed_mail(ANNA, is_draft=True, folder="drafts", body_html="[m]", from_us=True)
    conversation = str(mail["conversationId"])
    outlook.conversation(conversation)
    (enclosed,) = outlook.enclosures(str(mail["id"]))
    outlook.attachment_bytes(str(mail["id"]), enclosed.attachment_id, most_bytes=99)
    outlook.rest_id(str(mail["id"]))
    outlook.find_dispatched(
        key="k", conversation_id=str(draft["conversationId"]), marker="[m]", since=since
    )
    outlook.mark_dispatched(str(draft["id"]), "k")
    page = outlook.delta(None, since=since)
    sandbox.human("move", mail["id"], folder="archive")
    outlook.delta(page.delta_link, since=since)
    sandbox.configure(expire_delta=True)
    with pytest.raises(DeltaExpiredError):
        outlook.delta(page.delta_link, since=since)
    with pytest.raises(RemoteRefusedError):
        outlook.mark_dispatched("none", "k")


def test_every_request_and_answer_fits_microsofts_schema(
    contract: Contract, sandbox: RunningSandbox
) -> None:
    recorder = Recorder()
    outlook = GraphOutlook(settings(sandbox), transport=recorder)
    spoken(outlook, sandbox)
    outlook.close()
    problems, judged = [], 0
    for request, response in recorder.exchanges:
        path = unquote(request.url.path).removeprefix("/graph/v1.0")
        operation = contract.operation(request.method, path)
        if operation is None:
            # Not in the subset: other services' paths, and bytes, which have no schema.
            assert path.endswith(("/oauth2/v2.0/token", "/translateExchangeIds", "/$value"))
            continue
        judged += 1
        if request.content:
            problems += contract.errors(operation["requestBody"], json.loads(request.content))
        responses = operation["responses"]
        assert isinstance(responses, dict)
        described = responses.get(str(response.status_code)) or responses["4XX"]
        problems += contract.errors(described, response.json())
    assert problems == []
    assert judged > 12


def test_the_token_answers_fit_their_schema(contract: Contract, sandbox: RunningSandbox) -> None:
    own = sandbox.environment
    url = f"{own['GRAPH_AUTHORITY']}/{own['GRAPH_TENANT_ID']}/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": own["GRAPH_CLIENT_ID"],
        "client_secret": own["GRAPH_CLIENT_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
    }
    good = httpx.post(url, data=form).json()
    bad = httpx.post(url, data={**form, "client_secret": "x"}).json()
    assert contract.schema_errors("#/components/schemas/clientCredentialsToken", good) == []
    assert contract.schema_errors("#/components/schemas/tokenError", bad) == []


def test_drafts_batches_and_folders_of_the_double_fit_their_schemas(
    contract: Contract, sandbox: RunningSandbox
) -> None:
    mail = sandbox.seed_mail(ANNA, subject="Order")
    with GraphTalk(sandbox) as talk:
        user = f"/users/{sandbox.environment['GRAPH_MAILBOX']}"
        reply = talk.post(f"{user}/messages/{mail['id']}/createReply", json={"comment": "x"})
        folders = talk.get(f"{user}/mailFolders")
        batch = {"requests": [{"id": "1", "method": "GET", "url": f"{user}/messages"}]}
        answered = talk.post("/$batch", json=batch)
    schemas = "#/components/schemas/"
    assert reply.status_code == 201
    assert contract.schema_errors(f"{schemas}microsoft.graph.message", reply.json()) == []
    listed = f"{schemas}microsoft.graph.mailFolderCollectionResponse"
    assert contract.schema_errors(listed, folders.json()) == []
    assert contract.schema_errors(f"{schemas}batchResponse", answered.json()) == []


def test_a_wrong_body_would_be_noticed(contract: Contract) -> None:
    """The validator must be able to fail, or the tests above prove nothing."""
    message = "#/components/schemas/microsoft.graph.message"
    assert contract.schema_errors(message, {"body": {"contentType": "TEXT"}})
    assert contract.schema_errors(message, {"isRead": "true"})
    assert not contract.schema_errors(message, {"isRead": True, "subject": None})


class GraphTalk(httpx.Client):
    """Raw requests below the base URL with a token of the double."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        own = sandbox.environment
        form = {
            "grant_type": "client_credentials",
            "client_id": own["GRAPH_CLIENT_ID"],
            "client_secret": own["GRAPH_CLIENT_SECRET"],
            "scope": "https://graph.microsoft.com/.default",
        }
        url = f"{own['GRAPH_AUTHORITY']}/{own['GRAPH_TENANT_ID']}/oauth2/v2.0/token"
        token = httpx.post(url, data=form).json()["access_token"]
        super().__init__(
            base_url=own["GRAPH_BASE_URL"], headers={"Authorization": f"Bearer {token}"}
        )
