"""One paid model call: asked once, written down, never paid again (ES-25).

Every answer, also a useless one, is recorded under the hash of its request before anybody looks at
it, so that a restarted run finds it. What lives here: the ledger, the budget, the time-out, the one
layer of retries, the typed errors. What does not: what is asked (``prompting``) and what it means
(``llm``)."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import JsonValue

from swarm.clients.bounded_client import BoundedClient
from swarm.clients.bounded_http import Bounds
from swarm.clients.http_failures import asked_wait
from swarm.errors import (
    MalformedInputError,
    RateLimitedError,
    RefusedError,
    RemoteRefusedError,
    RemoteUnavailableError,
    TransientError,
)
from swarm.models import ModelCall, canonical_sha256
from swarm.settings import ModelSettings
from swarm.specialists.prompting import Prompt, prompts_sha256
from swarm.store.protocol import RunStore

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage

_ATTEMPTS = 3
_FIRST_WAIT = 0.5  # seconds, doubled each time
_LONGEST_WAIT = 10.0  # a run must not sit on its lease longer for one model
_PER_MILLION = 1_000_000
_CONNECT_SECONDS = 10.0
_MOST_BYTES = 8 << 20  # the longest honest answer has some 20 kB


@dataclass(frozen=True)
class ModelCalls:
    """Asks the configured model. Thread-safe: the reviewers ask side by side."""

    settings: ModelSettings
    ledger: RunStore
    sleep: Callable[[float], None] = time.sleep

    def ask(self, key: str, prompt: Prompt, schema: Mapping[str, JsonValue]) -> JsonValue:
        """Return the model's answer as parsed JSON, from the ledger when it was given before.

        Raises ``RefusedError`` when the work order's budget is spent, ``TransientError`` when the
        model did not answer, ``MalformedInputError`` when it answered something unusable,
        ``RemoteRefusedError`` when the endpoint turned us away.
        """
        request = self._request_sha256(prompt, schema)
        call = self.ledger.model_call(key, prompt.purpose, request)
        if call is None:
            self._check_budget(key)
            call = self.ledger.record_model_call(self._paid_call(key, request, prompt, schema))
        return _usable(call, prompt)

    def _request_sha256(self, prompt: Prompt, schema: Mapping[str, JsonValue]) -> str:
        return canonical_sha256(
            {
                "model": self.settings.name,
                "system": prompt.system,
                "data": prompt.data,
                "schema": dict(schema),
            }
        )

    def _check_budget(self, key: str) -> None:
        if self.ledger.model_cost(key) >= self.settings.budget_per_work_order:
            raise RefusedError("the model budget of this work order is spent", work_order=key)

    def _paid_call(
        self, key: str, request: str, prompt: Prompt, schema: Mapping[str, JsonValue]
    ) -> ModelCall:
        started = time.monotonic()
        answer, usage = self._patiently(lambda: self._invoke(prompt, schema))
        return ModelCall(
            work_order_key=key,
            purpose=prompt.purpose,
            request_sha256=request,
            model=self.settings.name or "",
            prompt_sha256=prompts_sha256(),
            answer=answer,
            input_tokens=usage[0],
            output_tokens=usage[1],
            cost=self._cost(*usage),
            latency_ms=int((time.monotonic() - started) * 1000),
        )

    def _cost(self, input_tokens: int | None, output_tokens: int | None) -> float:
        paid_in = (input_tokens or 0) * self.settings.input_price_per_million
        paid_out = (output_tokens or 0) * self.settings.output_price_per_million
        return (paid_in + paid_out) / _PER_MILLION

    def _patiently(self, call: Callable[[], "_Answered"]) -> "_Answered":
        """The one layer of retries: transient trouble only, obeying Retry-After up to 10 s."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return call()
            except TransientError as error:
                wait = _wait(error, attempt)
                if attempt == _ATTEMPTS or wait > _LONGEST_WAIT:
                    raise
                self.sleep(wait)
        raise AssertionError("unreachable")  # pragma: no cover

    def _invoke(self, prompt: Prompt, schema: Mapping[str, JsonValue]) -> "_Answered":
        model = self._model
        try:
            asked = model.with_structured_output(
                dict(schema), method="json_schema", strict=True, include_raw=True
            )
            got = asked.invoke([("system", prompt.system), ("user", prompt.data)])
        # Broad on purpose: on a broken body, or a schema they cannot ask for, the model libraries
        # raise whatever they stumble over (TypeError, KeyError, JSONDecodeError): an unusable
        # answer, never a crash.
        except Exception as error:
            raise _typed(error) from error
        return _answered(dict(got) if isinstance(got, dict) else {})

    @cached_property
    def _model(self) -> "BaseChatModel":
        from langchain.chat_models import init_chat_model  # noqa: PLC0415 - costs two seconds

        more: dict[str, Any] = {**self._bounded()}
        model: BaseChatModel = init_chat_model(
            self.settings.name or "",
            model_provider=self.settings.provider,
            base_url=self.settings.base_url,
            api_key=self.settings.api_key.get_secret_value(),
            temperature=0,
            timeout=self.settings.timeout_seconds,
            max_retries=0,
            **more,
        )
        return model

    def _bounded(self) -> "dict[str, BoundedClient]":
        """An answer ends with the time-out and at 8 MB, where the library lets us say so."""
        if self.settings.provider != "openai":
            return {}
        seconds = self.settings.timeout_seconds
        timeout = httpx.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))
        return {"http_client": BoundedClient(Bounds(seconds, _MOST_BYTES), timeout)}


_Answered = tuple[JsonValue, tuple[int | None, int | None]]


def _answered(got: dict[str, object]) -> _Answered:
    """Keep what was paid for: the parsed object, or what is wrong with the answer."""
    raw: AIMessage | None = got.get("raw")  # type: ignore[assignment]
    usage = raw.usage_metadata if raw is not None else None
    tokens = (usage["input_tokens"], usage["output_tokens"]) if usage else (None, None)
    parsed = got.get("parsed")
    if isinstance(parsed, dict) and got.get("parsing_error") is None:
        return {"parsed": parsed}, tokens
    refused = raw is not None and raw.additional_kwargs.get("refusal")
    return {"problem": "the model refused" if refused else "the answer is no JSON object"}, tokens


def _usable(call: ModelCall, prompt: Prompt) -> JsonValue:
    answer = call.answer if isinstance(call.answer, dict) else {}
    if "parsed" not in answer:
        raise MalformedInputError(
            str(answer.get("problem", "the stored answer cannot be read")),
            work_order=call.work_order_key,
        )
    if prompt.canary in str(answer["parsed"]):
        raise MalformedInputError(
            "the answer repeats the prompt's canary", work_order=call.work_order_key
        )
    return answer["parsed"]


def _wait(error: TransientError, attempt: int) -> float:
    backoff = _FIRST_WAIT * 2.0 ** (attempt - 1)
    return max(backoff, error.retry_after) if isinstance(error, RateLimitedError) else backoff


def _typed(error: Exception) -> Exception:
    """Translate the model library's errors into ours; messages never carry what was sent."""
    from langchain_core import exceptions as lc  # noqa: PLC0415 - loaded by the model anyway

    if isinstance(error, lc.ModelRateLimitError):
        return RateLimitedError("the model asks us to wait", retry_after=_retry_after(error))
    if isinstance(error, lc.ContextOverflowError):
        return MalformedInputError("the mail is too long for the model")
    if isinstance(error, lc.ModelTimeoutError | lc.ModelConnectionError | lc.ModelAPIError):
        return RemoteUnavailableError(f"the model did not answer ({type(error).__name__})")
    if isinstance(error, lc.ModelError):
        return RemoteRefusedError(
            f"the model endpoint turned us away ({type(error).__name__})",
            hint="check MODEL_NAME, MODEL_BASE_URL and MODEL_API_KEY",
        )
    return MalformedInputError(f"the model's answer cannot be read ({type(error).__name__})")


def _retry_after(error: Exception) -> float:
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return asked_wait(float(headers.get("retry-after", 0.0))) or 0.0
    except ValueError:
        return 0.0
