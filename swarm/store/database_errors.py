"""What Postgres said, in the words of our error tree: may trying again help, or not?

Every SQLSTATE becomes a ``DatabaseUnavailableError`` (later it may work) or a
``DatabaseRefusedError`` (somebody must mend something first); both are ``DatabaseError``, which is
what a program that must not end catches. The classes are those of the manual, appendix A. What
lives elsewhere: connecting and transactions (``database``), what a room makes of a refused value
(it catches the driver's error inside its transaction, before this).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from swarm.errors import DatabaseError, DatabaseRefusedError, DatabaseUnavailableError
from swarm.patterns import linear

_AWAY = "Postgres cannot be reached"
_CHECK_SERVER = "check DATABASE_URL and that the server is up"

# By class, the first two characters: the trouble passes, or is mended without us.
_PASSES = {
    "08": _AWAY,
    "40": "two transactions were in each other's way",
    "53": "the server is out of disk, memory or connections",
    "55": "what the statement needs is locked or in use",
    "57": "a time limit or an operator ended the statement",
    "58": "the server has trouble with its own files",
    "72": "the statement took too long for its snapshot",
    "F0": "the server has trouble with its configuration file",
    "XX": "the server met an internal error",
}

# Out of class 25, whose other members are misuse: a standby after a failover, and two time limits.
_PASSES_BY_STATE = {
    "25006": "the server takes no writes now",
    "25P03": "the transaction stood idle for too long",
    "25P04": "the transaction took too long",
}

_HELPS = {
    "28": "check user and password in DATABASE_URL",
    "3D": "check the name of the database in DATABASE_URL",
    "42501": "give this login its rights: `swarm database roles` says which",
    "42": "the schema differs from this program's: `swarm doctor` names migrations not applied",
}

# Of these classes the message quotes values, which may be a mail's: only the code is kept.
_QUOTES_VALUES = ("22", "23")

# Raised by our own triggers, in our own words.
_OURS = "P0001"

# Postgres' own sentence about a missing right. It names a thing of the schema and quotes nothing.
_DENIED = linear(r"permission denied for (?:table|column|schema|sequence|function|view) \w{1,63}")


@contextmanager
def in_our_words() -> Iterator[None]:
    """Raise what psycopg raises inside as a ``DatabaseError``."""
    try:
        yield
    except psycopg.Error as error:
        quotes = (error.sqlstate or "").startswith(_QUOTES_VALUES) or error.sqlstate is None
        raise translate(error) from (None if quotes else error)


def translate(error: psycopg.Error) -> DatabaseError:
    """Return the error of our tree for what the driver or the server said."""
    state = error.sqlstate
    if state is None:
        return _from_the_driver(error)
    passes = _PASSES_BY_STATE.get(state) or _PASSES.get(state[:2])
    if passes is not None:
        sentence = _AWAY if passes is _AWAY else f"Postgres could not do it now: {passes}"
        hint = _CHECK_SERVER if passes is _AWAY else ""
        return DatabaseUnavailableError(f"{sentence} ({state})", hint=hint, sqlstate=state)
    primary = error.diag.message_primary or ""
    said = f": {primary}" if state == _OURS or _DENIED.fullmatch(primary) else ""
    hint = _HELPS.get(state) or _HELPS.get(state[:2]) or ""
    return DatabaseRefusedError(f"Postgres refused ({state}){said}", hint=hint, sqlstate=state)


def _from_the_driver(error: psycopg.Error) -> DatabaseError:
    """No SQLSTATE: the connection is gone, or the driver would not send what it was given."""
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return DatabaseUnavailableError(_AWAY, hint=_CHECK_SERVER)
    return DatabaseRefusedError(f"the statement could not be sent ({type(error).__name__})")
