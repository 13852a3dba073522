"""The part of OData that Graph's mail API is known to accept, and its refusals.

``$filter`` knows conversationId, receivedDateTime, createdDateTime and one extended property,
joined by ``and``; everything else is ErrorInvalidUrlQueryFilter. ``$orderby`` beside ``$filter``
must be repeated in the filter, first and in the same order, else InefficientFilter. ``$search`` is
refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_DEFAULT_TOP = 10
_MOST_TOP = 1000
_PROPERTY = re.compile(
    r"singleValueExtendedProperties/any\(\s*(\w+)\s*:\s*\1/id\s+eq\s+'((?:[^']|'')*)'\s+and\s+"
    r"\1/value\s+eq\s+'((?:[^']|'')*)'\s*\)",
    re.IGNORECASE,
)
_CONVERSATION = re.compile(r"conversationId\s+eq\s+'((?:[^']|'')*)'")
_MOMENT = re.compile(r"(receivedDateTime|createdDateTime)\s+(ge|gt|le|lt)\s+([0-9T:.Z+-]+)")
_CREATED = "json_extract(m.body, '$.createdDateTime')"
_OPERATORS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_AND = re.compile(r"(?<!\s)\s+and\s+(?![^()]{0,500}\))", re.IGNORECASE)


class QueryError(Exception):
    """A query Graph refuses with 400."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: an SQL condition on ``messages m``, and how to answer."""

    where: str
    values: list[object]
    filtered: bool
    select: tuple[str, ...]
    top: int
    skip: int
    expand_property: str | None
    order: str


_OPTIONS = ("$filter", "$orderby", "$select", "$top", "$skip", "$expand", "$search")


def only(query: Mapping[str, str], *known: str) -> None:
    """Raise ``QueryError`` for an option that this resource would pass over."""
    if strange := sorted(set(query) - set(known)):
        raise QueryError("BadRequest", f"The query option {strange[0]} is not supported here.")


def parse(query: Mapping[str, str]) -> Query:
    """Parse the query options of a message collection; raises ``QueryError``."""
    only(query, *_OPTIONS)
    if "$search" in query:
        raise QueryError("SearchWithFilter", "The query parameter '$search' is not supported here.")
    text = query.get("$filter", "")
    where, values, filtered = _filter(text)
    order = _order(query.get("$orderby", ""), filtered, filtered=bool(text))
    return Query(
        where=where,
        values=values,
        filtered=bool(text),
        select=names(query.get("$select", "")),
        top=top(query.get("$top")),
        skip=_skip(query.get("$skip", "0")),
        expand_property=_expanded(query.get("$expand", "")),
        order=order,
    )


def _filter(text: str) -> tuple[str, list[object], list[str]]:
    where, values, names = ["1"], list[object](), list[str]()
    for part in (each.strip() for each in _AND.split(text.strip()) if each.strip()):
        condition, bound, name = _condition(part)
        where.append(condition)
        values += bound
        names.append(name)
    return " AND ".join(where), values, names


def _condition(part: str) -> tuple[str, list[object], str]:
    if found := _CONVERSATION.fullmatch(part):
        conversation = _unquoted(found.group(1))
        if conversation.startswith(("AAkALg", "AAMkAG")):
            raise QueryError("ErrorInvalidIdMalformed", "Id is malformed.")
        return "m.conversation_id = ?", [conversation], "conversationId"
    if found := _MOMENT.fullmatch(part):
        name, operator, text = found.groups()
        moment = re.sub(r"\.\d+", "", text).replace("+00:00", "Z")
        column = "m.received" if name == "receivedDateTime" else _CREATED
        return f"{column} {_OPERATORS[operator]} ?", [moment], name
    if found := _PROPERTY.fullmatch(part):
        # The name is compared case-sensitively, the value is not.
        exists = (
            "m.pk IN (SELECT message FROM properties WHERE name = ? AND value = ? COLLATE NOCASE)"
        )
        return exists, [_unquoted(found.group(2)), _unquoted(found.group(3))], "extended"
    raise QueryError("ErrorInvalidUrlQueryFilter", "The query filter contains an unknown clause.")


def _order(text: str, filtered_names: list[str], *, filtered: bool) -> str:
    if not text:
        return "m.pk DESC"
    wanted = [each.strip().split()[0] for each in text.split(",")]
    if filtered and filtered_names[: len(wanted)] != wanted:
        raise QueryError(
            "InefficientFilter",
            "The restriction or sort order is too complex for this operation.",
        )
    if wanted != ["receivedDateTime"]:
        raise QueryError("ErrorInvalidUrlQuery", "Only receivedDateTime can be ordered by.")
    return "m.received DESC" if text.lower().endswith("desc") else "m.received ASC"


def _skip(value: str) -> int:
    if not value.isdigit():
        raise QueryError("ErrorInvalidUrlQuery", "The value of $skip must be a number.")
    return int(value)


def top(value: str | None) -> int:
    """Return the page size asked for."""
    if value is None:
        return _DEFAULT_TOP
    if not value.isdigit() or not 1 <= int(value) <= _MOST_TOP:
        raise QueryError("ErrorInvalidUrlQuery", "The value of $top must be from 1 to 1000.")
    return int(value)


def names(text: str) -> tuple[str, ...]:
    """Return the names of a ``$select``; empty means everything."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _expanded(text: str) -> str | None:
    found = re.fullmatch(r"singleValueExtendedProperties\(\$filter=id eq '(.*)'\)", text)
    if text and not found:
        raise QueryError("ErrorInvalidUrlQuery", "Only extended properties can be expanded.")
    return _unquoted(found.group(1)) if found else None


def _unquoted(value: str) -> str:
    return value.replace("''", "'")
