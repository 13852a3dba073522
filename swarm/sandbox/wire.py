"""Requests and replies as the doubles see them, apart from any web framework.

Graph's ``$batch`` hands requests back to the same double, so a double is a function from
``Request`` to ``Reply``; ``app`` carries them over HTTP.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from swarm.sandbox.state import Json, dumps


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are lower case, ``query`` is decoded, ``url`` absolute."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    url: str

    def json(self) -> Json:
        """Return the body as a JSON object; ``{}`` when it is empty or something else."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. ``cut`` aborts the connection instead of answering, ``drip`` sends the body
    byte by byte with so many seconds in between.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    drip: float | None = None


def json_reply(status: int, value: object, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a JSON answer."""
    kind = {"content-type": "application/json"}
    return Reply(status, dumps(value).encode("utf-8", "surrogatepass"), {**kind, **(headers or {})})
