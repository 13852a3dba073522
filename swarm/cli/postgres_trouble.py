"""Why Postgres does not let us in, told apart: host, port, password, database, TLS, rules.

libpq says it in words, and this is the one place that reads them; the words themselves are not
passed on, because they may hold what the URL holds. Pure.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import psycopg


class NoLogin(NamedTuple):
    """What is wrong, and what helps."""

    detail: str
    helps: str


# The first that fits: TLS before what it hides, the password before the rules.
_SIGNS: Final[Sequence[tuple[tuple[str, ...], NoLogin]]] = (
    (
        ("password authentication failed", "no password supplied", "scram"),
        NoLogin("the server refuses the password", "correct the password in DATABASE_URL"),
    ),
    (
        ("no encryption", "does not support ssl", "certificate", "ssl error", "sslmode", "ssl "),
        NoLogin(
            "no agreement on TLS with the server",
            "set sslmode=require (or verify-full with sslrootcert) in DATABASE_URL as the server"
            " wants it",
        ),
    ),
    (
        ("no pg_hba.conf entry", "pg_hba"),
        NoLogin(
            "the server lets this login not in from here",
            "allow this host, login and database in the server's pg_hba.conf",
        ),
    ),
    (
        ("too many clients", "connection slots", "too many connections"),
        NoLogin("the server has no connection left", "end others, or raise max_connections"),
    ),
    (
        ("starting up", "shutting down", "recovery mode"),
        NoLogin("the server starts or stops right now", "try again in a moment"),
    ),
    (
        ("could not translate host name", "name or service not known", "failed to resolve",
         "nodename nor servname", "temporary failure in name resolution", "no address associated"),
        NoLogin("its host name is unknown", "correct the host in DATABASE_URL, or the resolver"),
    ),
    (
        ("connection refused",),
        NoLogin(
            "nothing listens on that port", "is the server up? is the port in DATABASE_URL right?"
        ),
    ),
    (
        ("no such file or directory",),
        NoLogin("its socket is not there", "is the server up? is host= in DATABASE_URL right?"),
    ),
    (
        ("timeout", "timed out", "no route to host", "network is unreachable"),
        NoLogin("no answer from its host", "is a firewall in between? is the host right?"),
    ),
    (
        ("database \"",),
        NoLogin("there is no such database on the server", "correct its name in DATABASE_URL"),
    ),
    (
        ("role \"",),
        NoLogin("the server knows no such login", "correct the login in DATABASE_URL"),
    ),
)  # fmt: skip

_OTHER: Final = NoLogin("cannot be reached", "is DATABASE_URL right and the server up?")


def trouble(error: psycopg.OperationalError) -> NoLogin:
    """Return what keeps us out, in words of ours."""
    said = str(error).lower()
    return next((found for signs, found in _SIGNS if any(s in said for s in signs)), _OTHER)
