"""The one ``DATABASE_URL`` in the two spellings its readers want. Pure functions.

libpq (psycopg 3, our own pools) wants ``postgresql://``; SQLAlchemy (Dagster's storage) must be
told the driver, because a bare ``postgresql://`` selects psycopg 3 there and every run dies at its
first event.
"""

import re
from urllib.parse import quote, unquote

from swarm.errors import ConfigurationError
from swarm.patterns import linear

_SCHEME = linear(r"^postgres(ql)?(\+[a-z0-9]{1,40})?://", re.IGNORECASE)
_AUTHORITY = linear(
    r"^(?P<host>[^/?#]{0,2000})(?P<path>/[^?#]{0,2000})?(\?(?P<query>[^#]{0,2000}))?$"
)


def libpq_url(url: str) -> str:
    """Return ``postgresql://...`` with user, password and query percent-encoded.

    Takes what hosting platforms hand out: ``postgres://``, ``postgresql+driver://``, a raw ``#``,
    ``/`` or ``@`` in the password, ``?sslmode=``, a unix socket as ``?host=/dir``. Raises
    ``ConfigurationError`` (without the URL: it may hold a password) when it is no Postgres URL.
    """
    scheme = _SCHEME.match(url.strip())
    if scheme is None:
        raise ConfigurationError(
            "DATABASE_URL: not a Postgres URL",
            hint="postgresql://user:password@host:5432/database",
        )
    login, at, rest = url.strip()[scheme.end() :].rpartition("@")
    authority = _AUTHORITY.match(rest)
    if authority is None:
        raise ConfigurationError(
            "DATABASE_URL: no host and database can be read from it",
            hint="percent-encode special characters of the password",
        )
    path, query = authority["path"] or "", _encoded_query(authority["query"] or "")
    return f"postgresql://{_encoded_login(login)}{at}{authority['host']}{path}{query}"


def sqlalchemy_url(url: str) -> str:
    """Return the URL for Dagster's storage: scheme ``postgresql+psycopg2``."""
    return libpq_url(url).replace("postgresql://", "postgresql+psycopg2://", 1)


def _encoded_login(login: str) -> str:
    user, colon, password = login.partition(":")
    return f"{_encoded(user)}{colon}{_encoded(password)}"


def _encoded_query(query: str) -> str:
    """``+`` is a plus for libpq and a space for SQLAlchemy; ``%2B`` is the same to both."""
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    encoded = "&".join(f"{name}={quote(unquote(value), safe='/')}" for name, _, value in pairs)
    return f"?{encoded}" if encoded else ""


def _encoded(part: str) -> str:
    return quote(unquote(part), safe="")
