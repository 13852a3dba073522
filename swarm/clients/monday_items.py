"""monday's item JSON and its way into our nouns: the one place that knows monday's field names."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from swarm.models import CrmField, CrmItem, CrmUpdate


class _Monday(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Named(_Monday):
    name: str = ""


class _Identified(_Monday):
    id: str


class _Title(_Monday):
    title: str = ""


class ColumnValue(_Monday):
    """One cell. Which of the typed parts are there depends on the column's type."""

    id: str
    type: str = ""
    text: str | None = None
    column: _Title = _Title()
    email: str | None = None
    label: str | None = None
    display_value: str | None = None
    linked_item_ids: tuple[str, ...] = ()

    def shown(self) -> str:
        """Return what a person sees: relations and mirrors have no ``text`` since 2025-04."""
        return self.text or self.display_value or self.label or self.email or ""


class MondayItem(_Monday):
    """An item with its cells."""

    id: str
    name: str = ""
    state: str | None = None
    url: str = ""
    updated_at: datetime | None = None
    board: _Identified | None = None
    column_values: tuple[ColumnValue, ...] = ()

    @property
    def active(self) -> bool:
        """Whether it is neither archived nor deleted."""
        return self.state in (None, "active")

    def cell(self, column_id: str) -> ColumnValue | None:
        """Return the cell of a column, if the item has it."""
        return next((cell for cell in self.column_values if cell.id == column_id), None)

    def linked_to(self, column_id: str) -> frozenset[str]:
        """Return the item ids a connect-boards column links to."""
        cell = self.cell(column_id)
        return frozenset(cell.linked_item_ids) if cell else frozenset()


class ItemsPage(_Monday):
    """A page of items; ``cursor`` is None at the end."""

    cursor: str | None = None
    items: tuple[MondayItem, ...]


class FirstContacts(_Monday):
    """Data of ``contacts_by_email``."""

    page: ItemsPage = Field(alias="items_page_by_column_values")


class NextItems(_Monday):
    """Data of ``next_items``."""

    page: ItemsPage = Field(alias="next_items_page")


class _Linking(_Monday):
    id: str
    linked_items: tuple[MondayItem, ...]


class _DealsBoard(_Monday):
    id: str
    page: ItemsPage = Field(alias="items_page")


class Deals(_Monday):
    """Data of ``deals_of_contacts``; a direction that was not asked for is missing."""

    items: tuple[_Linking, ...] = ()
    boards: tuple[_DealsBoard, ...] = ()


class _Reply(_Monday):
    id: str
    text_body: str | None = None
    created_at: datetime | None = None
    creator: _Named | None = None


class _Update(_Reply):
    replies: tuple[_Reply, ...] = ()


class _Updated(_Monday):
    id: str
    updates: tuple[_Update, ...]


class UpdatesAnswer(_Monday):
    """Data of ``updates_of_items``."""

    items: tuple[_Updated, ...]


class _Column(_Monday):
    id: str
    title: str = ""
    type: str
    archived: bool = False


class Board(_Monday):
    """A board with its columns."""

    id: str
    name: str = ""
    columns: tuple[_Column, ...]

    def kind_of(self, column_id: str) -> str | None:
        """Return the type of a column that is not archived; None when there is none."""
        usable = (each for each in self.columns if each.id == column_id and not each.archived)
        return next((column.type for column in usable), None)


class BoardsAnswer(_Monday):
    """Data of ``board_columns``; ``[]`` means no access, which monday does not call an error."""

    boards: tuple[Board, ...]


class _Account(_Monday):
    slug: str = ""
    tier: str | None = None


class _Me(_Monday):
    id: str
    account: _Account


class _Version(_Monday):
    kind: str
    value: str


class AccountAnswer(_Monday):
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
    """Return updates and their replies as nouns, newest first."""
    flat = [
        _crm_update(entry, item.id)
        for item in updates.items
        for update in item.updates
        for entry in (update, *update.replies)
    ]
    return tuple(sorted(flat, key=_age_key, reverse=True))


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
