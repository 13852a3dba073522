"""JSON of a foreign service, read so that one odd value costs that value and not the page.

Strict readers refuse a whole page over one lone surrogate, NaN or number of 5,000 digits in it.
Here such a value reads as missing (null), text that cannot be stored gets U+FFFD in its place, and
a value nested deeper than anything we read is cut off.
"""

import json
import math
import re
from typing import cast

from pydantic import JsonValue

from swarm.patterns import linear

_DEEPEST = 60  # the deepest thing we read, a reply below an update, lies at 9
_LONGEST_NUMBER = 30
_TOKEN = linear(r'\\.|["\[\]{}]', re.DOTALL)  # an escaped character is one token, and no quote
_STRANGE = linear("[\x00\ud800-\udfff]")


def read_json(content: bytes) -> JsonValue:
    """Return the value of a body. Raises ``ValueError`` when it is no JSON at all."""
    text = content.decode("utf-8-sig", "replace")
    try:
        value = _loads(text)
    except RecursionError:
        value = _loads(_shallow(text))
    return _storable(value, 0)


def _loads(text: str) -> JsonValue:
    return cast(
        "JsonValue",
        json.loads(
            text,
            strict=False,  # raw control characters in a text are that text's trouble
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=lambda _: None,
        ),
    )


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None


def _fraction(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _shallow(text: str) -> str:
    """Return the text with null for each array or object that lies too deep. Linear."""
    kept, depth, taken, quoted = list[str](), 0, 0, False
    for token in _TOKEN.finditer(text):
        mark = token.group()
        quoted = quoted != (mark == '"')
        if quoted or mark[0] in '"\\':
            continue  # within a string a bracket counts for nothing
        if mark in "[{":
            depth += 1
            if depth == _DEEPEST:
                kept += [text[taken : token.start()], "null"]
        else:
            if depth == _DEEPEST:
                taken = token.end()
            depth -= 1
    return "".join([*kept, text[taken:]] if depth < _DEEPEST else kept)


def _storable(value: JsonValue, depth: int) -> JsonValue:
    if isinstance(value, str):
        return _STRANGE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list | dict) and depth == _DEEPEST:
        return None
    if isinstance(value, list):
        return [_storable(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {
            _STRANGE.sub("\N{REPLACEMENT CHARACTER}", name): _storable(each, depth + 1)
            for name, each in value.items()
        }
    return value
