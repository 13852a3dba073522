"""Over real sockets: whatever a model server can do, it is asked in the best way it takes."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from model_of_few_abilities import FewAbilities, few_abilities
from pydantic import SecretStr
from replying import KEY, accepted, brief, context, received, routine, services

from swarm.errors import (
    ConfigurationError,
    MalformedInputError,
    ModelUnavailableError,
    RefusedError,
)
from swarm.models import EscalationClass, Ruling, Stage, Tier
from swarm.settings import ModelSettings, load_model_settings
from swarm.specialists.llm import LlmSpecialist
from swarm.stages.reply.draft import write_draft
from swarm.stages.reply.review import review
from swarm.stages.services import Services
from swarm.stages.tier import decide_tier
from swarm.store.memory import MemoryStore

pytestmark = pytest.mark.integration


def thinking(model: FewAbilities, store: MemoryStore | None = None, **changes: object) -> Services:
    bundle = services(**({"store": store} if store else {}))
    if store is None:
        accepted(bundle)
    settings = ModelSettings(
        base_url=model.url,
        name="few",
        api_key=SecretStr("k"),
        timeout_seconds=5.0,
        input_price_per_million=10.0,
        output_price_per_million=100.0,
    ).model_copy(update=changes)
    who = LlmSpecialist(settings, bundle.store, sleep=lambda _: None)
    return replace(bundle, specialist=who)


def way(bundle: Services) -> dict[str, object]:
    """What the store remembers of the one endpoint."""
    assert isinstance(bundle.store, MemoryStore)
    (known,) = bundle.store.model_endpoints()
    assert isinstance(known.abilities, dict)
    return dict(known.abilities)


FORMS = ("json_schema", "tools", "json_object")


@pytest.mark.parametrize(
    ("refused", "rung"),
    [
        ((), "json_schema"),
        (("json_schema",), "tool"),
        (("json_schema", "tools"), "json_object"),
        (("response_format",), "tool"),
        (FORMS, "words"),
        (("response_format", "tools"), "words"),
    ],
)
def test_the_best_way_that_is_not_refused_is_found_and_remembered(
    refused: tuple[str, ...], rung: str
) -> None:
    with few_abilities(refuses=frozenset(refused)) as model:
        bundle = thinking(model)
        assert bundle.specialist.classify(received()).reason == "an ordinary question"
        assert way(bundle)["rung"] == rung
        before = len(model.asked)
        assert isinstance(bundle.store, MemoryStore)
        again = thinking(model, bundle.store)  # as another process would
        again.specialist.classify(received(text="Another mail."))
        assert len(model.asked) == before + 1, "found once"


@pytest.mark.parametrize("field", ["temperature", "max_completion_tokens", "maxLength"])
def test_what_is_refused_by_name_is_left_out_and_nothing_else(field: str) -> None:
    with few_abilities(refuses=frozenset({field})) as model:
        bundle = thinking(model)
        bundle.specialist.classify(received())
        assert way(bundle)["rung"] == "json_schema"
        assert len(model.asked) == 2
        assert field not in model.asked[-1]
        if field == "max_completion_tokens":
            assert model.asked[-1]["max_tokens"] == 4000


def test_an_endpoint_that_refuses_everything_it_can_still_answers() -> None:
    refuses = frozenset({*FORMS, "temperature", "max_completion_tokens", "max_tokens"})
    with few_abilities(refuses=refuses) as model:
        thinking(model).specialist.classify(received())
        assert set(model.asked[-1]) == {"messages", "model", "stream"} or set(model.asked[-1]) == {
            "messages",
            "model",
        }


def test_a_form_that_is_ignored_is_paid_once_a_rung_and_written_down() -> None:
    with few_abilities(ignores_form=True) as model:
        bundle = thinking(model)
        bundle.specialist.classify(received())
        assert way(bundle)["rung"] == "words"
        assert len(model.asked) == 4
        one = (1000 * 10 + 100 * 100) / 1_000_000
        assert bundle.store.model_cost(KEY) == pytest.approx(4 * one)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("\ufeff", "", id="BOM"),
        pytest.param("<think>Is it {\"classes\": 1}?</think>\n", "", id="thoughts"),
        pytest.param("Is it?</think>\n", "", id="only the end of thoughts"),
        pytest.param("Sure! Here it is:\n```json\n", "\n```\nAnything else?", id="prose and fence"),
    ],
)  # fmt: skip
def test_what_stands_round_the_object_does_not_matter(before: str, after: str) -> None:
    with few_abilities(before=before, after=after) as model:
        assert thinking(model).specialist.classify(received()).classes == ()
        assert len(model.asked) == 1


def test_an_answer_that_was_cut_off_gets_twice_the_room_once() -> None:
    with few_abilities(finish=["length"]) as model:
        thinking(model).specialist.classify(received())
        assert [r["max_completion_tokens"] for r in model.asked] == [4000, 8000]


def test_an_answer_cut_off_twice_is_paid_twice_and_never_again() -> None:
    with few_abilities(finish=["stop", "length", "length"]) as model:
        bundle = thinking(model)
        bundle.specialist.classify(received(text="Good morning."))
        for _ in range(3):
            with pytest.raises(MalformedInputError, match="cut off"):
                bundle.specialist.classify(received())
        assert len(model.asked) == 3
        assert bundle.store.model_cost(KEY) == pytest.approx(3 * 0.02)


def test_a_filtered_answer_is_written_down_and_stands() -> None:
    with few_abilities(finish=["content_filter"] * 9) as model:
        bundle = thinking(model)
        for _ in range(2):
            decision = decide_tier(received(), bundle)
            assert decision.tier is Tier.ESCALATE
            assert EscalationClass.UNKNOWN in decision.classes
        assert len(model.asked) == 1
        assert bundle.store.model_cost(KEY) > 0
        assert "filtered" in decision.reasons[-1].detail


def test_tokens_from_the_providers_cache_have_their_own_price() -> None:
    with few_abilities() as model:
        bundle = thinking(model, cached_input_price_per_million=1.0)
        bundle.specialist.classify(received())
        paid = (400 * 10 + 600 * 1 + 100 * 100) / 1_000_000
        assert bundle.store.model_cost(KEY) == pytest.approx(paid)


def test_each_purpose_may_have_a_model_of_its_own() -> None:
    with few_abilities() as model:
        bundle = thinking(model, names={"propose": "better"})
        bundle.specialist.classify(received())
        assert model.asked[-1]["model"] == "few"
        assert "propose=better" in bundle.specialist.version


TROUBLES: dict[str, tuple[Callable[[FewAbilities], None], str, bool]] = {
    "a wrong key": (lambda m: setattr(m, "status", 401), "refuses our key", True),
    "a forbidden model": (lambda m: setattr(m, "status", 403), "refuses our key", True),
    "an unknown model": (lambda m: setattr(m, "status", 404), "does not know this model", True),
    "an unpaid bill": (lambda m: setattr(m, "status", 402), "paid first", True),
    "a redirect": (lambda m: setattr(m, "status", 307), "leads elsewhere", True),
    "a busy server": (lambda m: setattr(m, "status", 503), "fails", False),
    "a limit of calls": (lambda m: setattr(m, "status", 429), "asks us to wait", False),
    "a trickle": (lambda m: setattr(m, "manner", "drip"), "no whole answer in 0.5 s", False),
    "an endless answer": (lambda m: setattr(m, "manner", "endless"), "whole|honest", False),
}


@pytest.mark.fault("T57")
@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_of_everybody_keeps_a_work_order_waiting_and_says_why(trouble: str) -> None:
    cause, words, for_good = TROUBLES[trouble]
    with few_abilities() as model:
        cause(model)
        bundle = thinking(model, timeout_seconds=0.5)
        with pytest.raises(ModelUnavailableError, match=words) as caught:
            decide_tier(received(), bundle)
        assert caught.value.for_good is for_good
        assert "Error" not in caught.value.message, "no class names in what people read"
        assert isinstance(bundle.store, MemoryStore)
        (known,) = bundle.store.model_endpoints()
        assert (known.trouble, known.broken) == (caught.value.message, for_good)


def test_a_mail_that_waited_too_long_goes_to_a_person_with_a_true_sentence() -> None:
    with few_abilities(status=401) as model:
        bundle = replace(thinking(model), model_patience_seconds=0.0)
        decision = decide_tier(received(), bundle)
    assert decision.tier is Tier.ESCALATE
    assert "refuses our key (HTTP 401)" in decision.reasons[-1].detail


def test_while_the_model_is_broken_new_mail_does_not_ask_it() -> None:
    with few_abilities(status=401) as model:
        bundle = thinking(model)
        for _ in range(3):
            with pytest.raises(ModelUnavailableError, match="our key"):
                bundle.specialist.classify(received())
        assert len(model.asked) == 1


def test_three_hiccups_in_a_row_are_an_incident_and_an_answer_ends_it() -> None:
    with few_abilities(status=503) as model:
        bundle = thinking(model)
        assert isinstance(bundle.store, MemoryStore)
        states = []
        for _ in range(3):
            with pytest.raises(ModelUnavailableError):
                bundle.specialist.classify(received())
            states += [each.broken for each in bundle.store.model_endpoints()]
        assert states == [False, False, True]
        model.status = 200
        waiting = thinking(model, bundle.store)
        bundle.store.waited = lambda _key: 30.0  # type: ignore[method-assign]
        waiting.specialist.classify(received())
        (known,) = bundle.store.model_endpoints()
        assert (known.broken, known.troubles) == (False, 0)


def test_a_model_without_any_readable_form_is_everybodys_trouble_and_searched_again() -> None:
    with few_abilities(before="{} {}", refuses=frozenset({"tools"})) as model:
        bundle = thinking(model, budget_per_work_order=0.07)
        with pytest.raises(ModelUnavailableError, match="no answer in a form"):
            bundle.specialist.classify(received())
        assert bundle.store.model_cost(KEY) == pytest.approx(3 * 0.02)
        bundle.store.waited = lambda _key: 30.0  # type: ignore[method-assign]
        with pytest.raises(RefusedError, match="budget"):
            bundle.specialist.classify(received())
        assert bundle.store.model_cost(KEY) == pytest.approx(4 * 0.02)


def test_no_provider_is_used_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_NAME", "m")
    for provider, words in {"anthropik": "langchain-anthropik", "x;y": "wrong"}.items():
        monkeypatch.setenv("MODEL_PROVIDER", provider)
        with pytest.raises(ConfigurationError, match=words):
            load_model_settings()


def test_trouble_in_the_middle_keeps_what_was_paid_and_goes_on_there() -> None:
    with few_abilities(away_for="ReviewAnswer") as model:
        bundle = replace(thinking(model), checkpointer=InMemorySaver())
        with pytest.raises(ModelUnavailableError):
            write_draft(received(), context(), routine(), bundle)
        model.away_for = ""
        bundle.store.waited = lambda _key: 30.0  # type: ignore[method-assign]
        assert write_draft(received(), context(), routine(), bundle).offered
    answered = [r for r in model.asked if "decline" in str(r["response_format"])]
    assert len(answered) == 1, "the proposal was paid once"


def test_a_reviewer_that_stays_away_too_long_is_an_error_with_its_reason() -> None:
    with few_abilities(away_for="ReviewAnswer") as model:
        bundle = replace(thinking(model), model_patience_seconds=0.0)
        draft = write_draft(received(), context(), routine(), bundle)
        found = review(Stage.FACT, brief(), draft, bundle)
    assert found.ruling is Ruling.ERROR
    assert found.findings == ("the model's endpoint fails (HTTP 503)",)
