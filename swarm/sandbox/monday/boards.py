"""Contacts, deals and updates in SQLite, and how one cell looks to GraphQL.

Two boards exist, with fixed columns. ``text`` and ``value`` of relations and mirrors are null, as
monday made them in 2025-04; an empty text cell is '', an empty status null.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from swarm.sandbox.addresses import CONTACTS_BOARD, DEALS_BOARD
from swarm.sandbox.state import Json, State, dumps

FIRST_ITEM = 5_000_001


@dataclass(frozen=True, slots=True)
class Column:
    """A board column: id, title and monday's type."""

    id: str
    title: str
    type: str
    target: str = ""


BOARDS: Mapping[str, tuple[str, tuple[Column, ...]]] = {
    CONTACTS_BOARD: (
        "Contacts",
        (
            Column("email", "E-mail", "email"),
            Column("phone", "Phone", "phone"),
            Column("company", "Company", "text"),
            Column("deals", "Deals", "board_relation", DEALS_BOARD),
            Column("deal_status", "Deal status", "mirror"),
        ),
    ),
    DEALS_BOARD: (
        "Deals",
        (
            Column("status", "Status", "status"),
            Column("delivery_date", "Delivery date", "date"),
            Column("amount", "Amount", "numbers"),
            Column("notes", "Notes", "long_text"),
            Column("deal_contact", "Contact", "board_relation", CONTACTS_BOARD),
        ),
    ),
}
_TYPENAMES = {
    "board_relation": "BoardRelationValue",
    "date": "DateValue",
    "email": "EmailValue",
    "long_text": "LongTextValue",
    "mirror": "MirrorValue",
    "numbers": "NumbersValue",
    "phone": "PhoneValue",
    "status": "StatusValue",
    "text": "TextValue",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One item; ``cells`` are texts by column id."""

    id: int
    board: str
    name: str
    state: str
    updated_at: str
    cells: Mapping[str, str]


def monday_time() -> str:
    """Return now as monday writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Boards:
    """Reads and writes items, links and updates."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add_item(
        self, board: str, name: str, cells: Mapping[str, str], *, state: str = "active"
    ) -> int:
        """Add an item and index its e-mail cell; returns its id."""
        newest = self._state.row("SELECT max(id) AS id FROM items")
        number = int(newest["id"]) + 1 if newest and newest["id"] else FIRST_ITEM
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO items (id, board, name, state, updated_at, cells)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (number, board, name, state, monday_time(), dumps(dict(cells))),
            )
            if cells.get("email"):
                connection.execute(
                    "INSERT INTO item_emails (email, item) VALUES (?, ?)", (cells["email"], number)
                )
        return number

    def link(self, item: int, column: str, target: int) -> None:
        """Connect an item to another through a connect-boards column."""
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO item_links (item, board_column, target) VALUES (?, ?, ?)",
                (item, column, target),
            )

    def add_update(self, item: int, body: str, author: str, parent: int | None = None) -> int:
        """Add an update or a reply to one; returns its id."""
        with self._state.transaction() as connection:
            added = connection.execute(
                "INSERT INTO updates (item, parent, body, author, created_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (item, parent, body, author, monday_time()),
            )
        return int(added.lastrowid or 0)

    def items(self, ids: Sequence[int]) -> list[Item]:
        """Return items by id, in the order of the ids; unknown ids are left out."""
        marks = ",".join("?" * len(ids))
        found = self._state.rows(f"SELECT * FROM items WHERE id IN ({marks})", *ids)
        by_id = {int(row["id"]): _item(row) for row in found}
        return [by_id[each] for each in ids if each in by_id]

    def board_items(self, board: str) -> list[int]:
        """Return the ids of a board's active items."""
        found = self._state.rows(
            "SELECT id FROM items WHERE board = ? AND state = 'active' ORDER BY id", board
        )
        return [int(row["id"]) for row in found]

    def with_email(self, board: str, emails: Sequence[str]) -> list[int]:
        """Return ids of a board's items with one of the addresses (monday ignores case here)."""
        marks = ",".join("?" * len(emails))
        found = self._state.rows(
            "SELECT DISTINCT i.id FROM items i JOIN item_emails e ON e.item = i.id"
            f" WHERE i.board = ? AND e.email IN ({marks}) ORDER BY i.id",
            board,
            *emails,
        )
        return [int(row["id"]) for row in found]

    def linked(self, item: int, column: str) -> list[int]:
        """Return the ids an item links to."""
        found = self._state.rows(
            "SELECT target FROM item_links WHERE item = ? AND board_column = ? ORDER BY target",
            item,
            column,
        )
        return [int(row["target"]) for row in found]

    def linking(self, column: str, targets: Sequence[int]) -> list[int]:
        """Return the ids of items whose column links to one of the targets."""
        marks = ",".join("?" * len(targets))
        found = self._state.rows(
            f"SELECT DISTINCT item FROM item_links WHERE board_column = ? AND target IN ({marks})"
            " ORDER BY item",
            column,
            *targets,
        )
        return [int(row["item"]) for row in found]

    def updates(self, item: int, limit: int, page: int) -> list[Json]:
        """Return a page of an item's updates, newest first, with their replies."""
        found = self._state.rows(
            "SELECT * FROM updates WHERE item = ? AND parent IS NULL ORDER BY id DESC"
            " LIMIT ? OFFSET ?",
            item,
            limit,
            (page - 1) * limit,
        )
        return [_update(dict(row)) for row in found]

    def replies(self, update: int) -> list[Json]:
        """Return the replies to an update."""
        found = self._state.rows("SELECT * FROM updates WHERE parent = ? ORDER BY id", update)
        return [_update(dict(row)) for row in found]

    def cells(self, item: Item, wanted: Sequence[str] | None) -> list[Json]:
        """Return the item's cells as GraphQL values."""
        columns = BOARDS[item.board][1]
        return [self._cell(item, each) for each in columns if wanted is None or each.id in wanted]

    def _cell(self, item: Item, column: Column) -> Json:
        text: str | None = item.cells.get(column.id, "")
        cell: Json = {
            "__typename": _TYPENAMES[column.type],
            "id": column.id,
            "type": column.type,
            "column": column_json(column),
            "value": dumps(text) if text else None,
        }
        if column.type == "board_relation":
            targets = self.items(self.linked(item.id, column.id))
            names = ", ".join(target.name for target in targets)
            linked = [str(target.id) for target in targets]
            return {**cell, "text": None, "value": None, "display_value": names,
                    "linked_item_ids": linked, "linked_items": targets}  # fmt: skip
        if column.type == "mirror":
            deals = self.items(self.linked(item.id, "deals"))
            shown = ", ".join(filter(None, (deal.cells.get("status") for deal in deals)))
            return {**cell, "text": None, "value": None, "display_value": shown}
        if column.type == "status":
            text = text or None
        special = {"email": ("email",), "phone": ("phone",), "date": ("date",)}
        typed = dict.fromkeys((*special.get(column.type, ()), "label"), text)
        number = float(text) if column.type == "numbers" and text else None
        return {**cell, **typed, "text": text, "number": number, "is_done": text == "Delivered"}


def column_json(column: Column) -> Json:
    """Return a column as GraphQL shows it."""
    settings = {"boardIds": [column.target]} if column.target else {}
    return {
        "id": column.id,
        "title": column.title,
        "type": column.type,
        "archived": False,
        "settings": settings,
    }


def _item(found: sqlite3.Row) -> Item:
    return Item(
        id=int(found["id"]),
        board=str(found["board"]),
        name=str(found["name"]),
        state=str(found["state"]),
        updated_at=str(found["updated_at"]),
        cells=json.loads(found["cells"]),
    )


def _update(row: Json) -> Json:
    body = str(row["body"])
    return {
        "id": str(row["id"]),
        "item": row["item"],
        "item_id": str(row["item"]),
        "body": f"<p>{body}</p>",
        "text_body": body,
        "created_at": row["created_at"],
        "updated_at": row["created_at"],
        "creator_id": "1",
        "creator": person(str(row["author"])),
    }


def person(name: str) -> Json:
    """Return a user of the sandbox's account."""
    account = {"id": "1", "name": "Sandbox", "slug": "sandbox", "tier": "standard"}
    return {"id": "1", "name": name, "email": "crm@example.com", "account": account}
