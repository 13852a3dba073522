"""Providers whose package is installed by an extra, over real sockets; skipped without it."""

import importlib
import json
from collections.abc import Callable

import pytest
from pydantic import SecretStr
from scripted_server import Answer, Asked, ScriptedServer, scripted

from swarm.errors import ModelUnavailableError
from swarm.settings import ModelSettings
from swarm.specialists.chat.endpoint import ChatEndpoint
from swarm.specialists.chat.failures import WayRefusedError
from swarm.specialists.chat.ladder import Abilities, Rung
from swarm.specialists.chat.reading import Said, read
from swarm.specialists.llm import ReviewAnswer

pytestmark = pytest.mark.integration

GOOD = {"findings": [], "acceptable": True}
WORDS = json.dumps(GOOD)
Json = dict[str, object]


def anthropic(request: Json) -> Json:
    block: Json = {"type": "text", "text": WORDS}
    if tools := request.get("tools"):
        block = {"type": "tool_use", "id": "t", "name": tools[0]["name"], "input": GOOD}
    usage = {"input_tokens": 10, "output_tokens": 5}
    return {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [block],
            "stop_reason": "end_turn", "usage": usage}  # fmt: skip


def mistral(request: Json) -> Json:
    message: Json = {"role": "assistant", "content": WORDS}
    if tools := request.get("tools"):
        call = {"id": "c", "function": {"name": tools[0]["function"]["name"], "arguments": WORDS}}
        message = {"role": "assistant", "content": "", "tool_calls": [call]}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [choice], "usage": usage}  # fmt: skip


def ollama(_request: Json) -> Json:
    return {"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": True,
            "message": {"role": "assistant", "content": WORDS}, "done_reason": "stop",
            "prompt_eval_count": 10, "eval_count": 5}  # fmt: skip


PROVIDERS: dict[str, Callable[[Json], Json]] = {
    "anthropic": anthropic,
    "mistralai": mistral,
    "ollama": ollama,
}


def asked(server: ScriptedServer, provider: str, rung: Rung) -> Said:
    importlib.import_module(f"langchain_{provider}")
    settings = ModelSettings(
        name="m",
        provider=provider,
        base_url=server.url,
        api_key=SecretStr("k"),
        timeout_seconds=3.0,
    )
    endpoint = ChatEndpoint(settings, "m")
    messages = endpoint.messages("s", "what is known", "the task")
    return endpoint.ask(messages, ReviewAnswer, Abilities(rung=rung), 500)


@pytest.mark.parametrize("rung", Rung)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_comes_back_by_every_way(provider: str, rung: Rung) -> None:
    pytest.importorskip(f"langchain_{provider}")

    def script(request: Asked) -> Answer:
        return Answer(body=json.dumps(PROVIDERS[provider](json.loads(request.body))).encode())

    with scripted(script) as server:
        said = asked(server, provider, rung)
    assert read(said) == GOOD
    sent = server.asked[-1].body.decode()
    assert "what is known" in sent
    assert "the task" in sent
    assert ("cache_control" in sent) is (provider == "anthropic")
    assert (said.input_tokens, said.output_tokens) == (10, 5)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(401, b"{}"), "refuses our key"),
        (Answer(404, b"{}"), "does not know"),
        (Answer(429, b"{}"), "asks us to wait"),
        (Answer(503, b"{}"), "fails"),
        (Answer(body=b" " * 5000, manner="drip"), "no whole answer in 3 s"),
        (Answer(body=b" " * 65536, manner="endless"), "whole|honest"),
        (Answer(manner="reset"), "cannot be reached"),
    ],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_trouble_is_told_in_the_same_words(provider: str, answer: Answer, words: str) -> None:
    pytest.importorskip(f"langchain_{provider}")
    with scripted(lambda _: answer) as server, pytest.raises(ModelUnavailableError, match=words):
        asked(server, provider, Rung.WORDS)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refused_way_is_told_from_trouble(provider: str) -> None:
    pytest.importorskip(f"langchain_{provider}")
    refuses = Answer(400, b'{"error": {"message": "no temperature here"}}')
    with scripted(lambda _: refuses) as server, pytest.raises(WayRefusedError):
        asked(server, provider, Rung.SCHEMA)
