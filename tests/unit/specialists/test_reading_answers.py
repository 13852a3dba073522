"""What a model's message says, whatever stands round it; and what is no answer."""

import pytest

from swarm.specialists.chat.reading import AnswerFault, Said, read

ANSWER = {"acceptable": True, "findings": []}
TEXT = '{"acceptable": true, "findings": []}'


@pytest.mark.parametrize(
    "said",
    [
        Said(text=TEXT),
        Said(text=f"\ufeff  {TEXT}\n"),
        Said(text=f"```json\n{TEXT}\n```"),
        Said(text=f"Here you are: {TEXT} Is that all {{for}} now?"),
        Said(text=f"<think>{{\"acceptable\": false}} or</think>{TEXT}"),
        Said(text=f"<thinking>a {TEXT}</thinking>\n{TEXT}"),
        Said(text=f"so it is fine</think>{TEXT}"),
        Said(tool_arguments=(ANSWER,)),
        Said(text="I call the tool.", tool_arguments=(ANSWER,), finish="tool_calls"),
        Said(text=TEXT, finish="stop"),
        Said(text=TEXT, finish="end_turn"),
        Said(text="{" * 30 + TEXT),
        Said(text=TEXT.replace("[]", '["it quotes <think> and </think>"]')),
        Said(text="```json\n" + TEXT.replace("[]", '["</thinking>"]') + "\n```"),
    ],
)  # fmt: skip
def test_one_object_is_the_answer(said: Said) -> None:
    found = read(said)
    assert isinstance(found, dict)
    assert found["acceptable"] is True
    assert found.keys() == ANSWER.keys()


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (Said(), AnswerFault.UNREADABLE),
        (Said(text="no"), AnswerFault.UNREADABLE),
        (Said(text="[1, 2]"), AnswerFault.UNREADABLE),
        (Said(text=f"{TEXT} or rather {TEXT}"), AnswerFault.UNREADABLE),
        (Said(tool_arguments=(ANSWER, ANSWER)), AnswerFault.UNREADABLE),
        (Said(text='{"acceptable": false, "acceptable": true}'), AnswerFault.UNREADABLE),
        (Said(text=f'{{"first": {TEXT}, "then": {{"accept'), AnswerFault.UNREADABLE),
        (Said(text=f'{TEXT} and {{"acceptable": fal'), AnswerFault.UNREADABLE),
        (Said(text=f'{{"a": {TEXT}, "a": 1}}'), AnswerFault.UNREADABLE),
        (Said(tool_arguments=(ANSWER, None)), AnswerFault.UNREADABLE),
        (Said(text=TEXT, tool_arguments=(None,)), AnswerFault.UNREADABLE),
        (Said(text=f"<think>{TEXT}"), AnswerFault.UNREADABLE),
        (Said(text=TEXT[:-2]), AnswerFault.UNREADABLE),
        (Said(text="{" * 400_000), AnswerFault.UNREADABLE),
        (Said(text='{"a":' * 100_000), AnswerFault.UNREADABLE),
        (Said(text=TEXT, finish="length"), AnswerFault.LENGTH),
        (Said(text=TEXT, finish="max_tokens"), AnswerFault.LENGTH),
        (Said(text=TEXT, finish="content_filter"), AnswerFault.FILTERED),
        (Said(text=TEXT, finish="SAFETY"), AnswerFault.FILTERED),
        (Said(text=TEXT, finish="refusal"), AnswerFault.REFUSED),
        (Said(text=TEXT, refused=True), AnswerFault.REFUSED),
        (Said(broken=True), AnswerFault.BROKEN),
    ],
)
def test_everything_else_is_none_and_says_why(said: Said, problem: AnswerFault) -> None:
    assert read(said) is problem


def test_what_people_read_names_no_class() -> None:
    assert all(" " in problem.value and "Error" not in problem.value for problem in AnswerFault)
