"""The OpenAI-compatible model double: deterministic answers that follow the asked JSON schema.

It proves the wire, not wisdom. A canned answer can be stored for requests that contain a text.
Fault kinds of ``model`` beside the common ones: ``garbage``, ``empty``, ``wrong_json``,
``truncated``, ``refusal``, ``no_usage``.
"""

import hashlib
import json
import time

from swarm.sandbox.faults import Fault, Faults
from swarm.sandbox.state import Json, State, dumps
from swarm.sandbox.wire import Reply, Request, json_reply

_BENT = ("garbage", "empty", "wrong_json", "truncated", "refusal", "no_usage")
_CHARACTERS_PER_TOKEN = 4
_DEEPEST = 12


class ModelDouble:
    """Everything below ``/model/v1``."""

    def __init__(self, state: State, faults: Faults) -> None:
        self._state = state
        self._faults = faults

    def handle(self, request: Request) -> Reply:
        """Answer ``POST /chat/completions`` and ``GET /models``."""
        if request.path == "/models":
            return json_reply(200, {"object": "list", "data": [{"id": "sandbox-model"}]})
        if request.path != "/chat/completions" or request.method != "POST":
            return _refused(404, "invalid_request_error", "unknown path")
        wanted = request.json()
        if not isinstance(wanted.get("messages"), list):
            return _refused(400, "invalid_request_error", "messages is required")
        answer = self._answer(wanted, request.body.decode("utf-8", "replace"))
        self._record(wanted, answer)
        return json_reply(200, answer)

    def can(self, contains: str, content: object, times: int | None) -> None:
        """Answer requests that contain a text with this content, ``times`` times or always."""
        text = content if isinstance(content, str) else dumps(content)
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO model_answers (contains, content, remaining) VALUES (?, ?, ?)",
                (contains, text, times),
            )

    def calls(self) -> list[Json]:
        """Return every completed call, oldest first."""
        rows = self._state.rows("SELECT * FROM model_calls ORDER BY id")
        return [
            {"at": row["at"], "request": json.loads(row["request"]),
             "answer": json.loads(row["answer"])}
            for row in rows
        ]  # fmt: skip

    def _answer(self, wanted: Json, text: str) -> Json:
        content = self._canned(text)
        if content is None:
            content = _content(wanted.get("response_format"), text)
        message: Json = {"role": "assistant", "content": content, "refusal": None}
        finish, fault = "stop", self._faults.take("model", *_BENT)
        if fault is not None:
            message, finish = _bent(fault, message)
        digest = hashlib.sha256(text.encode()).hexdigest()[:24]
        answer: Json = {
            "id": f"chatcmpl-{digest}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": str(wanted.get("model", "sandbox-model")),
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        }
        if fault is None or fault.kind != "no_usage":
            answer["usage"] = _usage(text, str(message.get("content") or ""))
        return answer

    def _canned(self, text: str) -> str | None:
        for row in self._state.rows("SELECT * FROM model_answers ORDER BY id"):
            spent = row["remaining"] is not None and row["remaining"] <= 0
            if spent or str(row["contains"]) not in text:
                continue
            with self._state.transaction() as connection:
                connection.execute(
                    "UPDATE model_answers SET remaining = remaining - 1 WHERE id = ?", (row["id"],)
                )
            return str(row["content"])
        return None

    def _record(self, wanted: Json, answer: Json) -> None:
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO model_calls (at, request, answer) VALUES (?, ?, ?)",
                (time.time(), dumps(wanted), dumps(answer)),
            )


def _content(response_format: object, text: str) -> str:
    wanted = response_format if isinstance(response_format, dict) else {}
    described = wanted.get("json_schema")
    if wanted.get("type") == "json_schema" and isinstance(described, dict):
        schema = described.get("schema")
        root = schema if isinstance(schema, dict) else {}
        return dumps(instance(root, root))
    if wanted.get("type") == "json_object":
        return dumps({"answer": _sentence(text)})
    return _sentence(text)


def _sentence(text: str) -> str:
    return f"Sandbox answer {hashlib.sha256(text.encode()).hexdigest()[:8]}."


def instance(schema: Json, root: Json, name: str = "", depth: int = 0) -> object:
    """Return the smallest value a schema allows: default, first of an enum, empty list, null."""
    if depth > _DEEPEST:
        return None
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return instance(_resolved(reference, root), root, name, depth + 1)
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    values = schema.get("enum")
    if isinstance(values, list) and values:
        return values[0]
    for combined in ("anyOf", "oneOf", "allOf"):
        choices = schema.get(combined)
        if isinstance(choices, list) and choices:
            null = any(isinstance(each, dict) and each.get("type") == "null" for each in choices)
            return None if null else instance(choices[0], root, name, depth + 1)
    return _plain(schema, root, name, depth)


def _plain(schema: Json, root: Json, name: str, depth: int) -> object:
    kind = schema.get("type")
    if isinstance(kind, list):
        return None if "null" in kind else instance({**schema, "type": kind[0]}, root, name, depth)
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties")
        members = properties if isinstance(properties, dict) else {}
        return {key: instance(each, root, key, depth + 1) for key, each in members.items()}
    if kind == "array":
        least, items = schema.get("minItems"), schema.get("items")
        count = least if isinstance(least, int) else 0
        return [instance(items if isinstance(items, dict) else {}, root, name, depth + 1)] * count
    if kind == "string":
        return "en" if name == "language" else f"Sandbox {name or 'text'}."
    if kind in ("integer", "number"):
        return schema.get("minimum", 0)
    return False if kind == "boolean" else None


def _resolved(reference: str, root: Json) -> Json:
    value: object = root
    for part in reference.removeprefix("#/").split("/"):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _bent(fault: Fault, message: Json) -> tuple[Json, str]:
    content = str(message["content"])
    if fault.kind == "refusal":
        return {**message, "content": None, "refusal": "I cannot help with that."}, "stop"
    if fault.kind == "truncated":
        return {**message, "content": content[: len(content) // 2]}, "length"
    changed = {"garbage": "}{ %% not json", "empty": "", "wrong_json": '{"unexpected": [1, 2]}'}
    return {**message, "content": changed.get(fault.kind, content)}, "stop"


def _usage(request: str, answer: str) -> Json:
    given = max(1, len(request) // _CHARACTERS_PER_TOKEN)
    made = max(1, len(answer) // _CHARACTERS_PER_TOKEN)
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _refused(status: int, kind: str, message: str) -> Reply:
    return json_reply(status, {"error": {"message": message, "type": kind, "code": None}})
