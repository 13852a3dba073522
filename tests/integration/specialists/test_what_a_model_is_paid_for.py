"""Over real sockets: the one protocol that is spoken, the tokens written down, and half a call."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from chat_model_server import GOOD
from pydantic import SecretStr
from replying import KEY, accepted, received, services
from scripted_server import Answer, Asked, ScriptedServer, scripted

from swarm.models import ModelCall
from swarm.settings import ModelSettings
from swarm.specialists.llm import LlmSpecialist
from swarm.store.memory import MemoryStore

pytestmark = pytest.mark.integration

Json = dict[str, object]

WORDS = json.dumps(GOOD["ClassifyAnswer"])
HALF = WORDS[:-3]
USAGE: Json = {
    "prompt_tokens": 1000,
    "completion_tokens": 100,
    "total_tokens": 1100,
    "prompt_tokens_details": {"cached_tokens": 600},
}


@dataclass(frozen=True)
class Asking:
    """A specialist, the server it asks, and what was written down."""

    specialist: LlmSpecialist
    server: ScriptedServer
    store: MemoryStore

    def calls(self) -> tuple[ModelCall, ...]:
        assert self.specialist.classify(received()).reason == "an ordinary question"
        return self.store.model_calls()


@contextmanager
def asking(answers: Callable[[Json], Answer], name: str = "m") -> Iterator[Asking]:
    bundle = services()
    accepted(bundle)
    with scripted(lambda asked: answers(_request(asked))) as server:
        settings = ModelSettings(
            base_url=f"{server.url}/v1",
            name=name,
            api_key=SecretStr("k"),
            timeout_seconds=5.0,
            input_price_per_million=10.0,
            output_price_per_million=100.0,
        )
        store = bundle.store
        assert isinstance(store, MemoryStore)
        yield Asking(LlmSpecialist(settings, store, sleep=lambda _: None), server, store)


def _request(asked: Asked) -> Json:
    request: Json = json.loads(asked.body)
    return request


def completion(message: Json, usage: object = USAGE) -> Answer:
    body = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage,
    }
    return Answer(body=json.dumps(body).encode())


def in_text(usage: object = USAGE) -> Callable[[Json], Answer]:
    return lambda _: completion({"role": "assistant", "content": WORDS}, usage)


def in_calls(*arguments: str, beside: str | None = None) -> Callable[[Json], Answer]:
    """A server that knows no JSON schema, calls the tool so, and answers in text at last."""
    calls = [
        {"id": f"c{n}", "type": "function", "function": {"name": "ClassifyAnswer", "arguments": a}}
        for n, a in enumerate(arguments)
    ]

    def answer(request: Json) -> Answer:
        if "json_schema" in json.dumps(request.get("response_format")):
            return Answer(400, b'{"error": {"message": "json_schema is not supported"}}')
        if "tools" in request:
            return completion({"role": "assistant", "content": beside, "tool_calls": calls})
        return in_text()(request)

    return answer


@pytest.mark.parametrize("name", ["m", "gpt-5-pro", "codex-mini-latest"])
def test_a_model_of_whatever_name_is_asked_by_the_one_protocol(name: str) -> None:
    """The library takes another protocol for some names, which servers of others do not speak."""
    with asking(in_text(), name) as asked:
        assert len(asked.calls()) == 1
        assert [each.target for each in asked.server.asked] == ["/v1/chat/completions"]


def test_the_tokens_a_provider_counts_are_written_down_and_paid() -> None:
    with asking(in_text()) as asked:
        (call,) = asked.calls()
        assert (call.input_tokens, call.cached_tokens, call.output_tokens) == (1000, 600, 100)
        assert asked.store.model_cost(KEY) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        pytest.param(None, (None, None, None), id="none at all"),
        pytest.param({**USAGE, "prompt_tokens": "many"}, (None, 600, 100), id="a word"),
        pytest.param({**USAGE, "prompt_tokens": [1]}, (None, 600, 100), id="a list"),
        pytest.param({**USAGE, "prompt_tokens": 1.5}, (None, 600, 100), id="half of one"),
        pytest.param({**USAGE, "prompt_tokens": -5}, (None, 600, 100), id="less than none"),
        pytest.param({**USAGE, "completion_tokens": 10**12}, (1000, 600, None), id="too many"),
        pytest.param({**USAGE, "prompt_tokens_details": {"cached_tokens": "x"}},
                     (1000, None, 100), id="a word for the cached ones"),
        pytest.param([1], (None, None, None), id="a list of them"),
        pytest.param("x", (None, None, None), id="a word for all"),
        pytest.param({**USAGE, "prompt_tokens_details": [1]}, (1000, None, 100), id="listed"),
        pytest.param({**USAGE, "completion_tokens_details": [1]}, (1000, 600, 100), id="reasons"),
        pytest.param({"prompt_tokens": "many"}, (None, None, None), id="nothing but a word"),
        pytest.param({"prompt_tokens": True, "completion_tokens": 7}, (None, None, 7), id="true"),
        pytest.param(7, (None, None, None), id="a number for all"),
        pytest.param({"completion_tokens": {"text": 9}}, (None, None, None), id="an object"),
        pytest.param({**USAGE, "total_tokens": []}, (1000, 600, 100), id="an odd sum"),
        pytest.param({**USAGE, "prompt_tokens_details": {"audio_tokens": "x", "cached_tokens": 5}},
                     (1000, 5, 100), id="an odd count that is not ours"),
    ],
)  # fmt: skip
def test_a_count_that_cannot_be_one_is_left_out_and_its_answer_is_used(
    usage: object, counted: tuple[int | None, int | None, int | None]
) -> None:
    with asking(in_text(usage)) as asked:
        (call,) = asked.calls()
        assert (call.input_tokens, call.cached_tokens, call.output_tokens) == counted
        assert len(asked.server.asked) == 1, "paid once"


def test_a_tier_that_cannot_be_one_costs_no_answer() -> None:
    def answer(_: Json) -> Answer:
        usual = json.loads(in_text()({}).body)
        return Answer(body=json.dumps({**usual, "service_tier": ["flex"]}).encode())

    with asking(answer) as asked:
        (call,) = asked.calls()
        assert (call.input_tokens, call.output_tokens) == (1000, 100)


def test_a_call_that_is_whole_is_the_answer() -> None:
    with asking(in_calls(WORDS)) as asked:
        (call,) = asked.calls()
        assert call.answer == {"rung": "tool", "proven": False, "parsed": GOOD["ClassifyAnswer"]}


@pytest.mark.parametrize(
    ("calls", "beside"),
    [
        pytest.param((HALF,), None, id="alone"),
        pytest.param((WORDS, HALF), None, id="beside a whole call"),
        pytest.param((HALF,), WORDS, id="beside a text"),
    ],
)
def test_half_a_call_is_no_answer_whatever_stands_beside_it(
    calls: tuple[str, ...], beside: str | None
) -> None:
    """Which of both was meant nobody knows; it is written down, paid, and asked for otherwise."""
    with asking(in_calls(*calls, beside=beside)) as asked:
        first, second = asked.calls()
        assert isinstance(first.answer, dict)
        assert (first.answer["rung"], first.answer.get("problem")) == ("tool", "UNREADABLE")
        assert isinstance(second.answer, dict)
        assert second.answer["rung"] == "json_object"
        assert asked.store.model_cost(KEY) == pytest.approx(0.04)


@pytest.mark.parametrize("arguments", ["[1]", '"a word"', "17", "true", "null", "[]", "[[{}]]"])
def test_what_a_call_without_an_object_cost_is_written_down(arguments: str) -> None:
    with asking(in_calls(arguments)) as asked:
        first, _ = asked.calls()
        assert isinstance(first.answer, dict)
        assert first.answer["rung"] == "tool"
        assert not first.answer.get("parsed")
        assert (first.input_tokens, first.cached_tokens, first.output_tokens) == (1000, 600, 100)
        assert asked.store.model_cost(KEY) == pytest.approx(0.04)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"role": "assistant", "tool_calls": "x"}, id="a word for calls"),
        pytest.param({"role": "assistant", "tool_calls": [1]}, id="numbers for calls"),
        pytest.param("x", id="a word for a message"),
    ],
)
def test_what_a_message_nobody_can_read_cost_is_written_down(message: Json) -> None:
    answers = iter((completion(message), in_text()({})))
    with asking(lambda _: next(answers)) as asked:
        first, second = asked.calls()
        assert isinstance(first.answer, dict)
        assert "problem" in first.answer
        assert (first.input_tokens, second.input_tokens) == (1000, 1000)


def paid(*, more: str = "", count: str = "1000") -> bytes:
    """A good answer, with this count and with more at its end."""
    body = in_text()({}).body.decode().replace(": 1000,", f": {count},")
    return (body[:-1] + more + "}").encode()


def once(answer: Answer) -> ModelCall:
    """What is written down of an answer that is asked for once."""
    with asking(lambda _: answer) as asked:
        (call,) = asked.calls()
        assert len(asked.server.asked) == 1
        return call


def test_a_count_of_thousands_of_digits_is_left_out_and_its_answer_is_used() -> None:
    call = once(Answer(body=paid(count="9" * 5000)))
    assert (call.input_tokens, call.cached_tokens, call.output_tokens) == (None, 600, 100)


@pytest.mark.parametrize("depth", [300, 700, 900])
def test_what_is_deep_beside_the_count_costs_no_answer(depth: int) -> None:
    deep = ', "x": ' + "[" * depth + "]" * depth
    assert once(Answer(body=paid(more=deep))).input_tokens == 1000


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "Text/HTML", "text/plain"])
def test_an_answer_is_used_whatever_its_server_calls_it(kind: str) -> None:
    answer = Answer(body=paid(), headers=(("Content-Type", kind),))
    assert once(answer).input_tokens == 1000
