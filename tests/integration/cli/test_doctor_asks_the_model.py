"""`swarm doctor` makes one real small call and says what is wrong, or what there is."""

import pytest
from model_of_few_abilities import FewAbilities, few_abilities
from pydantic import SecretStr

from swarm.cli import reaching
from swarm.cli.findings import Finding, Health
from swarm.settings import ModelSettings

pytestmark = pytest.mark.integration


def found(model: FewAbilities, **changes: object) -> list[Finding]:
    told = ModelSettings(
        base_url=model.url, name="m", api_key=SecretStr("secret-key"), timeout_seconds=0.6
    ).model_copy(update=changes)
    return list(reaching.model(told))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"status": 401}, "refuses our key (HTTP 401)"),
        ({"status": 404}, "does not know this model"),
        ({"manner": "drip"}, "no whole answer in 0.6 s"),
        ({"before": "{} {}", "refuses": frozenset({"tools"})}, "no answer in a form"),
    ],
)
def test_what_is_wrong_is_a_sentence(wanted: dict[str, object], words: str) -> None:
    with few_abilities(**wanted) as model:
        (said,) = found(model)
    assert (said.health, said.name) == (Health.BAD, "model")
    assert words in said.detail
    assert "secret-key" not in said.detail
    assert "Error" not in said.detail


def test_a_closed_port_is_a_sentence() -> None:
    with few_abilities() as gone:
        pass
    (said,) = found(gone)
    assert said.health is Health.BAD
    assert "cannot be reached" in said.detail


@pytest.mark.parametrize(
    ("refuses", "health", "words"),
    [
        ((), Health.GOOD, "follow a JSON schema"),
        (
            ("json_schema", "temperature"),
            Health.GOOD,
            "tool calls; it takes no JSON schema; it takes",
        ),
        (("response_format", "tools"), Health.NOTE, "no structured output"),
    ],
)
def test_what_there_is_says_the_way_the_tokens_and_the_time(
    refuses: tuple[str, ...], health: Health, words: str
) -> None:
    with few_abilities(refuses=frozenset(refuses)) as model:
        (said,) = found(model)
    assert said.health is health
    assert words in said.detail
    assert "1000 tokens read, 100 written" in said.detail


def test_every_model_of_some_purpose_is_asked() -> None:
    with few_abilities() as model:
        said = found(model, names={"propose": "better"})
    assert [" openai/" + n in f" {f.detail}" for n, f in zip(("m", "better"), said, strict=True)]
    assert [r["model"] for r in model.asked] == ["m", "better"]
