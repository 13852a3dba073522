"""monday's item JSON and its way into our nouns: the one place that knows monday's field names."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from swarm.clients.lenient import Lenient, Moment, each
from swarm.models import CrmField, CrmItem, CrmUpdate


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _readable_ids(value: object) -> object:
    """Numbers are ids too; one that is neither is no id of anybody we ask about."""
    if not isinstance(value, list):
        return None
    return [each for each in value if isinstance(each, str | int) and not isinstance(each, bool)]


def _identified(value: object) -> object:
    """A board that does not say which one it is."""
    return value if isinstance(value, dict) and value.get("id") else None


class _Named(Lenient):
    name: str = ""


class _Identified(Lenient):
    id: str = Field(min_length=1)


class _Title(Lenient):
    title: str = ""


class ColumnValue(_Identified):
    """One cell. Which of the typed parts are there depends on the column's type."""

    type: str = ""
    text: str | None = None
    column: _Title = _Title()
    email: str | None = None
    label: str | None = None
    display_value: str | None = None
    linked_item_ids: Annotated[tuple[str, ...] | None, BeforeValidator(_readable_ids)] = None

    def shown(self) -> str:
        """Return what a person sees: relations and mirrors have no ``text`` since 2025-04."""
        return self.text or self.display_value or self.label or self.email or ""


class MondayItem(_Identified):
    """An item with its cells."""

    name: str = ""
    state: str | None = None
    url: Annotated[str, BeforeValidator(_text)] = ""
    updated_at: Moment = None
    board: Annotated[_Identified | None, BeforeValidator(_identified)] = None
    column_values: Annotated[
        tuple[ColumnValue, ...], each(ColumnValue, "a column, number", part=True)
    ] = ()

    @property
    def active(self) -> bool:
        """Whether it is neither archived nor deleted; a state we do not know hides nothing."""
        return self.state not in ("archived", "deleted")

    def cell(self, column_id: str) -> ColumnValue | None:
        """Return the cell of a column, if the item has it."""
        return next((cell for cell in self.column_values if cell.id == column_id), None)

    def linked_to(self, column_id: str) -> frozenset[str] | None:
        """Return the item ids a connect-boards column links to; None when nobody can tell."""
        cell = self.cell(column_id)
        if cell is None or cell.linked_item_ids is None:
            return None
        return frozenset(cell.linked_item_ids)


class ItemsPage(Lenient):
    """A page of items, each to be read for itself; ``cursor`` is None at the end."""

    cursor: str | None = None
    items: list[object]


class FirstContacts(Lenient):
    """Data of ``contacts_by_email``."""

    page: ItemsPage = Field(alias="items_page_by_column_values")


class NextItems(Lenient):
    """Data of ``next_items``."""

    page: ItemsPage = Field(alias="next_items_page")


class _Linking(_Identified):
    linked_items: list[object]


class _DealsBoard(_Identified):
    page: ItemsPage = Field(alias="items_page")


class Deals(Lenient):
    """Data of ``deals_of_contacts``; a direction that was not asked for is missing."""

    items: Annotated[tuple[_Linking, ...], each(_Linking, "the deals of contact")] | None = None
    boards: Annotated[tuple[_DealsBoard, ...], each(_DealsBoard, "the deals board, answer")] = ()


class _Reply(_Identified):
    text_body: str | None = None
    created_at: Moment = None
    creator: _Named | None = None


class _Update(_Reply):
    replies: Annotated[tuple[_Reply, ...], each(_Reply, "reply")] = ()


class _Updated(_Identified):
    updates: Annotated[tuple[_Update, ...], each(_Update, "note")]


class UpdatesAnswer(Lenient):
    """Data of ``updates_of_items``."""

    items: Annotated[tuple[_Updated, ...], each(_Updated, "the notes of item")]


class _Column(_Identified):
    title: str = ""
    type: str
    archived: bool = False


class Board(_Identified):
    """A board with its columns."""

    name: str = ""
    columns: Annotated[tuple[_Column, ...], each(_Column, "a column, number")]

    def kind_of(self, column_id: str) -> str | None:
        """Return the type of a column that is not archived; None when there is none."""
        usable = (each for each in self.columns if each.id == column_id and not each.archived)
        return next((column.type for column in usable), None)


class BoardsAnswer(Lenient):
    """Data of ``board_columns``; ``[]`` means no access, which monday does not call an error."""

    boards: Annotated[tuple[Board, ...], each(Board, "board")]


class _Account(Lenient):
    slug: str = ""
    tier: str | None = None


class _Me(_Identified):
    account: _Account


class _Version(Lenient):
    kind: str
    value: str


class AccountAnswer(Lenient):
    """Data of ``health``."""

    me: _Me
    version: _Version


def crm_item(item: MondayItem) -> CrmItem:
    """Return the item as a noun; cells without anything to show are left out."""
    board = item.board.id if item.board else ""
    fields = tuple(
        CrmField(
            item_id=item.id,
            board_id=board,
            column_id=cell.id,
            title=cell.column.title,
            text=cell.shown(),
        )
        for cell in item.column_values
        if cell.shown()
    )
    return CrmItem(
        item_id=item.id,
        board_id=board,
        name=item.name,
        url=item.url,
        updated_at=item.updated_at,
        fields=fields,
    )


def crm_updates(updates: UpdatesAnswer) -> tuple[CrmUpdate, ...]:
    """Return updates and their replies as nouns, each once, newest first."""
    flat = [
        _crm_update(entry, item.id)
        for item in updates.items
        for update in item.updates
        for entry in (update, *update.replies)
    ]
    once = {(entry.item_id, entry.update_id): entry for entry in flat}
    return tuple(sorted(once.values(), key=_age_key, reverse=True))


def _crm_update(entry: _Reply, item_id: str) -> CrmUpdate:
    return CrmUpdate(
        update_id=entry.id,
        item_id=item_id,
        text=(entry.text_body or "").strip(),
        created_at=entry.created_at,
        author=entry.creator.name if entry.creator else "",
    )


def _age_key(update: CrmUpdate) -> tuple[float, str]:
    return (update.created_at.timestamp() if update.created_at else 0.0, update.update_id)
