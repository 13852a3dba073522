"""The one SQLite file of the sandbox and its tables. Knows nothing of the services' meaning.

WAL without fsync per commit: a killed process loses nothing committed; a power cut may, and a
sandbox may forget then. One file for all doubles, so that a Zap's draft and the end of its run are
one transaction: a restart never runs a Zap twice by itself.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS folders (
    id TEXT PRIMARY KEY, mailbox TEXT NOT NULL, name TEXT NOT NULL, display TEXT NOT NULL,
    UNIQUE (mailbox, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    pk INTEGER PRIMARY KEY, mailbox TEXT NOT NULL, immutable_id TEXT NOT NULL UNIQUE,
    rest_id TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, conversation_id TEXT NOT NULL,
    internet_message_id TEXT NOT NULL, received TEXT NOT NULL, is_draft INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_conversation ON messages (mailbox, conversation_id);
CREATE INDEX IF NOT EXISTS messages_folder ON messages (folder, received);
CREATE INDEX IF NOT EXISTS messages_internet_id ON messages (mailbox, internet_message_id);
CREATE TABLE IF NOT EXISTS properties (
    message INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (message, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS properties_value ON properties (name, value COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS transit (
    message INTEGER PRIMARY KEY, mailbox TEXT NOT NULL, due_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, folder TEXT NOT NULL, immutable_id TEXT NOT NULL,
    kind TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS changes_folder ON changes (folder, seq);
CREATE TABLE IF NOT EXISTS items (
    id INTEGER PRIMARY KEY, board TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
    updated_at TEXT NOT NULL, cells TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS items_board ON items (board);
CREATE TABLE IF NOT EXISTS item_emails (
    email TEXT NOT NULL COLLATE NOCASE, item INTEGER NOT NULL, PRIMARY KEY (email, item)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS item_links (
    item INTEGER NOT NULL, board_column TEXT NOT NULL, target INTEGER NOT NULL,
    PRIMARY KEY (item, board_column, target)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_links_target ON item_links (target, board_column);
CREATE TABLE IF NOT EXISTS updates (
    id INTEGER PRIMARY KEY, item INTEGER NOT NULL, parent INTEGER, body TEXT NOT NULL,
    author TEXT NOT NULL, created_at TEXT NOT NULL
); CREATE INDEX IF NOT EXISTS updates_item ON updates (item); CREATE TABLE IF NOT EXISTS
idempotency (key TEXT PRIMARY KEY, at REAL NOT NULL, answer TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, request_id TEXT NOT NULL, hook TEXT NOT NULL, payload TEXT NOT NULL,
    accepted_at REAL NOT NULL, due_at REAL NOT NULL, state TEXT NOT NULL, draft_id TEXT,
    detail TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
CREATE TABLE IF NOT EXISTS model_calls (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, request TEXT NOT NULL, answer TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS model_answers (
    id INTEGER PRIMARY KEY, contains TEXT NOT NULL, content TEXT NOT NULL, remaining INTEGER
);
"""

Json = dict[str, object]


class State:
    """The connection. All handlers run on one event loop; ``transaction`` never spans an await."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(
            directory / "sandbox.sqlite", isolation_level=None, check_same_thread=False
        )
        self.connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 5000"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what happens inside, or nothing of it; may be entered again inside itself."""
        if self.connection.in_transaction:
            yield self.connection
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        return self.connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """Return the first row of a query, if any."""
        found: sqlite3.Row | None = self.connection.execute(sql, values).fetchone()
        return found


def dumps(value: object) -> str:
    """Return compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def token(prefix: str, length: int = 24) -> str:
    """Return a fresh, URL-safe id that starts with ``prefix``."""
    return f"{prefix}{secrets.token_urlsafe(length)}"
