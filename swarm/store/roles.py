"""Who may do what in the database: every role, and its rights on every table, in one place.

Six logins beside the owner, so that no process can do what is not its work: a replay that would
like to publish is refused by Postgres, not by our good will. ``grants`` lays these rights down and
compares them with what is there; ``role_setup`` makes the roles themselves. A table that is not
named here is one nobody but the owner may touch, and a test says so.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import quote, urlsplit


class Role(StrEnum):
    """A login of the database."""

    OWNER = "swarm_owner"
    WORKER = "swarm_worker"
    REPLAY = "swarm_replay"
    GATES = "swarm_gates"
    KEEPER = "swarm_keeper"
    READER = "swarm_reader"
    DESK = "swarm_desk"


ABOUT: Final[Mapping[Role, str]] = {
    Role.OWNER: "owns the tables and changes them: migrations",
    Role.WORKER: "the services and the acts of people: intake, stages, ledger, both publishers",
    Role.REPLAY: "runs the new path again over recorded inputs; cannot publish",
    Role.GATES: "judges the gates: reports, their results, certificates by a function",
    Role.KEEPER: "`swarm audit` and `swarm erase`: reads all, deletes, writes the audit's marks",
    Role.READER: "people: reads",
    Role.DESK: "the support lead's pages: reads; may say that somebody has taken an escalation",
}

SERVICES: Final = (Role.WORKER, Role.REPLAY, Role.GATES, Role.KEEPER, Role.DESK)
"""Whose writing is the services' own; the trigger of migration 0064 names the same."""

SCHEMA: Final = "swarm"

# --- rights on our tables -------------------------------------------------------------------------

_APPEND, _CHANGE, _QUEUE = "INSERT", "INSERT UPDATE", "INSERT UPDATE DELETE"

_OF_WORKER: Final[Mapping[str, str]] = {
    "work_orders": _CHANGE,
    "mail_search": _APPEND,
    "swarm_jobs": _CHANGE,
    "workflow_runs": _CHANGE,
    "workflow_events": _APPEND,
    "artifacts": _CHANGE,
    "verdicts": _APPEND,
    "model_calls": _APPEND,
    "model_endpoints": _CHANGE,
    "model_paces": _CHANGE,
    "prefetches": _CHANGE,
    "prefetchers": _QUEUE,
    "escalations": _CHANGE,
    "alerts": _CHANGE,
    "alert_sinks": _CHANGE,
    "alert_deliveries": _CHANGE,
    "alert_silences": _APPEND,
    "intake_offset": _CHANGE,
    "intake_line": _CHANGE,
    "intake_blanking": _QUEUE,
    "quarantine": _QUEUE,
    "revision": _APPEND,
    "sorted_out": _CHANGE,
    "releases": _APPEND,
    "publisher_control": "UPDATE",
    "publisher_history": _APPEND,
    "publisher_lease": _CHANGE,
    "switch_wish": _CHANGE,
    "publication_payload": _CHANGE,
    "publication_ledger": _CHANGE,
    "publication_log": _APPEND,
    "legacy_proof": _APPEND,
    "legacy_decommission": _APPEND,
    "installation": "UPDATE",
    "installation_places": _CHANGE,
    "installation_history": _APPEND,
    "legacy_outcomes": _CHANGE,
    "reply_outcomes": _CHANGE,
    "history_imports": _CHANGE,
    "history_orders": _CHANGE,
    "danger_labels": _APPEND,
    "replay_plan": _QUEUE,
    "engine_heartbeats": _QUEUE,
    "cutover_watch": _APPEND,
    "rollback_drills": _APPEND,
    # Deltas are left by triggers, with the owner's rights; the watchman folds them.
    "tallies": _CHANGE,
    "tally_deltas": "DELETE",
}

# What a replay asked Graph or monday for, it keeps with the order of before.
_OF_REPLAY: Final[Mapping[str, str]] = {
    "replays": _CHANGE,
    "comparisons": _CHANGE,
    "replay_model_calls": _CHANGE,
    "history_orders(thread)": "UPDATE",
    "history_orders(crm)": "UPDATE",
}

# `planned_at` is the database's clock: a look is planned ahead, or not at all.
_OF_GATES: Final[Mapping[str, str]] = {
    "readiness_reports": _APPEND,
    "gate_results": _APPEND,
    "must_escalate_measurements": _APPEND,
    "cutover_watch": _APPEND,
    "rollback_drills": _APPEND,
    "looks(at)": _APPEND,
    "looks(actor)": _APPEND,
}

_OF_KEEPER: Final[Mapping[str, str]] = {
    "audit_mark": _APPEND,
    "erasure": _CHANGE,
    "tombstone": _APPEND,
    "intake_blanking": _CHANGE,
    "intake_offset": "UPDATE",
    "intake_line": "UPDATE",
    "work_orders": "UPDATE",  # an erasure locks what it is about to delete
}

# One act: an escalation is taken, and its alerts end with it.
_OF_DESK: Final[Mapping[str, str]] = {
    "escalations(acknowledged_at)": "UPDATE",
    "escalations(acknowledged_by)": "UPDATE",
    "alerts(resolved_at)": "UPDATE",
}

_WRITTEN_BY: Final[Mapping[Role, Mapping[str, str]]] = {
    Role.WORKER: _OF_WORKER,
    Role.REPLAY: _OF_REPLAY,
    Role.GATES: _OF_GATES,
    Role.KEEPER: _OF_KEEPER,
    Role.DESK: _OF_DESK,
}

_READ_ONLY = frozenset(
    {"certificates", "certificate_voids", "schema_migrations", "service_writers", "foreign_writes"}
)

TABLES: Final[frozenset[str]] = _READ_ONLY | {
    name.partition("(")[0] for rights in _WRITTEN_BY.values() for name in rights
}
"""Every table of ours. One that an older schema lacks is passed over."""

_INPUTS_OF_A_REPLAY: Final = frozenset(
    {
        "work_orders",
        "swarm_jobs",
        "workflow_runs",
        "workflow_events",
        "artifacts",
        "verdicts",
        "model_calls",
        "model_endpoints",
        "escalations",
        "revision",
        "releases",
        "legacy_outcomes",
        "reply_outcomes",
        "history_imports",
        "history_orders",
        "danger_labels",
        "replays",
        "replay_plan",
        "replay_model_calls",
        "comparisons",
        "engine_heartbeats",
        "installation",
        "installation_places",
        "schema_migrations",
        "service_writers",
    }
)

_SHOWN_AT_THE_DESK: Final = frozenset(
    {
        "work_orders",
        "mail_search",
        "swarm_jobs",
        "workflow_runs",
        "workflow_events",
        "artifacts",
        "verdicts",
        "model_calls",
        "prefetches",
        "escalations",
        "alerts",
        "releases",
        "sorted_out",
        "publisher_control",
        "publication_payload",
        "publication_ledger",
        "publication_log",
        "legacy_outcomes",
        "reply_outcomes",
        "tombstone",
        "erasure",
        "installation",
        "schema_migrations",
        "service_writers",
    }
)

_NEVER_DELETED: Final = frozenset(
    {"audit_mark", "erasure", "schema_migrations", "service_writers", "publisher_control"}
)


REWRITE: Final = "MAINTAIN"
"""VACUUM FULL after an erasure; PostgreSQL 17 and newer can give this right, older ones cannot."""


def rights_on(table: str) -> frozenset[tuple[str, Role, str]]:
    """Return what may be done with a table of ours: (column or '', role, right)."""
    if table not in TABLES:
        return frozenset()
    readers = {Role.WORKER, Role.GATES, Role.KEEPER, Role.READER}
    if table in _INPUTS_OF_A_REPLAY:
        readers.add(Role.REPLAY)
    if table in _SHOWN_AT_THE_DESK:
        readers.add(Role.DESK)
    given = {("", role, "SELECT") for role in readers}
    for role, written in _WRITTEN_BY.items():
        for name, rights in written.items():
            named, _, column = name.rstrip(")").partition("(")
            if named == table:
                given |= {(column, role, right) for right in rights.split()}
    if table not in _NEVER_DELETED:
        given |= {("", Role.KEEPER, "DELETE"), ("", Role.KEEPER, REWRITE)}
    return frozenset(given)


# --- rights on all else ---------------------------------------------------------------------------

_WORKERS_OWN = ("SELECT", "INSERT", "UPDATE", "DELETE")

OTHER_TABLES: Final[Mapping[str, frozenset[tuple[str, Role, str]]]] = {
    # The graphs' scratch.
    "langgraph": frozenset(
        {("", Role.WORKER, right) for right in _WORKERS_OWN}
        | {("", Role.KEEPER, right) for right in ("SELECT", "DELETE", REWRITE)}
    ),
    # Dagster's: runs, events, partitions, ticks.
    "public": frozenset(
        {("", Role.WORKER, right) for right in _WORKERS_OWN}
        | {("", Role.KEEPER, right) for right in ("SELECT", "UPDATE", "DELETE", REWRITE)}
        | {("", role, "SELECT") for role in (Role.GATES, Role.READER)}
    ),
}
"""Schema -> the rights on each table in it that the owner has."""

SEQUENCES: Final = frozenset({("", Role.WORKER, "USAGE"), ("", Role.WORKER, "SELECT")})
"""Rights on the sequences of those schemas; ours are identities, which need none."""

SCHEMAS: Final[Mapping[str, tuple[Role, ...]]] = {
    SCHEMA: (Role.WORKER, Role.REPLAY, Role.GATES, Role.KEEPER, Role.READER, Role.DESK),
    "langgraph": (Role.WORKER, Role.KEEPER),
}
"""Schema -> who may look into it."""

_ASKS = (Role.WORKER, Role.GATES, Role.KEEPER, Role.READER)

FUNCTIONS: Final[Mapping[str, tuple[Role, ...]]] = {
    "clock_behind": _ASKS,
    "runs_another": _ASKS,
    "running_parts": _ASKS,
    "report_lacks": _ASKS,
    "cutover_refusal": _ASKS,
    "void_certificates": (Role.WORKER, Role.GATES),  # it only takes away
    "issue_certificate": (Role.GATES,),
    "count_paid_twice": (Role.WORKER,),
}
"""Function that runs with the owner's rights -> who may call it. All others: nobody."""


def url_as(url: str, role: str, password: str) -> str:
    """Return the libpq URL of the same database for another login."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{quote(password, safe='')}@{place}").geturl()
