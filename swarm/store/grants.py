"""The rights of ``roles``, laid down in a database and compared with what is there.

After every migration the difference is mended, and only that, so that laying down again changes
nothing. A database with one login for everything has no roles: there only the login is noted whose
writing is the services' own. What lives elsewhere: which rights (``roles``), making the roles
(``role_setup``), who wrote what (``writers``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, tuple_row

from swarm.store.roles import (
    FUNCTIONS,
    OTHER_TABLES,
    REWRITE,
    SCHEMA,
    SCHEMAS,
    SEQUENCES,
    SERVICES,
    TABLES,
    Role,
    rights_on,
)

AnyConnection: TypeAlias = psycopg.Connection[DictRow] | psycopg.Connection
# A row of the catalogue: its values are the database's business.
Values: TypeAlias = Sequence[Any] | Mapping[str, Any]

_OWNER = """
SELECT pg_get_userbyid(relowner)::text FROM pg_class
 WHERE oid = to_regclass('swarm.service_writers')
"""

_RELATIONS = """
SELECT n.nspname::text, c.relname::text, c.relkind::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'S')
   AND pg_get_userbyid(c.relowner) = %s
"""

_RELATION_RIGHTS = """
SELECT n.nspname::text, c.relname::text, '' AS named, a.grantee, a.privilege_type
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL aclexplode(c.relacl) a
 WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'S')
   AND pg_get_userbyid(c.relowner) = %(owner)s AND a.grantee <> c.relowner
 UNION ALL
SELECT n.nspname::text, c.relname::text, t.attname::text, a.grantee, a.privilege_type
  FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL aclexplode(t.attacl) a
 WHERE n.nspname = ANY(%(schemas)s) AND pg_get_userbyid(c.relowner) = %(owner)s
   AND a.grantee <> c.relowner
"""

_FUNCTIONS = """
SELECT p.proname::text, pg_get_function_identity_arguments(p.oid), a.grantee
  FROM pg_proc p
  LEFT JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    ON a.grantee <> p.proowner
 WHERE p.pronamespace = to_regnamespace('swarm') AND p.prosecdef
"""

_SCHEMA_RIGHTS = """
SELECT n.nspname::text, a.grantee, a.privilege_type
  FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a
 WHERE n.nspname = ANY(%s) AND a.grantee <> n.nspowner
"""

_NOTE_WRITER = """
INSERT INTO swarm.service_writers (writer) VALUES (%s)
ON CONFLICT (writer) DO UPDATE SET since = clock_timestamp(), until = NULL
 WHERE service_writers.until IS NOT NULL
"""

_NO_LONGER = """
UPDATE swarm.service_writers SET until = clock_timestamp()
 WHERE until IS NULL AND writer <> ALL(%s)
"""

_EVERYBODY = "PUBLIC"
_KNOWS_REWRITE = 170000


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One right of one role on one thing, as GRANT spells it; ``column`` may be empty."""

    kind: str
    schema: str
    name: str
    column: str
    grantee: str
    privilege: str
    signature: str = ""

    def __str__(self) -> str:
        """Say it."""
        column = f" ({self.column})" if self.column else ""
        return f"{self.grantee}: {self.privilege}{column} on {self.schema}.{self.name}".rstrip(".")

    def statement(self, *, give: bool) -> sql.Composed:
        """Return GRANT or REVOKE."""
        column = (
            sql.SQL(" ({})").format(sql.Identifier(self.column)) if self.column else sql.SQL("")
        )
        to = sql.SQL("PUBLIC") if self.grantee == _EVERYBODY else sql.Identifier(self.grantee)
        verb, towards = ("GRANT", "TO") if give else ("REVOKE", "FROM")
        return sql.SQL("{} {}{} ON {} {} {} {}").format(
            sql.SQL(verb), sql.SQL(self.privilege), column, sql.SQL(self.kind), self._thing(),
            sql.SQL(towards), to,
        )  # fmt: skip

    def _thing(self) -> sql.Composable:
        if self.kind == "SCHEMA":
            return sql.Identifier(self.schema)
        named = sql.Identifier(self.schema, self.name)
        if self.kind != "FUNCTION":
            return named
        return sql.SQL("{}({})").format(named, sql.SQL(self.signature))


@dataclass(frozen=True, slots=True)
class Difference:
    """What is missing and what is too much."""

    missing: tuple[Right, ...]
    extra: tuple[Right, ...]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.missing or self.extra)


def has_roles(connection: AnyConnection) -> bool:
    """Whether this database belongs to the owner's role, and so has roles to keep apart."""
    return _first(connection, _OWNER) == Role.OWNER


def apply(connection: AnyConnection) -> None:
    """Lay down the rights; with one login for everything, note that login as the services'."""
    if _first(connection, _OWNER) is None:
        return  # a schema from before the writers
    writers: Iterable[str] = SERVICES
    if has_roles(connection):
        found = difference(connection)
        for right in found.extra:
            connection.execute(right.statement(give=False))
        for right in found.missing:
            connection.execute(right.statement(give=True))
    else:
        writers = (str(_first(connection, "SELECT session_user::text")),)
    for writer in writers:
        connection.execute(_NOTE_WRITER, (str(writer),))
    connection.execute(_NO_LONGER, ([str(writer) for writer in writers],))


def difference(connection: AnyConnection) -> Difference:
    """Compare the rights that are there with those of ``roles``, whoever was given them.

    A role that a release added and nobody has made yet wants nothing: ``role_setup`` names it.
    """
    known = _names_of_roles(connection).values()
    wanted = {right for right in _wanted(connection) if right.grantee in known}
    there = set(_there(connection))
    if connection.info.server_version < _KNOWS_REWRITE:
        wanted = {right for right in wanted if right.privilege != REWRITE}
    return Difference(tuple(sorted(wanted - there)), tuple(sorted(there - wanted)))


def unnamed_tables(connection: AnyConnection) -> tuple[str, ...]:
    """Return the tables of our schema that ``roles`` does not name."""
    rows = _rows(connection, _RELATIONS, ([SCHEMA], _first(connection, _OWNER)))
    return tuple(sorted(name for _, name, kind in rows if kind != "S" and name not in TABLES))


def _wanted(connection: AnyConnection) -> Iterator[Right]:
    schemas = [SCHEMA, *OTHER_TABLES]
    for schema, name, kind in _rows(connection, _RELATIONS, (schemas, Role.OWNER)):
        if kind == "S":
            rights = SEQUENCES if schema in OTHER_TABLES else frozenset()
        else:
            rights = rights_on(name) if schema == SCHEMA else OTHER_TABLES[schema]
        for column, role, privilege in rights:
            yield Right(_KINDS[kind], schema, name, column, role.value, privilege)
    for name, signature in {(n, s) for n, s, _ in _rows(connection, _FUNCTIONS)}:
        for role in FUNCTIONS.get(name, ()):
            yield Right("FUNCTION", SCHEMA, name, "", role.value, "EXECUTE", signature)
    for schema, roles in SCHEMAS.items():
        for role in roles:
            yield Right("SCHEMA", schema, "", "", role.value, "USAGE")


def _there(connection: AnyConnection) -> Iterator[Right]:
    named = _names_of_roles(connection)
    schemas = [SCHEMA, *OTHER_TABLES]
    kinds = {
        (schema, name): _KINDS[kind]
        for schema, name, kind in _rows(connection, _RELATIONS, (schemas, Role.OWNER))
    }
    values = {"schemas": schemas, "owner": Role.OWNER.value}
    for schema, name, column, grantee, privilege in _rows(connection, _RELATION_RIGHTS, values):
        yield Right(kinds[schema, name], schema, name, column, named[grantee], privilege)
    for name, signature, grantee in _rows(connection, _FUNCTIONS):
        if grantee is not None:
            yield Right("FUNCTION", SCHEMA, name, "", named[grantee], "EXECUTE", signature)
    for schema, grantee, privilege in _rows(connection, _SCHEMA_RIGHTS, (list(SCHEMAS),)):
        yield Right("SCHEMA", schema, "", "", named[grantee], privilege)


_KINDS: Mapping[str, str] = {"r": "TABLE", "p": "TABLE", "S": "SEQUENCE"}


def _names_of_roles(connection: AnyConnection) -> dict[int, str]:
    rows = _rows(connection, "SELECT oid, rolname::text FROM pg_roles")
    return {0: _EVERYBODY, **{int(oid): str(name) for oid, name in rows}}


def _first(connection: AnyConnection, question: str) -> object:
    rows = _rows(connection, question)
    return rows[0][0] if rows else None


def _rows(
    connection: AnyConnection, question: str, values: Values | None = None
) -> list[tuple[Any, ...]]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(question.encode(), values).fetchall()
