"""Erasing a person's mail for good, from every table and file this installation can reach.

The order makes a kill harmless: tombstones first (nothing of it comes in again), then the words in
logs and the like, the doubles, the lines of files, and in one last transaction Dagster's rows and
ours. What tells whom it is about goes last: until then asking again ends what was begun. Afterwards
everything is searched for what should be gone. What only a person can reach is named
(``elsewhere``). What lives elsewhere: ageing out scratch (``retention``), what is meant
(``erasure_scope``), each kind of place (``erasure_rows``, ``erasure_dagster``, ``erasure_files``),
the search (``erasure_proof``).
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import Field

from swarm.errors import MalformedInputError, RefusedError
from swarm.lifecycle import erasure_files as files
from swarm.lifecycle import erasure_rows as rows
from swarm.lifecycle.erasure_dagster import (
    count_dagster,
    erase_dagster,
    rename_keys,
    unfinished_runs,
)
from swarm.lifecycle.erasure_proof import Found, residues
from swarm.lifecycle.erasure_scope import ErasureScope, find_scope, with_mails_of
from swarm.lifecycle.names import names_one_of
from swarm.models import Noun
from swarm.store import tombstone_rows
from swarm.store.database import Connection, Database

# Dagster's daemon reads the state of all sensors every 5 s and writes each back after its tick.
_LOOK_SECONDS, _QUIET_LOOKS, _MOST_LOOKS = 2.0, 4, 30
_LONG_TABLES = ("event_logs", "asset_check_executions", "asset_event_tags")  # no tick writes there

_BEGUN = """
SELECT e.id FROM erasure e JOIN tombstone t ON t.erasure = e.id
 WHERE e.finished_at IS NULL AND t.hash = ANY(%s) ORDER BY e.id LIMIT 1
"""

_BEGIN = """
INSERT INTO erasure (asked_for, actor, reason) VALUES (%s, %s, %s) RETURNING id
"""

_FINISH = """
UPDATE erasure SET finished_at = now(), work_orders = %(work_orders)s, places = %(places)s
 WHERE id = %(id)s AND finished_at IS NULL
"""

# Other people's work orders, and other work orders of the same person, are not touched: a person
# decides about what they quote. The search at the end adds those it finds elsewhere.
_MENTIONED = """
SELECT DISTINCT work_order_key AS key FROM artifacts
 WHERE lower(body::text) LIKE ANY(%(patterns)s) AND work_order_key <> ALL(%(keys)s)
 UNION SELECT work_order_key FROM history_orders
 WHERE lower(body::text) LIKE ANY(%(patterns)s) AND work_order_key <> ALL(%(keys)s)
 UNION SELECT key FROM work_orders
 WHERE lower(body::text) LIKE ANY(%(patterns)s) AND key <> ALL(%(keys)s)
 UNION SELECT key FROM sorted_out
 WHERE lower(subject) LIKE ANY(%(patterns)s) AND key <> ALL(%(keys)s)
   AND lower(original_id) <> ALL(%(ids)s) AND lower(sender) NOT LIKE ALL(%(patterns)s)
 ORDER BY 1
"""


class Elsewhere(Noun):
    """A place that only a person can reach, and what to search for there."""

    place: str
    search_for: tuple[str, ...]


class Erasure(Noun):
    """What was erased, what is left here, and what a person still has to erase elsewhere."""

    number: int | None = Field(description="In the table erasure; none for a dry run")
    dry_run: bool
    work_orders: tuple[str, ...]
    places: dict[str, int] = Field(description="Table or file -> rows or lines")
    left: dict[str, int] = Field(description="Where a search still found something")
    mentioned_in: tuple[str, ...] = Field(description="Mails that quote or name it, and stay")
    elsewhere: tuple[Elsewhere, ...]


@dataclass(frozen=True, slots=True)
class Eraser:
    """What erasing needs of an installation; ``forget`` erases from the doubles, where used."""

    database: Database
    home: Path
    secret: str
    forget: Callable[[Mapping[str, object]], int] | None = None

    def erase(
        self, name: str, *, actor: str, reason: str, dry_run: bool = False, compact: bool = False
    ) -> Erasure:
        """Erase what a key, an id or an address means; with ``dry_run`` say what it would reach.

        ``compact`` rewrites the tables afterwards, so that no deleted row stays in their files; it
        locks each meanwhile. Raises ``RefusedError`` while a run or a publication is under way, and
        ``MalformedInputError`` when nothing is called so.
        """
        scope = self._scope(name)
        _check_words(scope, actor, reason)
        self._refuse_if_under_way(scope)
        mentioned = self._mentioned(scope)
        if dry_run:
            return self._told(scope, None, self._counted(scope), mentioned)
        number = self._begin(scope, actor, reason)
        places = self._erase_from_tables(scope, number, self._erase_from_files(scope))
        if any(place.startswith("public.") for place in places):
            self._outlast_the_sensors(scope)
        if compact:
            self._compact(places)
        return self._told(scope, number, places, mentioned)

    def _scope(self, name: str) -> ErasureScope:
        with self.database.transaction() as connection:
            scope = find_scope(connection, name, self.secret)
        lines = [path for path, _ in files.line_files(self.home)]
        scope = with_mails_of(scope, [*lines, *files.stream_files(self.home)])
        if not scope.keys and not scope.mails:
            raise MalformedInputError(
                "no work order has this key or id, and no mail came from this address",
                hint="`swarm status` lists the recent ones",
            )
        return scope

    def _refuse_if_under_way(self, scope: ErasureScope) -> None:
        with self.database.transaction() as connection:
            self._check(connection, scope)

    def _check(self, connection: Connection, scope: ErasureScope) -> None:
        against = [
            *rows.objections(connection, scope.keys),
            *unfinished_runs(connection, scope.keys),
            *files.journalled(self.home, scope.keys),
        ]
        if against:
            raise RefusedError("cannot be erased now: " + "; ".join(against))

    def _begin(self, scope: ErasureScope, actor: str, reason: str) -> int:
        """Refuse it from now on, in table and file; goes on with an erasure that was cut short."""
        hashes = scope.hashes(self.secret)
        with self.database.transaction() as connection:
            begun = connection.execute(_BEGUN, (sorted(hashes),)).fetchone()
            if begun is None:
                columns = (scope.asked_for, actor, reason)
                begun = connection.execute(_BEGIN, columns).fetchone() or {}
            tombstone_rows.bury(connection, hashes, begun["id"])
            everything = tombstone_rows.all_tombstones(connection)
        files.write_tombstones(self.home, everything)
        return int(begun["id"])

    def _erase_from_files(self, scope: ErasureScope) -> Counter[str]:
        counts = files.mask_words(self.home, (*scope.needles(), *scope.telling_names()))
        if self.forget is not None:
            counts["sandbox"] += self.forget(scope.whom())
        for path, state in files.line_files(self.home):
            counts[self._named(path)] += files.blank_lines(path, state, scope.about)
        for path, state in files.streams(self.home):
            blanked = files.blank_stream(self.database, path, state, scope.about)
            counts[self._named(path)] += blanked
        return counts

    def _erase_from_tables(
        self, scope: ErasureScope, number: int, so_far: Counter[str]
    ) -> Counter[str]:
        with self.database.transaction() as connection:
            connection.execute("SET LOCAL statement_timeout = 0")
            self._check(connection, scope)
            counts = so_far + erase_dagster(connection, scope.keys)
            counts += rows.erase_rows(connection, scope)
            connection.execute(
                _FINISH,
                {"id": number, "work_orders": len(scope.keys), "places": Jsonb(dict(counts))},
            )
        return counts

    def _outlast_the_sensors(self, scope: ErasureScope) -> None:
        """Look again until no sensor wrote back the state it had read before (its last run key)."""
        quiet, looks = 0, 0
        while quiet < _QUIET_LOOKS and looks < _MOST_LOOKS:
            time.sleep(_LOOK_SECONDS)
            with self.database.transaction() as connection:
                renamed = rename_keys(connection, scope.keys, but=_LONG_TABLES)
            quiet, looks = 0 if renamed else quiet + 1, looks + 1

    def _counted(self, scope: ErasureScope) -> Counter[str]:
        with self.database.transaction() as connection:
            counts = rows.count_rows(connection, scope.keys)
            counts += count_dagster(connection, scope.keys)
        lines = [path for path, _ in files.line_files(self.home)]
        for path in (*lines, *files.stream_files(self.home)):
            counts[self._named(path)] += files.count_lines_about(path, scope.about)
        return +counts

    def _mentioned(self, scope: ErasureScope) -> tuple[str, ...]:
        words = (*scope.needles(), *scope.telling_names())
        values = {"patterns": rows.like_patterns(words), "keys": list(scope.keys)}
        values["ids"] = [mail.id.lower() for mail in scope.mails]
        with self.database.transaction() as connection:
            connection.execute("SET LOCAL statement_timeout = 0")
            return tuple(row["key"] for row in connection.execute(_MENTIONED, values))

    def _compact(self, places: Counter[str]) -> None:
        """Rewrite the tables that lost rows; the write-ahead log forgets as it is reused.

        Raises ``RefusedError`` when the login may not: Postgres only warns and leaves it.
        """
        warned: list[str] = []
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.add_notice_handler(lambda said: warned.append(said.message_primary or ""))
            for place in places:
                schema, _, table = place.partition(".")
                if schema in {"swarm", "langgraph", "public"}:
                    name = sql.Identifier(schema, table)
                    connection.execute(sql.SQL("VACUUM (FULL) {}").format(name))
        if warned:
            raise RefusedError(
                f"erased, but not compacted: {warned[0]}",
                hint="PostgreSQL 17 lets the keeper do it; else VACUUM FULL as the tables' owner",
            )

    def _told(
        self,
        scope: ErasureScope,
        number: int | None,
        places: Counter[str],
        mentioned: tuple[str, ...],
    ) -> Erasure:
        found = residues(self.database, self.home, scope) if number else Found()
        return Erasure(
            number=number,
            dry_run=number is None,
            work_orders=scope.keys,
            places=dict(sorted(places.items())),
            left=dict(sorted(found.left.items())),
            mentioned_in=tuple(sorted({*mentioned, *found.mentioned_in})),
            elsewhere=elsewhere(
                scope, files.unreadable(self.home), doubled=self.forget is not None
            ),
        )

    def _named(self, path: Path) -> str:
        return str(path.relative_to(self.home))


def elsewhere(
    scope: ErasureScope, unread: Sequence[Path], *, doubled: bool
) -> tuple[Elsewhere, ...]:
    """Name what only a person can reach; the doubles were reached by us."""
    senders = {scope.address} if scope.address else {mail.sender for mail in scope.mails}
    people = tuple(sorted(filter(None, senders)))
    mails = tuple(sorted({m.internet_message_id for m in scope.mails if m.internet_message_id}))
    places = [
        ("backups of the database and of SWARM_HOME, and snapshots of their disks", people),
        ("the files that history was imported from, if any", (*people, *mails)),
        ("the database server's own files: its write-ahead log and pages not reused yet", ()),
        *((f"{path}: compressed, nobody looked inside", people) for path in unread),
    ]
    if not doubled:
        places = [
            ("the mailbox: inbox, Deleted Items and Recoverable Items", (*people, *mails)),
            ("the mailbox: Drafts and Sent Items", (*scope.references, *people)),
            ("monday.com: contact, deals and notes; the bin and the activity log", people),
            ("Zapier: the Zap's history", (*scope.keys, *people)),
            ("the chat model's provider, if one is set and keeps what it was asked", people),
            *places,
        ]
    return tuple(Elsewhere(place=place, search_for=words) for place, words in places)


def _check_words(scope: ErasureScope, actor: str, reason: str) -> None:
    """The record stays for ever: it must not name whom it is to forget."""
    if not actor.strip() or not reason.strip():
        raise RefusedError("an erasure needs an actor and a reason")
    people = {mail.sender for mail in scope.mails if mail.sender}
    said = f"{actor} {reason}".lower()
    if any(word in said for word in (*scope.needles(), *people)) or names_one_of(
        said, scope.people
    ):
        raise RefusedError(
            "actor or reason name whom this erasure is to forget, and both are kept",
            hint="name the request instead, for example by its ticket",
        )
