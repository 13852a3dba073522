"""What a backup refuses, what it leaves out, and that a restored ledger publishes for nobody."""

import json
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from swarm.errors import ConfigurationError, MalformedInputError, RefusedError, TransientError
from swarm.installation.home import Home
from swarm.installation.logins import of_embedded, passwords
from swarm.lifecycle.backup import restoring
from swarm.lifecycle.backup.manifest import MANIFEST
from swarm.lifecycle.backup.restoring import restore
from swarm.lifecycle.backup.taking import back_up
from swarm.publishing.control import PublisherName, read_control
from swarm.publishing.switch.commands import appoint_initial, flip, rollback
from swarm.store import embedded, home_world
from swarm.store.database import Database
from swarm.store.migrate import migrate
from swarm.store.restored import note_reconciled, unreconciled
from swarm.store.roles import Role

pytestmark = [pytest.mark.integration, pytest.mark.long]  # whole servers and homes


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="swarm-backup-"))
    made.chmod(0o755)  # the embedded server runs as a user of its own when we are root
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    """A home that was used and stopped, with everything a backup is about."""
    home = Home(folder / "home")
    home.prepare()
    home_world.write(home.root, home_world.read_or_new(home.root))
    home.key_secret()
    (home.root / "tolerances.toml").write_text("# none\n")
    home.knowledge.mkdir()
    (home.knowledge / "hours.md").write_text("open\n")
    home.work_orders.write_text('{"id": "a"}\n')
    (home.events.parent / "email_work_order_service.state.json").write_text("{}")
    legacy = home.root / "legacy"
    legacy.mkdir()
    for name in ("outbox.jsonl", "journal.jsonl", "lease.json", "holder"):
        (legacy / name).write_text("x\n")
    (home.logs / "workers.log").write_text("a log\n")
    url = embedded.start(home.postgres, logins=passwords(home.database_logins))
    migrate(url)
    database = Database(of_embedded(url, home.database_logins).url(Role.WORKER))
    with closing(database):
        appoint_initial(database, PublisherName.LEGACY, actor="swarm up", reason="a real hook")
    embedded.stop(home.postgres)
    return home


@pytest.fixture(scope="module")
def saved(home: Home, folder: Path) -> Path:
    back_up(home, {}, folder / "saved")
    return folder / "saved"


def test_a_stopped_home_is_backed_up_without_secrets_of_services_logs_or_a_lease(
    saved: Path, home: Home
) -> None:
    manifest = json.loads((saved / MANIFEST).read_text())
    names = {name.removeprefix("home/") for name in manifest["files"]}
    assert {"key_secret", "tolerances.toml", "knowledge/hours.md", "intake/work_orders.jsonl",
            "intake/email_work_order_service.state.json", "legacy/outbox.jsonl",
            "legacy/journal.jsonl", "world.json", "database.dump"} <= names  # fmt: skip
    assert not names & {"database_logins.json", "legacy/lease.json", "legacy/holder",
                        "logs/workers.log", "run/environment.json"}  # fmt: skip
    assert stat.S_IMODE(saved.stat().st_mode) == 0o700
    secret = next(iter(passwords(home.database_logins).values()))
    assert all(
        secret.encode() not in path.read_bytes() for path in saved.rglob("*") if path.is_file()
    )
    assert not (home.postgres / "postmaster.pid").exists(), "the server is stopped again"


def test_a_restored_ledger_publishes_for_nobody_until_it_is_reconciled(
    saved: Path, folder: Path
) -> None:
    home = Home(folder / "restored")
    restore(saved, home, {}, actor="anna")
    assert not home.root.with_name("restored.restoring").exists()
    url = embedded.start(home.postgres, logins=passwords(home.database_logins))
    database = Database(of_embedded(url, home.database_logins).url(Role.WORKER))
    try:
        with database.transaction() as connection:
            assert read_control(connection).active is PublisherName.NONE
            mark = unreconciled(connection)
            assert mark is not None
            assert mark.backup_at < mark.restored_at
        for to in (PublisherName.LEGACY, PublisherName.SWARM):
            with (
                pytest.raises(RefusedError, match="restored from the backup"),
                database.transaction() as connection,
            ):
                flip(connection, to, actor="anna", reason="too early")
        with pytest.raises(RefusedError, match="restored from the backup"):
            rollback(database, actor="anna", reason="even a dry run", dry_run=True)
        with database.transaction() as connection:
            flip(connection, PublisherName.NONE, actor="anna", reason="stopping always acts")
            note_reconciled(connection, "1 found", actor="anna")
            flip(connection, PublisherName.LEGACY, actor="anna", reason="now")
    finally:
        database.close()
        embedded.stop(home.postgres)


def test_a_restore_that_is_cut_short_leaves_no_home(
    saved: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the dump and the fence there would be a ledger with a publisher in office."""

    def cut(*_: object) -> None:
        raise TransientError("the power went")

    monkeypatch.setattr(restoring, "_fence", cut)
    home = Home(folder / "cut")
    with pytest.raises(TransientError):
        restore(saved, home, {}, actor="anna")
    assert not home.root.exists()


def test_nothing_is_ever_overwritten(saved: Path, home: Home, database_url: str) -> None:
    with pytest.raises(RefusedError, match="is there already"):
        back_up(home, {}, saved)
    with pytest.raises(RefusedError, match="is not empty"):
        restore(saved, home, {}, actor="anna")
    elsewhere = Home(home.root.with_name("elsewhere"))
    with pytest.raises(RefusedError, match="database is not empty"):
        restore(saved, elsewhere, {"DATABASE_URL": database_url}, actor="anna")
    assert not elsewhere.root.exists()


@pytest.mark.parametrize("harm", ["changed", "missing", "outside", "no manifest", "newer"])
def test_a_backup_that_is_not_whole_or_not_ours_is_refused(
    harm: str, saved: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(saved, copy)
    manifest = json.loads((copy / MANIFEST).read_text())
    match harm:
        case "changed":
            (copy / "home" / "key_secret").write_text("another")
        case "missing":
            (copy / "database.dump").unlink()
        case "outside":
            manifest["files"]["../../etc/passwd"] = "x"
        case "newer":
            manifest["migrations"]["9999_from_tomorrow.sql"] = "x"
    (copy / MANIFEST).write_text(json.dumps(manifest))
    if harm == "no manifest":
        (copy / MANIFEST).unlink()
    kind = RefusedError if harm == "newer" else MalformedInputError
    with pytest.raises(kind):
        restore(copy, Home(tmp_path / "home"), {}, actor="anna")
    assert not (tmp_path / "home").exists()


def test_a_home_that_never_started_has_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="never"):
        back_up(Home(tmp_path), {}, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_a_database_of_ones_own_is_dumped_and_filled(
    home: Home, folder: Path, database_url: str, postgres_server: str
) -> None:
    back_up(home, {"DATABASE_URL": database_url}, folder / "own")
    target = embedded.create_database(postgres_server, "filled_from_a_backup")
    restore(folder / "own", Home(folder / "own-home"), {"DATABASE_URL": target}, actor="anna")
    with psycopg.connect(target) as connection:
        row = connection.execute("SELECT active FROM swarm.publisher_control").fetchone()
    assert row == ("none",)
    assert not (folder / "own-home" / "postgres").exists()
