"""Making the roles of ``roles``: the SQL an administrator runs once, and what is wrong with them.

The embedded server's keeper runs the same SQL at every start; it changes what is not as it should
be and nothing else, and hands the tables of a home from before the roles to their owner. What lives
elsewhere: rights on tables (``grants``), where passwords are kept (``swarm.installation.logins``).
"""

from collections.abc import Iterator, Mapping
from typing import Final

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from swarm.store.grants import AnyConnection, difference, has_roles, unnamed_tables
from swarm.store.roles import Role

_NAMES = ", ".join(f"'{role.value}'" for role in Role)
_OTHERS = ", ".join(role.value for role in Role if role is not Role.OWNER)

SCRIPT: Final = f"""
-- The logins. They are members of nothing and may nothing but what is granted below and by the
-- migrations (swarm/store/roles.py).
DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[{_NAMES}] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT', wanted);
        END IF;
    END LOOP;
END $$;
ALTER ROLE swarm_reader SET default_transaction_read_only = on;
ALTER ROLE swarm_desk SET default_transaction_read_only = on;
ALTER ROLE swarm_reader SET search_path = swarm, public;

-- Nobody else comes in, and nobody but the owner makes anything, not even for a moment.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO {_OTHERS}', current_database());
    EXECUTE format('GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %I TO swarm_owner',
                   current_database());
END $$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO swarm_owner;

-- What is there already goes to the owner: our tables, the graphs', Dagster's.
DO $$
DECLARE statement text;
BEGIN
    FOR statement IN
        SELECT format('ALTER SCHEMA %I OWNER TO swarm_owner', nspname) FROM pg_namespace
         WHERE nspname IN ('swarm', 'langgraph') AND pg_get_userbyid(nspowner) <> 'swarm_owner'
        UNION ALL
        SELECT format('ALTER %s %s OWNER TO swarm_owner',
                      CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass)
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'S') AND pg_get_userbyid(c.relowner) <> 'swarm_owner'
           AND (n.nspname IN ('swarm', 'langgraph') OR (n.nspname = 'public' AND c.relowner =
                (SELECT relowner FROM pg_class WHERE oid = to_regclass('public.event_logs'))))
           AND NOT EXISTS (SELECT 1 FROM pg_depend d  -- a column's own goes with its table
                            WHERE d.objid = c.oid AND d.deptype IN ('a', 'i', 'e')
                              AND c.relkind = 'S')
        UNION ALL
        SELECT format('ALTER FUNCTION %s OWNER TO swarm_owner', p.oid::regprocedure)
          FROM pg_proc p
         WHERE p.pronamespace = to_regnamespace('swarm')
           AND pg_get_userbyid(p.proowner) <> 'swarm_owner'
    LOOP
        EXECUTE statement;
    END LOOP;
END $$;

-- Large objects are nobody's here. Where only the server's owner may say so, it stays as it is.
DO $$
BEGIN
    REVOKE EXECUTE ON FUNCTION lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea)
      FROM PUBLIC;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'every login may still make large objects';
END $$;
"""

_ATTRIBUTES = """
SELECT wanted, r.rolname IS NOT NULL, coalesce(rolsuper, false), coalesce(rolcreaterole, false),
       coalesce(rolcreatedb, false), coalesce(rolreplication, false),
       coalesce(rolbypassrls, false), coalesce(rolcanlogin, true),
       EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid)
  FROM unnest(%s::text[]) AS wanted LEFT JOIN pg_roles r ON r.rolname = wanted
"""

_FAULTS: Final = (
    "is missing",
    "is a superuser",
    "may make roles",
    "may make databases",
    "may replicate",
    "passes row security",
    "may not log in",
    "is a member of another role",
)

_STRANGERS_TABLES = """
SELECT c.relname::text || ' belongs to ' || pg_get_userbyid(c.relowner)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('swarm', 'langgraph') AND c.relkind IN ('r', 'p')
   AND pg_get_userbyid(c.relowner) <> %s
 ORDER BY 1
"""

_MAKERS = """
SELECT role || ' may make ' || what FROM unnest(%s::text[]) AS role CROSS JOIN LATERAL (VALUES
       ('temporary tables', has_database_privilege(role, current_database(), 'TEMPORARY')),
       ('schemas', has_database_privilege(role, current_database(), 'CREATE')),
       ('tables in public', has_schema_privilege(role, 'public', 'CREATE'))) AS made (what, may)
 WHERE may ORDER BY 1
"""


def make(connection: psycopg.Connection, passwords: Mapping[str, str]) -> None:
    """Make the roles in this database with these passwords; the connection is an administrator's.

    A password is hashed here: neither the server nor its log sees it.
    """
    with connection.transaction():
        connection.execute(SCRIPT.encode())
        for role in Role:
            hashed = connection.pgconn.encrypt_password(
                passwords[role].encode(), role.encode(), b"scram-sha-256"
            )
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(hashed.decode())
                )
            )


def script_for_people() -> str:
    """Return the SQL an administrator runs once, with placeholders for the passwords."""
    lines = (f"ALTER ROLE {role.value} PASSWORD 'a password of its own';" for role in Role)
    return SCRIPT.lstrip() + "\n".join(("", "-- Choose these.", *lines, ""))


def problems(connection: AnyConnection) -> tuple[str, ...]:
    """Return why it is not proven that only the services write; empty: Postgres sees to it."""
    if not has_roles(connection):
        return ("one login does everything: `swarm database roles` says how to part them",)
    return tuple(_problems(connection))


def _problems(connection: AnyConnection) -> Iterator[str]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        roles = [role.value for role in Role]
        for name, there, *faults in cursor.execute(_ATTRIBUTES, (roles,)).fetchall():
            *rights, logs_in, member = faults
            found = (not there, *rights, not logs_in, member)
            yield from (f"{name} {said}" for said, bad in zip(_FAULTS, found, strict=True) if bad)
            if not there:
                return
        for (said,) in cursor.execute(_STRANGERS_TABLES, (Role.OWNER.value,)).fetchall():
            yield said
        others = [role.value for role in Role if role is not Role.OWNER]
        for (said,) in cursor.execute(_MAKERS, (others,)).fetchall():
            yield said
        (login,) = cursor.execute("SELECT session_user::text").fetchone() or ("",)
        if login not in roles:
            yield f"this program logs in as {login}, which is none of the roles"
    yield from (
        f"nobody was told who may use the table {name}" for name in unnamed_tables(connection)
    )
    found_rights = difference(connection)
    yield from (f"missing: {right}" for right in found_rights.missing)
    yield from (f"too much: {right}" for right in found_rights.extra)
