"""What all prompts of a work order share, what none may hold, and where foreign text stands."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replying import INBOUND, KEY, STATUS, brief, context, order, received

from swarm.errors import ConfigurationError
from swarm.models import Attachment, Draft, EvidenceKind, SetAside, SetAsideKind
from swarm.safety.spotlight import gives_away, never_said
from swarm.settings import LONGEST_STYLE, ModelSettings, load_model_settings
from swarm.specialists.llm import ClassifyAnswer, LlmSpecialist, ProposeAnswer, ReviewAnswer
from swarm.specialists.prompting import (
    Prompt,
    Prompts,
    style_of,
)
from swarm.specialists.protocol import Brief
from swarm.store.memory_models import MemoryModelLedger

DRAFT = Draft(subject="Re: Order", body_text="Hello,\n\nit was shipped.", author="test")
HOUSE = Prompts("Tone: plain.")


def prompts(told: Brief) -> dict[str, Prompt]:
    """All that is asked about one work order, a revision too."""
    return {
        "classify": HOUSE.classify(told.received),
        "propose": HOUSE.propose(told, None, ()),
        "revise": HOUSE.propose(told, DRAFT, ("too cold",)),
        **{use: HOUSE.review(use, told, DRAFT) for use in ("tone", "fact", "qa")},
    }


def whole(prompt: Prompt) -> str:
    return f"{prompt.system}\n{prompt.data}"


def test_all_prompts_of_a_work_order_begin_with_the_same_bytes() -> None:
    made = prompts(brief())
    assert len({prompt.system for prompt in made.values()}) == 1
    first = made.pop("classify")
    (known,) = {prompt.known for prompt in made.values()}
    # Asked before anything was looked up, it shares all there is by then.
    assert known.startswith(first.known)
    assert all(prompt.data.startswith(known + "\n\n# Task\n") for prompt in made.values())


def test_another_drive_asks_with_the_same_bytes() -> None:
    assert prompts(brief()) == prompts(brief())


def test_what_is_known_is_told() -> None:
    policy = STATUS.model_copy(
        update={"id": "e3", "kind": EvidenceKind.POLICY, "source": "knowledge:returns",
                "text": "You may send it back within 30 days."}
    )  # fmt: skip
    attached = order(attachments=(Attachment(name="scan.pdf", content_type="a/b", size=5),))
    told = brief(
        received=received(
            work_order=attached,
            set_aside=(
                SetAside(kind=SetAsideKind.HISTORY, reason="quoted", text="> earlier words"),
            ),
        ),
        context=context(evidence=(INBOUND, STATUS, policy), gaps=("monday.com is unavailable",)),
    )
    said = HOUSE.propose(told, None, ()).known
    for word in ("Order 20417", "scan.pdf", "earlier words", "02 March 2026", "Shipped",
                 "within 30 days", "monday.com is unavailable", "Customer Service"):  # fmt: skip
        assert word in said, word
    assert said.count("What is the status of my order 20417?") == 2, "as mail and as ask"
    system = HOUSE.propose(told, None, ()).system
    assert "Tone: plain." in system
    assert "service@ours.example" in system


CARD = "4111 1111 1111 1111"


def test_no_secret_stands_in_any_prompt() -> None:
    mine = f"My card is {CARD}."
    told = brief(
        received=received(
            text=mine, quoted=mine, signature=mine, asks=(mine,), work_order=order(subject=mine)
        ),
        context=context(evidence=(STATUS.model_copy(update={"text": mine, "title": mine}),)),
    )
    for name, prompt in prompts(told).items():
        assert CARD not in whole(prompt), name
        assert "1111" not in whole(prompt), name


PIECES = [*"ab|<># \n\r\x0b\x85\u2028", *never_said(KEY), ">>>", "<<<", "{{style}}", "# Task"]
BREAKING = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@settings(max_examples=150, deadline=None)
@given(BREAKING, BREAKING, BREAKING)
def test_foreign_text_stands_in_its_block_alone(one: str, two: str, three: str) -> None:
    """Also text that knows the boundary; every line of it carries its mark."""
    canary = "FOREIGN"
    foreign = [f"{canary} {text} {canary}" for text in (one, two, three)]
    told = brief(
        received=received(
            text=foreign[0], quoted=foreign[1], signature=foreign[2], asks=(foreign[1],),
            work_order=order(subject=foreign[2], attachments=(
                Attachment(name=foreign[0], content_type=foreign[1], size=1),
            )),
        ),
        context=context(
            evidence=(INBOUND.model_copy(update={"text": foreign[1]}),
                      STATUS.model_copy(update={"text": foreign[0], "title": foreign[2],
                                                "source": "monday:deal:status"})),
            gaps=(foreign[0],),
        ),
    )  # fmt: skip
    boundary, _ = never_said(KEY)
    for prompt in prompts(told).values():
        assert canary not in prompt.system
        inside = False
        for line in prompt.data.split("\n"):
            if not inside:
                assert canary not in line, line
                inside = line == f"<<<{boundary}"
            elif line == f"{boundary}>>>":
                inside = False
            else:
                assert re.match(r"[a-z]+\d*\| ", line), line
        assert not inside


def test_secret_words_are_found_however_they_are_spelled() -> None:
    boundary, canary = never_said(KEY)
    for word in (boundary, canary):
        for spelled in (word, word.upper(), " ".join(word), "-".join(word), f"a{word}b"):
            assert gives_away(KEY, f"So: {spelled}.")
    assert not gives_away(KEY, "An ordinary answer.")
    assert not gives_away(KEY, never_said("wo_" + "b" * 24)[0])


def test_each_answer_gives_its_evidence_before_its_verdict() -> None:
    assert list(ClassifyAnswer.model_fields) == ["quotes", "reason", "classes"]
    assert list(ProposeAnswer.model_fields) == ["claims", "decline", "body", "answered"]
    assert list(ReviewAnswer.model_fields) == ["findings", "acceptable"]


@pytest.mark.parametrize("form", [ClassifyAnswer, ProposeAnswer, ReviewAnswer])
def test_every_text_and_list_of_an_answer_has_an_end(form: type) -> None:
    def look(schema: object) -> None:
        if isinstance(schema, dict):
            if schema.get("type") == "string" and "enum" not in schema:
                assert "maxLength" in schema, schema
            if schema.get("type") == "array":
                assert "maxItems" in schema, schema
            for each in schema.values():
                look(each)
        elif isinstance(schema, list):
            for each in schema:
                look(each)

    look(form.model_json_schema())


def test_the_houses_style_is_part_of_the_version(tmp_path: Path) -> None:
    file = tmp_path / "style.md"
    file.write_text("Tone: {{boundary}} as ever.")
    told = ModelSettings(name="m", style_file=file)
    own = LlmSpecialist(told, MemoryModelLedger()).version
    assert own != LlmSpecialist(ModelSettings(name="m"), MemoryModelLedger()).version
    prompt = Prompts(style_of(told)).classify(received())
    assert "{{boundary}} as ever" in prompt.system, "what is filled in is not filled again"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff", b"x" * (LONGEST_STYLE + 1)])
def test_a_style_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "style.md"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("MODEL_STYLE_FILE", str(file))
    with pytest.raises(ConfigurationError, match="MODEL_STYLE_FILE: "):
        load_model_settings()


def test_a_style_that_went_away_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "style.md"
    file.write_text("Tone: plain.")
    told = ModelSettings(name="m", style_file=file)
    file.unlink()
    with pytest.raises(ConfigurationError, match="any more"):
        style_of(told)
