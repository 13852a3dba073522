"""What is written down of an answer can be stored, and is judged each time it is read."""

import json

import pytest
from replying import KEY

from swarm.models import ModelCall
from swarm.safety.spotlight import canary_of
from swarm.specialists.chat.ladder import Abilities
from swarm.specialists.chat.reading import AnswerFault, Said
from swarm.specialists.kept_answers import Useless, kept, usable
from swarm.specialists.llm import ReviewAnswer


def call(answer: object) -> ModelCall:
    return ModelCall(
        work_order_key=KEY, purpose="qa", request_sha256="r", model="m", prompt_sha256="p",
        answer=answer,
    )  # fmt: skip


def written(finding: str) -> str:
    text = json.dumps({"findings": [finding], "acceptable": False})
    stored = kept(Said(text=text), Abilities())
    found = usable(call(json.loads(json.dumps(stored))), ReviewAnswer)
    assert isinstance(found, dict)
    return str(found["findings"][0])


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("a\x00b", "ab"),
        ("a\ud800b", "a?b"),
        (r"a\u0000b", r"a\u0000b"),
        (r"a\\u0000b", r"a\\u0000b"),
        ("日本", "日本"),
    ],
)
def test_what_postgres_cannot_keep_is_left_out_and_nothing_else(said: str, stored: str) -> None:
    assert written(said) == stored


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"problem": "LENGTH", "proven": False}, AnswerFault.LENGTH),
        ({"problem": "of another version"}, AnswerFault.BROKEN),
        (None, AnswerFault.BROKEN),
        ({"parsed": {"findings": []}}, AnswerFault.UNFIT),
        ({"parsed": {"findings": [], "acceptable": "yes"}}, AnswerFault.UNFIT),
        ({"parsed": {"findings": ["x"] * 9, "acceptable": False}}, AnswerFault.UNFIT),
        ({"parsed": {"findings": ["x" * 301], "acceptable": False}}, AnswerFault.UNFIT),
        ({"parsed": {"findings": [canary_of(KEY).upper()], "acceptable": False}},
         AnswerFault.ECHOED),
        ({"parsed": {"findings": [canary_of(KEY)[:9] + "\n\t" + canary_of(KEY)[9:]],
                     "acceptable": False}}, AnswerFault.ECHOED),
        ({"parsed": {"findings": ["".join(chr(ord(c) + 0xFEE0) for c in canary_of(KEY))],
                     "acceptable": False}}, AnswerFault.ECHOED),
    ],
)  # fmt: skip
def test_what_cannot_be_used_says_why(answer: object, problem: AnswerFault) -> None:
    found = usable(call(answer), ReviewAnswer)
    assert isinstance(found, Useless)
    assert found.problem is problem


@pytest.mark.parametrize(
    "text",
    [
        '{"findings": ' + "[" * 300 + "]" * 300 + ', "acceptable": true}',
        '{"findings": [], "acceptable": false, "acceptable\\u0000": true}',
        '{"findings": [], "acceptable": false, "acceptable\\ud800": true}',
    ],
)
def test_what_could_not_be_kept_as_it_is_is_no_answer(text: str) -> None:
    stored = kept(Said(text=text), Abilities())
    assert isinstance(stored, dict)
    assert stored["problem"] == "UNREADABLE"
    assert call(stored).answer == stored


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity"])
def test_a_number_beyond_all_bounds_is_no_answer(number: str) -> None:
    stored = kept(Said(text=f'{{"findings": [], "acceptable": {number}}}'), Abilities())
    assert isinstance(stored, dict)
    assert stored["problem"] == "UNREADABLE"
