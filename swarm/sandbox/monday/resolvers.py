"""Executes GraphQL over the boards: graphql-core does the language, this file answers fields."""

# ruff: noqa: D102 - what a field means stands in the SDL
import base64
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from swarm.sandbox.monday.boards import BOARDS, Boards, Item, column_json, person
from swarm.sandbox.state import Json

_MOST_PER_PAGE = 500
_MOST_IDS = 100
_COMPLEXITY_BUDGET = 10_000_000


def refused(message: str, code: str, **data: object) -> GraphQLError:
    """Return an error with monday's extensions."""
    return GraphQLError(message, extensions={"code": code, "status_code": 200, "error_data": data})


@dataclass(slots=True)
class Conversation:
    """What one execution knows: the data, the clock of cursors, faults that bend single fields."""

    boards: Boards
    version: str
    cursor_seconds: float
    cursor_expired: Callable[[], bool]
    broken_column: str = ""
    broken_root: bool = False


class Root:
    """Query and mutation fields; graphql-core calls the method of a field's name."""

    def __init__(self, conversation: Conversation) -> None:
        self._now = conversation

    def complexity(self, _info: GraphQLResolveInfo) -> Json:
        return {"query": 5000, "before": _COMPLEXITY_BUDGET, "after": _COMPLEXITY_BUDGET - 5000,
                "reset_in_x_seconds": 60}  # fmt: skip

    def me(self, _info: GraphQLResolveInfo) -> Json:
        return person("Sandbox")

    def version(self, _info: GraphQLResolveInfo) -> Json:
        value = self._now.version
        return {"kind": "current", "value": value, "display_name": value}

    def versions(self, info: GraphQLResolveInfo) -> list[Json]:
        return [self.version(info)]

    def boards(
        self,
        _info: GraphQLResolveInfo,
        *,
        ids: Sequence[str] | None = None,
        limit: int = 25,
        page: int = 1,
    ) -> list["BoardNode"]:
        known = [each for each in (BOARDS if ids is None else ids) if each in BOARDS]
        return [BoardNode(self._now, each) for each in known[(page - 1) * limit : page * limit]]

    def items(
        self,
        _info: GraphQLResolveInfo,
        *,
        ids: Sequence[str] = (),
        limit: int = 25,
        page: int = 1,
        exclude_nonactive: bool = False,
    ) -> list["ItemNode"]:
        if len(ids) > _MOST_IDS:
            raise refused("Too many ids", "InvalidArgumentException")
        if self._now.broken_root:
            raise refused("Internal error while reading items", "InternalPartError")
        found = self._now.boards.items(_numbers(ids))[(page - 1) * limit : page * limit]
        kept = [each for each in found if not exclude_nonactive or each.state == "active"]
        return [ItemNode(self._now, each) for each in kept]

    def items_page_by_column_values(
        self,
        _info: GraphQLResolveInfo,
        *,
        board_id: str,
        limit: int,
        columns: Sequence[Json] = (),
        cursor: str | None = None,
    ) -> Json:
        if cursor:
            return page_after(self._now, cursor, limit)
        if board_id not in BOARDS:
            raise refused("Board not found", "InvalidBoardIdException", board_id=board_id)
        found: set[int] | None = None
        for column in columns:
            matching = self._matching(board_id, column)
            found = matching if found is None else found & matching
        return page_of(self._now, sorted(found or ()), 0, limit)

    def next_items_page(self, _info: GraphQLResolveInfo, *, cursor: str, limit: int) -> Json:
        return page_after(self._now, cursor, limit)

    def create_update(
        self,
        _info: GraphQLResolveInfo,
        *,
        body: str,
        item_id: str | None = None,
        parent_id: str | None = None,
    ) -> Json:
        item = int(item_id or 0)
        number = self._now.boards.add_update(item, body, "Sandbox", int(parent_id or 0) or None)
        return next(
            each for each in self._now.boards.updates(item, 100, 1) if each["id"] == str(number)
        )

    def _matching(self, board_id: str, column: Json) -> set[int]:
        name, values = str(column["column_id"]), column["column_values"]
        known = {each.id for each in BOARDS[board_id][1]}
        if name not in known:
            raise refused("Column not found", "InvalidColumnIdException", column_id=name)
        wanted = [str(each) for each in values] if isinstance(values, list) else []
        if name == "email":
            return set(self._now.boards.with_email(board_id, wanted))
        items = self._now.boards.items(self._now.boards.board_items(board_id))
        return {each.id for each in items if each.cells.get(name) in wanted}


class BoardNode:
    """A board."""

    def __init__(self, now: Conversation, board_id: str) -> None:
        self._now = now
        self.id = board_id
        self.name = BOARDS[board_id][0]
        self.state = "active"

    def columns(self, _info: GraphQLResolveInfo, ids: Sequence[str] | None = None) -> list[Json]:
        columns = BOARDS[self.id][1]
        return [column_json(each) for each in columns if ids is None or each.id in ids]

    def items_count(self, _info: GraphQLResolveInfo) -> int:
        return len(self._now.boards.board_items(self.id))

    def items_page(
        self,
        _info: GraphQLResolveInfo,
        *,
        limit: int,
        cursor: str | None = None,
        query_params: Json | None = None,
    ) -> Json:
        if cursor:
            return page_after(self._now, cursor, limit)
        rules = (query_params or {}).get("rules")
        found = self._now.boards.board_items(self.id)
        wanted = (query_params or {}).get("ids")
        if isinstance(wanted, list):
            found = [each for each in found if str(each) in wanted]
        for rule in rules if isinstance(rules, list) else []:
            kept = self._ruled(rule)
            found = [each for each in found if each in kept]
        return page_of(self._now, found, 0, limit)

    def _ruled(self, rule: Json) -> set[int]:
        if rule["operator"] not in ("any_of", "contains_text"):
            raise refused("This double knows no such rule", "InvalidArgumentException")
        column = next((c for c in BOARDS[self.id][1] if c.id == rule["column_id"]), None)
        if column is None:
            raise refused(
                "Column not found", "InvalidColumnIdException", column_id=rule["column_id"]
            )
        value = rule["compare_value"]
        if rule["operator"] == "any_of" and not isinstance(value, list):
            raise refused("compare_value must be an array", "InvalidArgumentException")
        if column.type == "board_relation":
            return set(self._now.boards.linking(column.id, _numbers(value)))
        items = self._now.boards.items(self._now.boards.board_items(self.id))
        if rule["operator"] == "contains_text":
            part = str(value).lower()
            return {each.id for each in items if part in each.cells.get(column.id, "").lower()}
        wanted = value if isinstance(value, list) else [value]
        return {each.id for each in items if each.cells.get(column.id) in wanted}


class ItemNode:
    """An item."""

    def __init__(self, now: Conversation, item: Item) -> None:
        self._now = now
        self._item = item
        self.id = str(item.id)
        self.name = item.name
        self.state = item.state
        self.updated_at = item.updated_at
        self.url = f"https://sandbox.monday.com/boards/{item.board}/pulses/{item.id}"
        self.group: Json = {"id": "topics", "title": "All"}

    def board(self, _info: GraphQLResolveInfo) -> BoardNode:
        return BoardNode(self._now, self._item.board)

    def column_values(
        self, _info: GraphQLResolveInfo, ids: Sequence[str] | None = None
    ) -> list[Json]:
        cells = self._now.boards.cells(self._item, ids)
        return [self._cell(each) for each in cells]

    def linked_items(
        self, _info: GraphQLResolveInfo, *, link_to_item_column_id: str, linked_board_id: str
    ) -> list["ItemNode"]:
        columns = {each.id for each in BOARDS[self._item.board][1]}
        if link_to_item_column_id not in columns:
            raise refused(
                "Column not found", "InvalidColumnIdException", column_id=link_to_item_column_id
            )
        linked = self._now.boards.linked(self._item.id, link_to_item_column_id)
        found = self._now.boards.items(linked)
        return [ItemNode(self._now, each) for each in found if each.board == linked_board_id]

    def updates(self, _info: GraphQLResolveInfo, *, limit: int = 25, page: int = 1) -> list[Json]:
        boards = self._now.boards
        found = boards.updates(self._item.id, limit, page)
        return [{**each, "replies": boards.replies(int(str(each["id"])))} for each in found]

    def _cell(self, cell: Json) -> Json:
        if cell["id"] != self._now.broken_column:
            linked = cell.get("linked_items")
            items = linked if isinstance(linked, list) else []
            return {**cell, "linked_items": [ItemNode(self._now, each) for each in items]}

        def broken(_info: GraphQLResolveInfo) -> str:
            raise refused("The column could not be read", "ColumnValueException")

        return {**cell, "text": broken}


def page_of(now: Conversation, ids: Sequence[int], start: int, limit: int) -> Json:
    """Return a page of these items with the cursor of the next one."""
    if not 1 <= limit <= _MOST_PER_PAGE:
        raise refused("limit must be from 1 to 500", "InvalidArgumentException")
    found = now.boards.items(ids[start : start + limit])
    further = start + limit < len(ids)
    place = {"ids": list(ids), "start": start + limit, "until": time.time() + now.cursor_seconds}
    cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode() if further else None
    return {"cursor": cursor, "items": [ItemNode(now, each) for each in found]}


def page_after(now: Conversation, cursor: str, limit: int) -> Json:
    """Return the page a cursor stands for; cursors are opaque and expire."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor))
    except ValueError as error:
        raise refused("The cursor is malformed", "InvalidArgumentException") from error
    if time.time() > place["until"] or now.cursor_expired():
        raise refused(
            "CursorExpiredError: The cursor provided for pagination has expired.",
            "CursorException",
        )
    return page_of(now, place["ids"], place["start"], limit)


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """Return the double's own schema."""
    return build_schema((files(__package__) / "schema.graphql").read_text("utf-8"))


@lru_cache(maxsize=64)
def _checked(text: str) -> DocumentNode | tuple[GraphQLError, ...]:
    """Parse and validate once per text: clients send the same few documents for ever."""
    try:
        document = parse(text)
    except GraphQLError as error:
        error.extensions = {"code": "PARSE_ERROR", "status_code": 200}
        return (error,)
    errors = validate(schema(), document)
    for each in errors:
        each.extensions = {"code": "GRAPHQL_VALIDATION_FAILED", "status_code": 200}
    return tuple(errors) if errors else document


def run(now: Conversation, text: str, variables: Json) -> ExecutionResult:
    """Execute a document."""
    document = _checked(text)
    if isinstance(document, tuple):
        return ExecutionResult(data=None, errors=list(document))
    return execute_sync(schema(), document, root_value=Root(now), variable_values=variables)


def _numbers(values: object) -> list[int]:
    return [int(each) for each in values if str(each).isdigit()] if isinstance(values, list) else []
