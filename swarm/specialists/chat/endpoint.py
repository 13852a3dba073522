"""A chat model behind an endpoint, asked one question in one way, for a bounded time.

LangChain speaks the providers' protocols; a model is built for the way it is asked. What lives
elsewhere: which way (``ladder``), what the answer says (``reading``), asking again and paying
(``swarm.specialists.model_calls``).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import httpx
from pydantic import JsonValue

from swarm.clients.bounded_http import Bounds
from swarm.models import Noun
from swarm.settings import ModelSettings
from swarm.specialists.chat.deadline import within
from swarm.specialists.chat.failures import failure
from swarm.specialists.chat.ladder import Abilities, Rung, TokenLimit
from swarm.specialists.chat.reading import Said
from swarm.specialists.chat.tokens import CountingClient, TokenCount, count, listening, total

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_CONNECT_SECONDS = 10.0
_MOST_BYTES = 8 << 20  # the longest honest answer has some 20 kB
_OPENAI, _ANTHROPIC = "openai", "anthropic"
_LIMITS = ("maxLength", "maxItems", "minLength", "minItems")
_METHODS = {Rung.SCHEMA: "json_schema", Rung.TOOL: "function_calling", Rung.JSON: "json_mode"}
# How the longest answer is called in LangChain's class of a provider; elsewhere max_tokens.
_LIMIT_NAMES = {"ollama": "num_predict", "google_genai": "max_output_tokens"}
_IN_WORDS = """

Answer with one JSON object and nothing else, of this JSON schema:
"""


Message: TypeAlias = tuple[str, Any]
"""Who speaks, and text or, where a provider wants them, blocks."""


class ChatEndpoint:
    """One model of the settings. Thread-safe: the reviewers ask side by side."""

    def __init__(self, settings: ModelSettings, model: str) -> None:
        self._settings = settings
        self._model = model
        self._built = lru_cache(maxsize=8)(self._build)

    @property
    def name(self) -> str:
        """Name provider, model and host, without any secret."""
        host = urlsplit(self._settings.base_url or "").netloc.rpartition("@")[2]
        return f"{self._settings.provider}/{self._model}{f' at {host}' if host else ''}"

    def messages(self, system: str, known: str, task: str) -> list[Message]:
        """Put a prompt into messages; ``known`` is what other questions begin with as well."""
        if self._settings.provider != _ANTHROPIC:  # all others find a known beginning by themselves
            return [("system", system), ("user", f"{known}\n\n{task}")]
        block = {"type": "text", "text": known, "cache_control": {"type": "ephemeral"}}
        return [("system", system), ("user", [block, {"type": "text", "text": task}])]

    def ask(
        self, messages: Sequence[Message], form: type[Noun], way: Abilities, tokens: int
    ) -> Said:
        """Ask once. Raises ``WayRefusedError``, ``ModelUnavailableError``, ``MalformedInputError``.

        A broken body is an answer (``Said.broken``): it may have been paid.
        """
        schema = schema_of(form, limits=way.schema_limits)
        with listening() as heard:
            try:
                model = self._built(way.temperature, way.token_limit, tokens)
                return _said(self._answer(model, messages, schema, way.rung), heard)
            # Broad on purpose: on a broken body, or a schema they cannot ask for, the model
            # libraries raise whatever they stumble over (TypeError, KeyError, JSONDecodeError): an
            # unusable answer, never a crash.
            except Exception as error:
                known = failure(error, self._settings.timeout_seconds)
                if known is None:
                    return _costing(Said(broken=True), heard)
                raise known from error

    def _answer(
        self,
        model: "BaseChatModel",
        messages: Sequence[Message],
        schema: Mapping[str, JsonValue],
        rung: Rung,
    ) -> object:
        if self._settings.provider == _OPENAI:  # its client cuts the connection by itself
            return _ask_openai(model, messages, schema, rung)
        return within(
            self._settings.timeout_seconds, lambda: _ask_any(model, messages, schema, rung)
        )

    def _build(self, temperature: bool, limit: TokenLimit, tokens: int) -> "BaseChatModel":  # noqa: FBT001 - a cache key
        from langchain.chat_models import init_chat_model  # noqa: PLC0415 - costs two seconds

        more: dict[str, Any] = {**self._bounded(), **self._limited(limit, tokens)}
        if temperature:
            more["temperature"] = 0
        if self._settings.provider == _OPENAI:  # for some names it would take another protocol
            more["use_responses_api"] = False
        model: BaseChatModel = init_chat_model(
            self._model,
            model_provider=self._settings.provider,
            base_url=self._settings.base_url,
            api_key=self._settings.api_key.get_secret_value(),
            timeout=self._settings.timeout_seconds,
            max_retries=0,
            **more,
        )
        return model

    def _limited(self, limit: TokenLimit, tokens: int) -> dict[str, object]:
        if limit is TokenLimit.NONE:
            return {}
        if self._settings.provider != _OPENAI:
            return {_LIMIT_NAMES.get(self._settings.provider, "max_tokens"): tokens}
        # The library only knows the new name; servers of others may only know the old one.
        if limit is TokenLimit.OLD:
            return {"extra_body": {"max_tokens": tokens}}
        return {"max_tokens": tokens}

    def _bounded(self) -> "dict[str, CountingClient]":
        """An answer ends with the time-out and at 8 MB, where the library lets us say so."""
        if self._settings.provider != _OPENAI:
            return {}
        seconds = self._settings.timeout_seconds
        timeout = httpx.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))
        return {"http_client": CountingClient(Bounds(seconds, _MOST_BYTES), timeout)}


def schema_of(form: type[Noun], *, limits: bool) -> dict[str, JsonValue]:
    """Return the JSON schema of an answer, with or without its limits."""
    schema: dict[str, JsonValue] = form.model_json_schema()
    return schema if limits else _without(schema, _LIMITS)


def in_words(form: type[Noun]) -> str:
    """Return what tells a model the form of its answer where its server cannot."""
    return _IN_WORDS + json.dumps(form.model_json_schema(), separators=(",", ":"))


def _without(schema: Any, names: Sequence[str]) -> Any:
    if isinstance(schema, dict):
        return {k: _without(v, names) for k, v in schema.items() if k not in names}
    return [_without(each, names) for each in schema] if isinstance(schema, list) else schema


def _ask_openai(
    model: "BaseChatModel",
    messages: Sequence[Message],
    schema: Mapping[str, JsonValue],
    rung: Rung,
) -> object:
    """Ask in the protocol's own words: the library's way raises over answers that were paid."""
    name = str(schema["title"])
    asked: Any = model
    body = {**(getattr(model, "extra_body", None) or {})}
    if rung is Rung.SCHEMA:
        described = {"name": name, "schema": dict(schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": described}
    elif rung is Rung.JSON:
        body["response_format"] = {"type": "json_object"}
    elif rung is Rung.TOOL:
        function = {"name": name, "description": "Your answer.", "parameters": dict(schema)}
        tool = {"type": "function", "function": function}
        asked = model.bind_tools([tool], tool_choice=name)
    return asked.invoke(list(messages), **({"extra_body": body} if body else {}))


def _ask_any(
    model: "BaseChatModel",
    messages: Sequence[Message],
    schema: Mapping[str, JsonValue],
    rung: Rung,
) -> object:
    if rung is Rung.WORDS:
        return model.invoke(list(messages))
    asked = model.with_structured_output(dict(schema), method=_METHODS[rung], include_raw=True)
    got = asked.invoke(list(messages))
    return got.get("raw") if isinstance(got, dict) else None


def _said(message: object, heard: Sequence[TokenCount]) -> Said:
    """Read LangChain's message; whatever else came says nothing."""
    about = getattr(message, "response_metadata", None) or {}
    more = getattr(message, "additional_kwargs", None) or {}
    finish = about.get("finish_reason") or about.get("stop_reason") or about.get("done_reason")
    calls = getattr(message, "tool_calls", None) or ()
    broken = getattr(message, "invalid_tool_calls", None) or ()
    said = Said(
        text=_text(getattr(message, "content", "")),
        tool_arguments=(*(call.get("args") for call in calls), *(None for _ in broken)),
        finish=str(finish or ""),
        refused=bool(more.get("refusal")),
    )
    return _costing(said, heard or (_counted(message),))


def _counted(message: object) -> TokenCount:
    """Return what the library counts of a provider whose answers only it hears."""
    usage = getattr(message, "usage_metadata", None) or {}
    return TokenCount(
        input=count(usage.get("input_tokens")),
        cached=count((usage.get("input_token_details") or {}).get("cache_read")),
        output=count(usage.get("output_tokens")),
    )


def _costing(said: Said, heard: Sequence[TokenCount]) -> Said:
    cost = total(heard)
    return replace(
        said, input_tokens=cost.input, cached_tokens=cost.cached, output_tokens=cost.output
    )


def _text(content: object) -> str:
    """Return what was said, without the blocks that hold thoughts."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    said = [each if isinstance(each, str) else _spoken(each) for each in blocks]
    return "".join(said)


def _spoken(block: object) -> str:
    if isinstance(block, dict) and block.get("type") == "text":
        return str(block.get("text", ""))
    return ""
