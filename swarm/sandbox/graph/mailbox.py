"""Mailboxes in SQLite: folders, messages, moves, the change log that delta reads.

Ids behave as Exchange's: the immutable id stays for ever, the ordinary (REST) id is a new one after
each move. What a client may see of a message is decided in ``rendering``.
"""

import base64
import json
import secrets
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from swarm.sandbox.state import Json, State, dumps, token

FOLDERS = {
    "inbox": "Inbox",
    "drafts": "Drafts",
    "sentitems": "Sent Items",
    "deleteditems": "Deleted Items",
    "junkemail": "Junk Email",
    "archive": "Archive",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One row; ``content`` holds what has no column of its own, in Graph's names."""

    pk: int
    mailbox: str
    immutable_id: str
    rest_id: str
    folder: str
    conversation_id: str
    internet_message_id: str
    received: str
    is_draft: bool
    content: Json

    def texts(self, name: str) -> list[Json]:
        """Return a list-valued part of the content (recipients, headers, attachments)."""
        value = self.content.get(name)
        return value if isinstance(value, list) else []


def graph_time(moment: datetime | None = None) -> str:
    """Return a moment (default now) as Graph writes it; sorts as text."""
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def recipient(address: str, name: str = "") -> Json:
    """Return a Graph recipient."""
    return {"emailAddress": {"name": name or address, "address": address}}


def address_of(value: object) -> str:
    """Return the address of a Graph recipient, lower-cased; '' when there is none."""
    email = value.get("emailAddress") if isinstance(value, dict) else None
    return str(email.get("address") or "").lower() if isinstance(email, dict) else ""


def new_conversation_id() -> str:
    """Return an id with ``+``, ``/`` and ``=`` in it, as Exchange's have."""
    return "AAQk" + base64.b64encode(secrets.token_bytes(31) + b"\xfb").decode()


class Mailboxes:
    """All mailboxes of the sandbox."""

    def __init__(self, state: State) -> None:
        self._state = state

    def folder_id(self, mailbox: str, name: str) -> str:
        """Return the id of a well-known folder, making the mailbox's folders on first use."""
        found = self._state.row(
            "SELECT id FROM folders WHERE mailbox = ? AND name = ?", mailbox.lower(), name
        )
        if found:
            return str(found["id"])
        with self._state.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO folders (id, mailbox, name, display) VALUES (?, ?, ?, ?)",
                [(token("AAMkF"), mailbox.lower(), key, title) for key, title in FOLDERS.items()],
            )
        return self.folder_id(mailbox, name)

    def folders(self, mailbox: str) -> list[sqlite3.Row]:
        """Return the folders of a mailbox with their item counts."""
        self.folder_id(mailbox, "inbox")
        return self._state.rows(
            "SELECT f.id, f.name, f.display, count(m.pk) AS items FROM folders f"
            " LEFT JOIN messages m ON m.folder = f.id WHERE f.mailbox = ? GROUP BY f.id",
            mailbox.lower(),
        )

    def folder_name(self, folder: str) -> str:
        """Return the well-known name of a folder id."""
        found = self._state.row("SELECT name FROM folders WHERE id = ?", folder)
        return str(found["name"]) if found else folder

    def add(
        self,
        mailbox: str,
        folder: str,
        content: Json,
        *,
        is_draft: bool = False,
        conversation_id: str | None = None,
        internet_message_id: str | None = None,
        received: str | None = None,
    ) -> Message:
        """Store a new message in a well-known folder and log it as created there."""
        now = graph_time()
        received = received or now
        content = {
            "createdDateTime": received,
            "sentDateTime": received,
            "lastModifiedDateTime": now,
            "isRead": False,
            "storedAt": time.time(),  # to the fraction; Graph's own times end at the second
            **content,
            "changeKey": token("CQ", 12),
        }
        folder_id = self.folder_id(mailbox, folder)
        immutable = token("AAkALg", 33)
        internet_id = internet_message_id or f"<{secrets.token_hex(12)}@example.com>"
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO messages (mailbox, immutable_id, rest_id, folder, conversation_id,"
                " internet_message_id, received, is_draft, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    mailbox.lower(),
                    immutable,
                    token("AAMkAG", 45),
                    folder_id,
                    conversation_id or new_conversation_id(),
                    internet_id,
                    received,
                    int(is_draft),
                    dumps(content),
                ),
            )
            self._log(connection, folder_id, immutable, "created")
        return self._required(mailbox, immutable)

    def get(self, mailbox: str, message_id: str) -> Message | None:
        """Return a message by either kind of id; ids are case-sensitive."""
        found = self._state.row(
            "SELECT * FROM messages WHERE immutable_id = ? AND mailbox = ?"
            " UNION ALL SELECT * FROM messages WHERE rest_id = ? AND mailbox = ?",
            message_id,
            mailbox.lower(),
            message_id,
            mailbox.lower(),
        )
        return message_of(found) if found else None

    def find(self, mailbox: str, where: str, values: list[object], limit: int) -> list[Message]:
        """Return messages of a mailbox that satisfy an SQL condition, newest first."""
        found = self._state.rows(
            f"SELECT * FROM messages m WHERE mailbox = ? AND {where} ORDER BY pk DESC LIMIT ?",
            mailbox.lower(),
            *values,
            limit,
        )
        return [message_of(each) for each in found]

    def change(self, message: Message, content: Json, *, is_draft: bool | None = None) -> Message:
        """Change parts of the content; gives a new change key."""
        merged = {
            **message.content,
            **content,
            "lastModifiedDateTime": graph_time(),
            "changeKey": token("CQ", 12),
        }
        draft = message.is_draft if is_draft is None else is_draft
        with self._state.transaction() as connection:
            connection.execute(
                "UPDATE messages SET body = ?, is_draft = ? WHERE pk = ?",
                (dumps(merged), int(draft), message.pk),
            )
            self._log(connection, message.folder, message.immutable_id, "updated")
        return self._required(message.mailbox, message.immutable_id)

    def move(self, message: Message, folder: str) -> Message:
        """Move to a well-known folder: the immutable id stays, the ordinary one is new."""
        target = self.folder_id(message.mailbox, folder)
        with self._state.transaction() as connection:
            connection.execute(
                "UPDATE messages SET folder = ?, rest_id = ? WHERE pk = ?",
                (target, token("AAMkAG", 45), message.pk),
            )
            self._log(connection, message.folder, message.immutable_id, "changed")
            self._log(connection, target, message.immutable_id, "created")
        return self._required(message.mailbox, message.immutable_id)

    def hide(self, message: Message, until: float) -> None:
        """Let nobody see a message until a moment: it is on its way."""
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO transit (message, mailbox, due_at) VALUES (?, ?, ?)",
                (message.pk, message.mailbox, until),
            )
            connection.execute("UPDATE messages SET mailbox = '' WHERE pk = ?", (message.pk,))

    def arrive(self, *, all_of_it: bool = False) -> None:
        """Show what has arrived by now; every question to a mailbox comes after this."""
        until = 1e18 if all_of_it else time.time()
        due = self._state.rows("SELECT * FROM transit WHERE due_at <= ?", until)
        for row in due:
            with self._state.transaction() as connection:
                connection.execute(
                    "UPDATE messages SET mailbox = ? WHERE pk = ?", (row["mailbox"], row["message"])
                )
                connection.execute("DELETE FROM transit WHERE message = ?", (row["message"],))

    def purge(self, message: Message) -> None:
        """Delete for good."""
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM properties WHERE message = ?", (message.pk,))
            connection.execute("DELETE FROM messages WHERE pk = ?", (message.pk,))
            self._log(connection, message.folder, message.immutable_id, "deleted")

    def set_properties(self, message: Message, properties: list[Json]) -> None:
        """Set single-value extended properties."""
        with self._state.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO properties (message, name, value) VALUES (?, ?, ?)",
                [(message.pk, str(each["id"]), str(each["value"])) for each in properties],
            )

    def properties(self, message: Message) -> dict[str, str]:
        """Return the extended properties of a message, by id."""
        found = self._state.rows("SELECT name, value FROM properties WHERE message = ?", message.pk)
        return {str(each["name"]): str(each["value"]) for each in found}

    def _required(self, mailbox: str, immutable_id: str) -> Message:
        message = self.get(mailbox, immutable_id)
        if message is None:
            raise LookupError("the message that was just written is gone")
        return message

    @staticmethod
    def _log(connection: sqlite3.Connection, folder: str, immutable_id: str, kind: str) -> None:
        connection.execute(
            "INSERT INTO changes (folder, immutable_id, kind) VALUES (?, ?, ?)",
            (folder, immutable_id, kind),
        )


def message_of(row: sqlite3.Row) -> Message:
    """Return a row of ``messages`` as a message."""
    return Message(
        pk=int(row["pk"]),
        mailbox=str(row["mailbox"]),
        immutable_id=str(row["immutable_id"]),
        rest_id=str(row["rest_id"]),
        folder=str(row["folder"]),
        conversation_id=str(row["conversation_id"]),
        internet_message_id=str(row["internet_message_id"]),
        received=str(row["received"]),
        is_draft=bool(row["is_draft"]),
        content=json.loads(row["body"]),
    )
