"""The model double follows the schema it is asked for, always in the same way."""

import json

import httpx
import pytest
from jsonschema import validate

from swarm.sandbox import model_environment
from swarm.sandbox.server import RunningSandbox

pytestmark = pytest.mark.integration
SCHEMA = {
    "type": "object",
    "properties": {
        "ruling": {"enum": ["pass", "fail"]},
        "language": {"type": "string"},
        "claims": {"type": "array", "items": {"$ref": "#/$defs/claim"}, "minItems": 1},
        "decline": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "score": {"type": "integer", "minimum": 1},
    },
    "required": ["ruling", "language", "claims", "decline", "score"],
    "$defs": {"claim": {"type": "object", "properties": {"text": {"type": "string"}}}},
}


def ask(sandbox: RunningSandbox, text: str = "hello") -> httpx.Response:
    own = model_environment(sandbox.port)
    wanted = {
        "model": own["MODEL_NAME"],
        "messages": [{"role": "user", "content": text}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
    }
    return httpx.post(f"{own['MODEL_BASE_URL']}/chat/completions", json=wanted)


def content(response: httpx.Response) -> str:
    return str(response.json()["choices"][0]["message"]["content"])


def test_an_answer_follows_its_schema_and_never_varies(sandbox: RunningSandbox) -> None:
    first, second = ask(sandbox), ask(sandbox)
    validate(json.loads(content(first)), SCHEMA)
    assert content(first) == content(second)
    assert first.json()["usage"]["total_tokens"] > 0


def test_an_answer_can_be_canned_for_a_text(sandbox: RunningSandbox) -> None:
    sandbox.answer_model({"ruling": "fail"}, contains="canned please", times=1)
    assert content(ask(sandbox, "canned please")) == '{"ruling":"fail"}'
    assert content(ask(sandbox, "canned please")) != '{"ruling":"fail"}'


@pytest.mark.parametrize(
    ("kind", "expected"), [("garbage", "}{"), ("empty", ""), ("wrong_json", '{"unexpected"')]
)
def test_spoiled_answers_are_spoiled(sandbox: RunningSandbox, kind: str, expected: str) -> None:
    sandbox.fault("model", kind, times=1)
    assert content(ask(sandbox)).startswith(expected)


def test_a_refusal_a_cut_and_a_missing_usage_look_like_the_real_ones(
    sandbox: RunningSandbox,
) -> None:
    for kind in ("refusal", "truncated", "no_usage"):
        sandbox.fault("model", kind, times=1)
    refusal, cut, bare = ask(sandbox), ask(sandbox), ask(sandbox)
    assert refusal.json()["choices"][0]["message"]["refusal"]
    assert cut.json()["choices"][0]["finish_reason"] == "length"
    assert "usage" not in bare.json()


def test_a_429_carries_its_wait_and_a_call_is_recorded_only_when_answered(
    sandbox: RunningSandbox,
) -> None:
    before = len(sandbox.model_calls())
    sandbox.fault("model", "status", times=1, status=429, retry_after="2")
    refused = ask(sandbox)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    ask(sandbox)
    assert len(sandbox.model_calls()) == before + 1
