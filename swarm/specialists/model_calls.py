"""One paid model call: asked once, written down, never paid again (ES-25).

Every answer, also a useless one, is recorded under the hash of its request before anybody looks at
it, so that a restarted run finds it. A useless one is followed by another where that makes sense:
the next way of asking while no way has proved good, then once more in the same way; an answer that
was cut off gets twice the room once. A refused or filtered answer stands.

What lives here: the ledger, the budget, the one layer of retries, and how one question becomes
several. What does not: what is asked (``prompting``), how (``chat``), what is kept of an answer
(``kept_answers``), what it means (``llm``).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from pydantic import JsonValue

from swarm.errors import (
    MalformedInputError,
    ModelUnavailableError,
    RefusedError,
)
from swarm.models import ModelCall, Noun, canonical_sha256
from swarm.settings import ModelSettings
from swarm.specialists.chat.endpoint import ChatEndpoint, in_words
from swarm.specialists.chat.failures import WayRefusedError
from swarm.specialists.chat.ladder import Abilities, Rung, after_refusal
from swarm.specialists.chat.reading import AnswerFault, Said
from swarm.specialists.kept_answers import Useless, kept, usable
from swarm.specialists.prompting import Prompt, prompts_sha256, style_of
from swarm.specialists.turns import NobodyElse, NoTurnError, Turns
from swarm.store.protocol import ModelLedger

_ATTEMPTS = 3
_FIRST_WAIT = 0.5  # seconds, doubled each time
_LONGEST_WAIT = 10.0  # a run must not sit on its lease longer for one model
_PER_MILLION = 1_000_000
_MOST_ANSWERS = 16  # of one question in all; a model that finds no form waits for a person
_MOST_REFUSALS = 12  # ways of asking there are
_STANDS = frozenset({AnswerFault.REFUSED, AnswerFault.FILTERED, AnswerFault.ECHOED})
_UNREAD = "the model's answers cannot be read any more"
_CUT_OFF = "the model's answers are cut off; MODEL_MAX_OUTPUT_TOKENS says where"
_AGAIN = (
    "\n\nYour last answer did not have the form that was asked for. Answer in exactly that form."
)

FormT = TypeVar("FormT", bound=Noun)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of whom about which work order."""

    key: str
    prompt: Prompt
    form: type[Noun]
    endpoint: ChatEndpoint
    model: str


@dataclass
class _Plan:
    """How the next answer is asked for, and how long the model took, the wait for a turn apart."""

    way: Abilities
    tokens: int
    again: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class ModelCalls:
    """Asks the configured model. Thread-safe: the reviewers ask side by side."""

    settings: ModelSettings
    ledger: ModelLedger
    sleep: Callable[[float], None] = time.sleep
    turns: Turns = field(default_factory=NobodyElse)
    _endpoints: dict[str, ChatEndpoint] = field(default_factory=dict)

    @cached_property
    def prompts_version(self) -> str:
        """Hash of what the house asks with."""
        return prompts_sha256(style_of(self.settings))

    def ask(self, key: str, prompt: Prompt, form: type[FormT]) -> FormT:
        """Return the model's answer, from the ledger when it was given before.

        Raises ``RefusedError`` when the work order's budget is spent, ``ModelUnavailableError``
        when the model answers nobody, ``MalformedInputError`` when this question got no usable
        answer.
        """
        model = self.settings.name_for(prompt.purpose)
        endpoint = self._endpoints.setdefault(model, ChatEndpoint(self.settings, model))
        question = _Question(key, prompt, form, endpoint, model)
        told: list[Useless] = []
        plan: _Plan | None = None
        for number in range(_MOST_ANSWERS):
            request = self._request_sha256(question, number)
            call = self.ledger.model_call(key, prompt.purpose, request)
            if fresh := call is None:
                plan = self._next(question, plan, told)
                call = self._paid_call(question, request, plan)
            found = usable(call, question.form)
            if not isinstance(found, Useless):
                if fresh and plan is not None:
                    self._proved(question, plan)
                return form.model_validate(found)
            told.append(found)
            if found.problem in _STANDS:
                if fresh and found.proven and found.problem is not AnswerFault.ECHOED:
                    self._disappointed(question, found.problem.value)
                break
        raise MalformedInputError(told[-1].problem.value, work_order=key)

    def _disappointed(self, question: _Question, sentence: str) -> None:
        """Count what had proved good and does not work; when it never does, search anew."""
        name = question.endpoint.name
        self.ledger.model_failed(name, sentence, for_good=False)
        if self.ledger.model_endpoint(name).broken:
            self.ledger.remember_abilities(name, None)

    def _request_sha256(self, question: _Question, number: int) -> str:
        asked: dict[str, JsonValue] = {
            "model": question.model,
            "system": question.prompt.system,
            "data": question.prompt.data,
            "schema": question.form.model_json_schema(),
        }
        return canonical_sha256({**asked, "number": number} if number else asked)

    def _next(self, question: _Question, last: _Plan | None, told: list[Useless]) -> _Plan:
        """Say how to ask next; raises what the caller gets when there is no way left."""
        way = last.way if last else self._known(question)
        tokens = self.settings.max_output_tokens
        cut = sum(each.problem is AnswerFault.LENGTH for each in told)
        if cut > 1:
            if last is not None:
                self._disappointed(question, _CUT_OFF)
            raise MalformedInputError(AnswerFault.LENGTH.value, work_order=question.key)
        if cut:
            tokens *= 2
        if way.proven:
            useless = [each for each in told if each.proven]
            if len(useless) > 1:
                if last is not None:  # asked now, not read in the ledger
                    self._disappointed(question, _UNREAD)
                raise MalformedInputError(useless[-1].problem.value, work_order=question.key)
            return _Plan(way, tokens, again=bool(useless))
        if last is None or (told and told[-1].problem is AnswerFault.LENGTH):
            return _Plan(way, tokens)
        if (below := way.below) is None:
            raise self._formless(question)
        return _Plan(below, tokens)

    def _formless(self, question: _Question) -> ModelUnavailableError:
        self.ledger.remember_abilities(question.endpoint.name, None)
        error = ModelUnavailableError(
            "the model gives no answer in a form that can be read, however it is asked",
            for_good=True,
            work_order=question.key,
        )
        self._failed(question, error)
        return error

    def _known(self, question: _Question) -> Abilities:
        known = self.ledger.model_endpoint(question.endpoint.name)
        if known.broken and not self.ledger.waited(question.key):
            # Those that wait already find out when it is back.
            raise ModelUnavailableError(known.trouble, work_order=question.key)
        if known.abilities is None:
            return Abilities()
        return Abilities.model_validate(known.abilities)

    def _proved(self, question: _Question, plan: _Plan) -> None:
        name = question.endpoint.name
        known = self.ledger.model_endpoint(name)
        proven = plan.way.model_copy(update={"proven": True}).model_dump(mode="json")
        if known.abilities != proven:
            self.ledger.remember_abilities(name, proven)
        if known.troubles:
            self.ledger.model_answered(name)

    def _paid_call(self, question: _Question, request: str, plan: _Plan) -> ModelCall:
        self._check_budget(question.key)
        try:
            said = self._said(question, plan)
        except NoTurnError:  # says nothing about the model
            raise
        except ModelUnavailableError as error:
            self._failed(question, error)
            raise
        call = ModelCall(
            work_order_key=question.key,
            purpose=question.prompt.purpose,
            request_sha256=request,
            model=question.model,
            prompt_sha256=self.prompts_version,
            answer=kept(said, plan.way),
            input_tokens=said.input_tokens,
            cached_tokens=said.cached_tokens,
            output_tokens=said.output_tokens,
            cost=self._cost(said),
            latency_ms=int(plan.seconds * 1000),
        )
        return self.ledger.record_model_call(call)

    def _check_budget(self, key: str) -> None:
        if self.ledger.model_cost(key) >= self.settings.budget_per_work_order:
            raise RefusedError("the model budget of this work order is spent", work_order=key)

    def _failed(self, question: _Question, error: ModelUnavailableError) -> None:
        name = question.endpoint.name
        self.ledger.model_failed(name, error.message, for_good=error.for_good)

    def _said(self, question: _Question, plan: _Plan) -> Said:
        """Ask, down the ladder as far as the endpoint refuses; refusals cost nothing."""
        for _ in range(_MOST_REFUSALS):
            try:
                return self._patiently(question, plan)
            except WayRefusedError as refused:
                other = after_refusal(plan.way, refused.words)
                if other is None:
                    if plan.way.proven:  # about this very mail
                        raise
                    break
                plan.way = other
        raise ModelUnavailableError(
            "the model's endpoint refuses every way of asking (HTTP 400)", for_good=True
        )

    def _asked(self, question: _Question, plan: _Plan) -> Said:
        prompt, form = question.prompt, question.form
        task = prompt.task + (_AGAIN if plan.again else "")
        if plan.way.rung in (Rung.JSON, Rung.WORDS):
            task += in_words(form)
        messages = question.endpoint.messages(prompt.system, prompt.known, task)
        with self.turns.turn(question.endpoint.name):
            began = time.monotonic()
            said = question.endpoint.ask(messages, form, plan.way, plan.tokens)
            plan.seconds = time.monotonic() - began
        return said

    def _patiently(self, question: _Question, plan: _Plan) -> Said:
        """The one layer of retries within a run: what may pass at once, for up to 10 s a wait."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._asked(question, plan)
            except ModelUnavailableError as error:
                if error.patient and error.retry_after:
                    self.turns.hold(question.endpoint.name, error.retry_after)
                wait = max(_FIRST_WAIT * 2.0 ** (attempt - 1), error.retry_after)
                if attempt == _ATTEMPTS or wait > _LONGEST_WAIT or not error.patient:
                    raise
                self.sleep(wait)
        raise AssertionError("unreachable")  # pragma: no cover

    def _cost(self, said: Said) -> float:
        prices = self.settings
        cached = min(said.cached_tokens or 0, said.input_tokens or 0)
        cheap = prices.cached_input_price_per_million
        paid = (
            ((said.input_tokens or 0) - cached) * prices.input_price_per_million
            + cached * (prices.input_price_per_million if cheap is None else cheap)
            + (said.output_tokens or 0) * prices.output_price_per_million
        )
        return paid / _PER_MILLION
