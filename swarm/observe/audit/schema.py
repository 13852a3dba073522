"""What holds the tables together, looked at again: triggers, functions, constraints, rights.

Which triggers and functions must be there is read from the migrations themselves, so a new one
needs no new list. All else is compared with what the last clean audit found, as long as no
migration came between. Reads only.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from swarm.observe.audit.findings import Violation
from swarm.patterns import linear
from swarm.store import grants, role_setup
from swarm.store.database import Connection
from swarm.store.migrate import scripts

LaidDown = Mapping[str, str]
"""Name of an object -> how it is defined."""

_TRIGGERS = """
SELECT c.relname || '.' || t.tgname AS name, t.tgenabled IN ('O', 'A') AS fires
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE c.relnamespace = 'swarm'::regnamespace AND NOT t.tgisinternal
"""

_FUNCTIONS = """
SELECT proname AS name, prosrc AS source FROM pg_proc WHERE pronamespace = 'swarm'::regnamespace
"""

_WRITABLE_BY_ALL = """
SELECT c.relname AS name, string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS rights
  FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
 WHERE c.relnamespace = 'swarm'::regnamespace AND a.grantee = 0
   AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
 GROUP BY c.relname
"""

# A role or database that switches triggers off, or rewrites statements, leaves the tables as they
# are.
_LAID_DOWN = """
SELECT 'trigger ' || c.relname || '.' || t.tgname AS name,
       pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text AS said
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE c.relnamespace = 'swarm'::regnamespace AND NOT t.tgisinternal
 UNION ALL
SELECT 'function ' || oid::regprocedure::text, md5(prosrc) FROM pg_proc
 WHERE pronamespace = 'swarm'::regnamespace
 UNION ALL
SELECT 'constraint ' || conrelid::regclass::text || '.' || conname,
       pg_get_constraintdef(oid) || CASE WHEN convalidated THEN '' ELSE ' not valid' END
  FROM pg_constraint WHERE connamespace = 'swarm'::regnamespace AND conrelid <> 0
 UNION ALL
SELECT 'unique index ' || i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) || ' '
       || i.indisvalid::text
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
 WHERE c.relnamespace = 'swarm'::regnamespace AND i.indisunique
 UNION ALL
SELECT 'rule ' || tablename || '.' || rulename, md5(definition) FROM pg_rules
 WHERE schemaname = 'swarm'
 UNION ALL
SELECT 'rights on ' || relname, relowner::regrole::text || ' ' || coalesce(relacl::text, '')
       || coalesce((SELECT string_agg(' ' || attname || ' ' || attacl::text, '' ORDER BY attnum)
                      FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL), '')
  FROM pg_class c WHERE relnamespace = 'swarm'::regnamespace AND relkind IN ('r', 'p')
 UNION ALL
SELECT 'rights on function ' || oid::regprocedure::text,
       proowner::regrole::text || ' ' || coalesce(proacl::text, '')
  FROM pg_proc WHERE pronamespace = 'swarm'::regnamespace AND prosecdef
 UNION ALL
SELECT 'settings of ' || coalesce(nullif(setrole, 0)::regrole::text, 'all roles'),
       array_to_string(setconfig, ', ')
  FROM pg_db_role_setting
 WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
 UNION ALL
SELECT 'migration ' || name, sha256 FROM schema_migrations
"""

_TRIGGER: Final = linear(
    r"CREATE (?:OR REPLACE )?TRIGGER\s{1,20}(\w{1,63})\s.{0,400}?\sON\s{1,20}(\w{1,63})", re.DOTALL
)
_NO_TRIGGER: Final = linear(
    r"DROP TRIGGER\s{1,20}(?:IF EXISTS\s{1,20})?(\w{1,63})\s{1,20}ON\s{1,20}(\w{1,63})"
)
_FUNCTION: Final = linear(
    r"CREATE (?:OR REPLACE )?FUNCTION\s{1,20}(\w{1,63})\s{0,20}\(.{0,2000}?AS\s{1,20}"
    r"\$\$(.{0,9000}?)\$\$",
    re.DOTALL,
)


def check(connection: Connection, before: LaidDown | None) -> Iterator[tuple[str, Violation]]:
    """Yield, by object, what is gone, off, replaced, open to all, or not as the roles have it."""
    yield from _triggers(connection)
    yield from _functions(connection)
    if grants.has_roles(connection):
        for problem in role_setup.problems(connection):
            yield "roles", Violation(6, "rights", problem)
    for row in connection.execute(_WRITABLE_BY_ALL):
        yield row["name"], Violation(6, "rights", f"everybody may {row['rights']}")
    if before is not None:
        yield from _since(before, laid_down(connection))


def laid_down(connection: Connection) -> dict[str, str]:
    """Return every object and right as it is defined now: what a mark keeps."""
    return {row["name"]: row["said"] for row in connection.execute(_LAID_DOWN)}


def required_triggers() -> frozenset[str]:
    """Return the triggers the migrations lay down, as ``table.trigger``."""
    there: set[str] = set()
    for _, sql in scripts():
        there -= {f"{table}.{name}" for name, table in _NO_TRIGGER.findall(sql)}
        there |= {f"{table}.{name}" for name, table in _TRIGGER.findall(sql)}
    return frozenset(there)


def _triggers(connection: Connection) -> Iterator[tuple[str, Violation]]:
    fires = {row["name"]: row["fires"] for row in connection.execute(_TRIGGERS)}
    for name in sorted(required_triggers()):
        if name not in fires:
            yield name, Violation(6, "trigger", "the trigger is gone")
        elif not fires[name]:
            yield name, Violation(6, "trigger", "the trigger is disabled")


def _functions(connection: Connection) -> Iterator[tuple[str, Violation]]:
    wanted = {name: source for _, sql in scripts() for name, source in _FUNCTION.findall(sql)}
    there = {row["name"]: row["source"] for row in connection.execute(_FUNCTIONS)}
    for name, source in sorted(wanted.items()):
        if there.get(name) != source:
            yield name, Violation(6, "trigger", "the function is not the one that was laid down")


def _since(before: LaidDown, now: LaidDown) -> Iterator[tuple[str, Violation]]:
    if _migrations(before) != _migrations(now):
        return  # it was meant to change
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            yield name, Violation(6, "schema_changed", "is gone since the last clean audit")
        elif name not in before:
            yield name, Violation(6, "schema_changed", "is new since the last clean audit")
        elif before[name] != now[name]:
            yield name, Violation(6, "schema_changed", "was changed since the last clean audit")


def _migrations(laid: LaidDown) -> dict[str, str]:
    return {name: said for name, said in laid.items() if name.startswith("migration ")}
